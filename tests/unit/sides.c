/* SPDX-License-Identifier: Apache-2.0 */
#include "sides.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct scratch sides_scratch;
int sides_pair[2];

void sides_setup(void) {
    scratch_init(&sides_scratch);
    umask(0);
    cr_assert_eq(mkdirat(sides_scratch.fd, "from", 0755), 0);
    cr_assert_eq(mkdirat(sides_scratch.fd, "to", 0755), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sides_pair), 0);
}

void sides_teardown(void) {
    scratch_done(&sides_scratch);
}

int sides_lowest_free(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    close(fd);
    return fd;
}

int sides_open_in(const char *path) {
    int fd = openat(sides_scratch.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert_geq(fd, 0, "%s", path);
    return fd;
}

pid_t sides_start(int (*side)(struct copy *copy, struct err *err), int expected) {
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct copy copy = {.socket_fd = sides_pair[1]};
        struct err err = {0};

        close(sides_pair[0]);
        alarm(60);
        if (side(&copy, &err) == expected)
            _exit(0);
        dprintf(2, "the other side: %s\n", err.message);
        _exit(1);
    }
    close(sides_pair[1]);
    return pid;
}

void sides_expect_good_end(pid_t pid) {
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0, "the other side's wait status is %#x", (unsigned)status);
}

int sides_from_fd;
const char *sides_from_name;

int sides_send_it(struct copy *copy, struct err *err) {
    return copy_send(copy, sides_from_fd, sides_from_name, err);
}

void sides_copy(struct copy *copy, const char *source, const char *target, int expected,
                struct err *err) {
    _cleanup_close_ int from = sides_open_in("from"), to = sides_open_in("to");
    int before = sides_lowest_free();
    pid_t pid;

    copy->socket_fd = sides_pair[0];
    sides_from_fd = from;
    sides_from_name = source;
    pid = sides_start(sides_send_it, expected);
    cr_expect_eq(copy_receive(copy, to, target, err), expected, "%s", err->message);
    sides_expect_good_end(pid);
    /* sides_pair[1], which was below, is closed by now. */
    cr_expect_leq(sides_lowest_free(), before, "descriptors leak");
    close(sides_pair[0]);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sides_pair), 0);
}

void sides_copy_plainly(const char *source, const char *target) {
    struct copy copy = {0};
    struct err err = {0};

    sides_copy(&copy, source, target, 0, &err);
}

void sides_expect_content(const char *path, const char *expected) {
    _cleanup_free_ char *data = NULL;

    cr_assert_eq(fd_read_file(sides_scratch.fd, path, 1 << 20, &data, NULL), 0, "%s", path);
    cr_expect_str_eq(data, expected, "%s", path);
}

struct stat sides_look(const char *path) {
    struct stat st = {0};

    cr_assert_eq(fstatat(sides_scratch.fd, path, &st, AT_SYMLINK_NOFOLLOW), 0, "%s", path);
    return st;
}

bool sides_exists(const char *path) {
    return faccessat(sides_scratch.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int sides_count(const char *path) {
    _cleanup_closedir_ DIR *dir = fdopendir(sides_open_in(path));
    int n = 0;

    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += !str_is_dots(entry->d_name);
    return n;
}

void sides_make_tree(void) {
    static const char *const dirs[] = {"from/t", "from/t/a", "from/t/a/b", "from/t/a/b/c",
                                       "from/t/empty"};
    const struct timespec times[2] = {{5, 6}, {1000000000, 1}};

    for (size_t i = 0; i < N_ELEMENTS(dirs); i++)
        cr_assert_eq(mkdirat(sides_scratch.fd, dirs[i], 0700), 0);
    scratch_write(&sides_scratch, "from/t/a/b/c/deep", "deep", 4);
    scratch_write(&sides_scratch, "from/t/a name", "space", 5);
    scratch_write(&sides_scratch, "from/t/a\nline:colon\\", "odd", 3);
    scratch_write(&sides_scratch, "from/t/\xff\xfe", "bytes", 5);
    scratch_write(&sides_scratch, "from/t/-rf", "dash", 4);
    cr_assert_eq(symlinkat("/etc/passwd", sides_scratch.fd, "from/t/absolute"), 0);
    cr_assert_eq(symlinkat("../../nowhere", sides_scratch.fd, "from/t/a/dangling"), 0);
    cr_assert_eq(utimensat(sides_scratch.fd, "from/t/absolute", times, AT_SYMLINK_NOFOLLOW), 0);
    cr_assert_eq(mkfifoat(sides_scratch.fd, "from/t/fifo", 0640), 0);
    cr_assert_eq(fchmodat(sides_scratch.fd, "from/t/a/b/c", 0500, 0), 0);
    for (size_t i = N_ELEMENTS(dirs); i-- > 0;)
        cr_assert_eq(utimensat(sides_scratch.fd, dirs[i], times, 0), 0);
}
