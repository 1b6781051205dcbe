/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/copy/copy.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct scratch scratch;
static int pair[2];

static void setup(void) {
    scratch_init(&scratch);
    umask(0);
    cr_assert_eq(mkdirat(scratch.fd, "from", 0755), 0);
    cr_assert_eq(mkdirat(scratch.fd, "to", 0755), 0);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void teardown(void) {
    scratch_done(&scratch);
}

TestSuite(copy, .init = setup, .fini = teardown);

static int lowest_free(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    close(fd);
    return fd;
}

static int open_in(const char *path) {
    int fd = openat(scratch.fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert_geq(fd, 0, "%s", path);
    return fd;
}

/* Starts a process that does its side of a copy with pair[1]; its status is 0 when @expected came.
 */
static pid_t start_side(int (*side)(struct copy *copy, struct err *err), int expected) {
    pid_t pid = fork();

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct copy copy = {.socket_fd = pair[1]};
        struct err err = {0};

        close(pair[0]);
        alarm(60);
        if (side(&copy, &err) == expected)
            _exit(0);
        dprintf(2, "the other side: %s\n", err.message);
        _exit(1);
    }
    close(pair[1]);
    return pid;
}

static void expect_good_end(pid_t pid) {
    int status;

    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0, "the other side's wait status is %#x", (unsigned)status);
}

static int from_fd;
static const char *from_name;

static int send_it(struct copy *copy, struct err *err) {
    return copy_send(copy, from_fd, from_name, err);
}

/* Copies from/@source to to/@target and expects it to end with @expected on both sides. */
static void copy_over(struct copy *copy, const char *source, const char *target, int expected,
                      struct err *err) {
    _cleanup_close_ int from = open_in("from"), to = open_in("to");
    int before = lowest_free();
    pid_t pid;

    copy->socket_fd = pair[0];
    from_fd = from;
    from_name = source;
    pid = start_side(send_it, expected);
    cr_expect_eq(copy_receive(copy, to, target, err), expected, "%s", err->message);
    expect_good_end(pid);
    /* pair[1], which was below, is closed by now. */
    cr_expect_leq(lowest_free(), before, "descriptors leak");
    close(pair[0]);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static void copy_plainly(const char *source, const char *target) {
    struct copy copy = {0};
    struct err err = {0};

    copy_over(&copy, source, target, 0, &err);
}

static void expect_content(const char *path, const char *expected) {
    _cleanup_free_ char *data = NULL;

    cr_assert_eq(fd_read_file(scratch.fd, path, 1 << 20, &data, NULL), 0, "%s", path);
    cr_expect_str_eq(data, expected, "%s", path);
}

static struct stat look(const char *path) {
    struct stat st = {0};

    cr_assert_eq(fstatat(scratch.fd, path, &st, AT_SYMLINK_NOFOLLOW), 0, "%s", path);
    return st;
}

static bool exists(const char *path) {
    return faccessat(scratch.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* How many entries a directory has: temporary names would show up. */
static int count(const char *path) {
    _cleanup_closedir_ DIR *dir = fdopendir(open_in(path));
    int n = 0;

    cr_assert_not_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));)
        n += !str_is_dots(entry->d_name);
    return n;
}

Test(copy, file_with_its_mode_and_time) {
    const struct timespec times[2] = {{1, 1}, {1234567890, 123456789}};
    static const mode_t modes[] = {0, 0444, 0600, 0777, 04755, 02755, 01777, 07777};

    scratch_write(&scratch, "from/f", "hello\n", 6);
    for (size_t i = 0; i < N_ELEMENTS(modes); i++) {
        struct copy copy = {.plain_modes = i % 2};
        struct err err = {0};
        struct stat st;

        /* A file that its owner may not read cannot be sent by an ordinary user. */
        if (modes[i] == 0 && geteuid() != 0)
            continue;
        cr_assert_eq(fchmodat(scratch.fd, "from/f", modes[i], 0), 0);
        cr_assert_eq(utimensat(scratch.fd, "from/f", times, 0), 0);
        copy_over(&copy, "f", "f", 0, &err);
        st = look("to/f");
        cr_expect_eq(st.st_mode, S_IFREG | (modes[i] & (i % 2 ? 01777 : 07777)), "%o: %o",
                     (unsigned)modes[i], (unsigned)st.st_mode);
        cr_expect_eq(st.st_mtim.tv_sec, 1234567890);
        cr_expect_eq(st.st_mtim.tv_nsec, 123456789);
        cr_assert_eq(fchmodat(scratch.fd, "to/f", 0600, 0), 0);
        expect_content("to/f", "hello\n");
    }
    cr_expect_eq(count("to"), 1);
}

Test(copy, set_id_bits_are_left_out_when_asked) {
    struct copy copy = {.plain_modes = 1};
    struct err err = {0};

    scratch_write(&scratch, "from/f", "x", 1);
    cr_assert_eq(fchmodat(scratch.fd, "from/f", 06755, 0), 0);
    copy_over(&copy, "f", "f", 0, &err);
    cr_expect_eq(look("to/f").st_mode, S_IFREG | 0755);
    copy_plainly("f", "g");
    cr_expect_eq(look("to/g").st_mode, S_IFREG | 06755);
}

Test(copy, empty_and_sparse_files) {
    _cleanup_close_ int fd = -1, got = -1;
    struct stat st;
    char byte = 1;

    scratch_write(&scratch, "from/empty", "", 0);
    copy_plainly("empty", "empty");
    cr_expect_eq(look("to/empty").st_size, 0);
    fd = openat(scratch.fd, "from/sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, 64 << 20), 0);
    cr_assert_eq(pwrite(fd, "begin", 5, 1 << 20), 5);
    cr_assert_eq(pwrite(fd, "end", 3, 33 << 20), 3);
    copy_plainly("sparse", "sparse");
    got = openat(scratch.fd, "to/sparse", O_RDONLY | O_CLOEXEC);
    cr_assert_eq(fstat(got, &st), 0);
    cr_expect_eq(st.st_size, 64 << 20);
    cr_expect_eq(pread(got, &byte, 1, (33 << 20) + 2), 1);
    cr_expect_eq(byte, 'd');
    cr_expect_eq(pread(got, &byte, 1, 0), 1);
    cr_expect_eq(byte, 0);
    /* Where the file system keeps holes they are the same. */
    for (off_t at = 0; at < 64 << 20;) {
        off_t data = lseek(fd, at, SEEK_DATA), hole = lseek(fd, data < 0 ? at : data, SEEK_HOLE);

        cr_expect_eq(lseek(got, at, SEEK_DATA), data);
        if (data < 0)
            break;
        cr_expect_eq(lseek(got, data, SEEK_HOLE), hole);
        at = hole;
    }
    cr_expect_leq(st.st_blocks, 4096);
}

Test(copy, files_of_the_kernel_whatever_their_size_says) {
    static const char *const paths[] = {"/proc/sys/kernel/ostype", "/sys/class/net/lo/mtu"};

    for (size_t i = 0; i < N_ELEMENTS(paths); i++) {
        _cleanup_free_ char *expected = NULL, *got = NULL;
        _cleanup_close_ int from = open(paths[i], O_RDONLY | O_CLOEXEC);
        _cleanup_close_ int to =
            openat(scratch.fd, "to/k", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const struct copy copy = {.socket_fd = -1};
        size_t size = 0, got_size = 0;

        if (from < 0)
            continue;
        cr_assert_eq(fd_read_file(AT_FDCWD, paths[i], 65536, &expected, &size), 0);
        cr_assert_eq(copy_data(&copy, from, to), 0);
        cr_assert_eq(fd_read_file(scratch.fd, "to/k", 65536, &got, &got_size), 0);
        cr_expect_gt(size, 0);
        cr_expect_eq(got_size, size, "%s: %zu", paths[i], got_size);
        cr_expect_str_eq(got, expected);
    }
}

Test(copy, larger_than_one_chunk) {
    size_t size = (20 << 20) + 4321, got_size = 0;
    _cleanup_free_ char *data = malloc(size), *got = NULL;

    for (size_t i = 0; i < size; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    scratch_write(&scratch, "from/big", data, size);
    copy_plainly("big", "big");
    cr_assert_eq(fd_read_file(scratch.fd, "to/big", 2 * size, &got, &got_size), 0);
    cr_assert_eq(got_size, size);
    cr_expect_eq(memcmp(got, data, size), 0);
}

static void make_tree(void) {
    static const char *const dirs[] = {"from/t", "from/t/a", "from/t/a/b", "from/t/a/b/c",
                                       "from/t/empty"};
    const struct timespec times[2] = {{5, 6}, {1000000000, 1}};

    for (size_t i = 0; i < N_ELEMENTS(dirs); i++)
        cr_assert_eq(mkdirat(scratch.fd, dirs[i], 0700), 0);
    scratch_write(&scratch, "from/t/a/b/c/deep", "deep", 4);
    scratch_write(&scratch, "from/t/a name", "space", 5);
    scratch_write(&scratch, "from/t/a\nline:colon\\", "odd", 3);
    scratch_write(&scratch, "from/t/\xff\xfe", "bytes", 5);
    scratch_write(&scratch, "from/t/-rf", "dash", 4);
    cr_assert_eq(symlinkat("/etc/passwd", scratch.fd, "from/t/absolute"), 0);
    cr_assert_eq(symlinkat("../../nowhere", scratch.fd, "from/t/a/dangling"), 0);
    cr_assert_eq(utimensat(scratch.fd, "from/t/absolute", times, AT_SYMLINK_NOFOLLOW), 0);
    cr_assert_eq(mkfifoat(scratch.fd, "from/t/fifo", 0640), 0);
    cr_assert_eq(fchmodat(scratch.fd, "from/t/a/b/c", 0500, 0), 0);
    for (size_t i = N_ELEMENTS(dirs); i-- > 0;)
        cr_assert_eq(utimensat(scratch.fd, dirs[i], times, 0), 0);
}

static void expect_link(const char *path, const char *expected) {
    char target[PATH_MAX] = "";

    cr_assert_gt(readlinkat(scratch.fd, path, target, sizeof target - 1), 0, "%s", path);
    cr_expect_str_eq(target, expected);
}

static void expect_tree(void) {
    static const char *const dirs[] = {"to/t", "to/t/a", "to/t/a/b", "to/t/a/b/c", "to/t/empty"};

    expect_content("to/t/a/b/c/deep", "deep");
    expect_content("to/t/a name", "space");
    expect_content("to/t/a\nline:colon\\", "odd");
    expect_content("to/t/\xff\xfe", "bytes");
    expect_content("to/t/-rf", "dash");
    expect_link("to/t/absolute", "/etc/passwd");
    expect_link("to/t/a/dangling", "../../nowhere");
    cr_expect_eq(look("to/t/absolute").st_mtim.tv_sec, 1000000000);
    cr_expect_eq(look("to/t/fifo").st_mode, S_IFIFO | 0640);
    cr_expect_eq(look("to/t/a/b/c").st_mode, S_IFDIR | 0500);
    for (size_t i = 0; i < N_ELEMENTS(dirs); i++) {
        cr_expect_eq(look(dirs[i]).st_mtim.tv_sec, 1000000000, "%s", dirs[i]);
        cr_expect_eq(look(dirs[i]).st_mtim.tv_nsec, 1, "%s", dirs[i]);
    }
    cr_expect_eq(count("to/t"), 8);
    cr_expect_eq(count("to"), 1);
}

Test(copy, tree) {
    make_tree();
    copy_plainly("t", "t");
    expect_tree();
    cr_assert_eq(fchmodat(scratch.fd, "to/t/a/b/c", 0700, 0), 0);
}

/* One process after the other would do it as well, were the socket to hold it all: it does not. */
Test(copy, many_small_files_with_few_descriptors) {
    struct rlimit old, few;
    char name[32];

    cr_assert_eq(mkdirat(scratch.fd, "from/many", 0755), 0);
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "from/many/%d", i);
        scratch_write(&scratch, name, name, strlen(name));
    }
    for (int i = 0; i < 2; i++)
        cr_assert_eq(setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &(int){16 * 1024}, sizeof(int)), 0);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = (struct rlimit){64, old.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    copy_plainly("many", "many");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    cr_expect_eq(count("to/many"), 600);
    expect_content("to/many/599", "from/many/599");
}

Test(copy, directories_merge_and_keep_what_they_are) {
    make_tree();
    cr_assert_eq(mkdirat(scratch.fd, "to/t", 0751), 0);
    cr_assert_eq(mkdirat(scratch.fd, "to/t/a", 0711), 0);
    scratch_write(&scratch, "to/t/a/mine", "mine", 4);
    scratch_write(&scratch, "to/t/-rf", "older", 5);
    copy_plainly("t", "t");
    expect_content("to/t/a/mine", "mine");
    expect_content("to/t/-rf", "dash");
    expect_content("to/t/a/b/c/deep", "deep");
    cr_expect_eq(look("to/t").st_mode, S_IFDIR | 0751);
    cr_expect_eq(look("to/t/a").st_mode, S_IFDIR | 0711);
    cr_expect_eq(count("to/t"), 8);
    cr_assert_eq(fchmodat(scratch.fd, "to/t/a/b/c", 0700, 0), 0);
}

Test(copy, into_the_directory_itself) {
    scratch_write(&scratch, "from/x", "x", 1);
    copy_plainly(".", ".");
    expect_content("to/x", "x");
    cr_expect_eq(count("to"), 1);
}

Test(copy, replaces_a_file_and_not_what_it_is_linked_to) {
    scratch_write(&scratch, "from/f", "new", 3);
    scratch_write(&scratch, "to/other", "other", 5);
    cr_assert_eq(linkat(scratch.fd, "to/other", scratch.fd, "to/f", 0), 0);
    copy_plainly("f", "f");
    expect_content("to/f", "new");
    expect_content("to/other", "other");
    cr_assert_eq(symlinkat("other", scratch.fd, "to/link"), 0);
    copy_plainly("f", "link");
    cr_expect_eq(look("to/link").st_mode & S_IFMT, S_IFREG);
    expect_content("to/other", "other");
    cr_assert_eq(symlinkat("away", scratch.fd, "from/l"), 0);
    copy_plainly("l", "f");
    expect_link("to/f", "away");
    cr_expect_eq(count("to"), 3);
}

Test(copy, a_directory_is_never_replaced_nor_a_file_entered) {
    struct copy copy = {0};
    struct err err = {0};

    scratch_write(&scratch, "from/f", "f", 1);
    cr_assert_eq(symlinkat("f", scratch.fd, "from/l"), 0);
    cr_assert_eq(mkdirat(scratch.fd, "from/d", 0755), 0);
    scratch_write(&scratch, "from/d/in", "in", 2);
    cr_assert_eq(mkdirat(scratch.fd, "to/d", 0755), 0);
    scratch_write(&scratch, "to/d/kept", "kept", 4);
    scratch_write(&scratch, "to/f", "kept", 4);
    cr_assert_eq(symlinkat("d", scratch.fd, "to/link"), 0);
    copy_over(&copy, "f", "d", -EISDIR, &err);
    cr_expect_not_null(strstr(err.message, "d"));
    copy_over(&copy, "l", "d", -EISDIR, &err);
    copy_over(&copy, "d", "f", -EEXIST, &err);
    /* Not through a link either: it may lead anywhere. */
    copy_over(&copy, "d", "link", -EEXIST, &err);
    expect_content("to/f", "kept");
    expect_content("to/d/kept", "kept");
    cr_expect_eq(count("to/d"), 1);
    cr_expect_eq(count("to"), 3);
}

Test(copy, missing_source) {
    struct copy copy = {0};
    struct err err = {0};

    copy_over(&copy, "none", "x", -ENOENT, &err);
    cr_expect_not_null(strstr(err.message, "none"), "%s", err.message);
    cr_expect_eq(count("to"), 0);
}

Test(copy, sockets_are_left_out_and_counted) {
    struct copy copy = {0};
    struct err err = {0};

    cr_assert_eq(mkdirat(scratch.fd, "from/d", 0755), 0);
    cr_assert_eq(mknodat(scratch.fd, "from/d/socket", S_IFSOCK | 0600, 0), 0);
    scratch_write(&scratch, "from/d/f", "f", 1);
    copy_over(&copy, "d", "d", 0, &err);
    cr_expect_eq(copy.n_skipped, 1);
    cr_expect_eq(count("to/d"), 1);
}

Test(copy, owner) {
    struct copy copy = {.chown = 1, .uid = geteuid(), .gid = getegid()};
    struct err err = {0};

    if (geteuid() == 0)
        copy.uid = copy.gid = 12345;
    make_tree();
    copy_over(&copy, "t", "t", 0, &err);
    cr_expect_eq(look("to/t").st_uid, copy.uid);
    cr_expect_eq(look("to/t/a/b/c/deep").st_uid, copy.uid);
    cr_expect_eq(look("to/t/a/b/c/deep").st_gid, copy.gid);
    cr_expect_eq(look("to/t/absolute").st_uid, copy.uid);
    cr_expect_eq(look("to/t/fifo").st_uid, copy.uid);
    cr_assert_eq(fchmodat(scratch.fd, "to/t/a/b/c", 0700, 0), 0);
}

/* --- a sender that is not ours ---------------------------------------------- */

static const struct {
    uint32_t kind;
    const char *name;
    const char *text;
    int fd; /* 1: a regular file, 2: a directory, 3: a pipe */
} * script;
static size_t n_script;

static int say(const struct copy *copy, size_t i) {
    struct copy_record record = {.kind = script[i].kind, .mode = 0755};
    size_t used = (size_t)snprintf(record.text, NAME_MAX + 1, "%s", script[i].name) + 1;
    _cleanup_close_ int fd = -1;
    int pipes[2];

    if (script[i].text)
        snprintf(record.text + used, PATH_MAX, "%s", script[i].text);
    if (script[i].fd == 1)
        fd = openat(scratch.fd, "from/f", O_RDONLY | O_CLOEXEC);
    else if (script[i].fd == 2)
        fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    else if (script[i].fd == 3 && pipe2(pipes, O_CLOEXEC) == 0)
        fd = pipes[0];
    return copy_put(copy, &record, fd);
}

/* Says all of the script, then waits for the other side to give up or to close. */
static int say_all(struct copy *copy, struct err *err) {
    struct copy_record answer;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_script; i++)
        r = say(copy, i);
    r = copy_get(copy, &answer, NULL);
    if (r < 0)
        return r;
    err_set(err, answer.code, "%s", answer.text + 1);
    return answer.kind == COPY_ERROR ? answer.code : 0;
}

#define PLAY(expected, ...)                                                                        \
    do {                                                                                           \
        static const __typeof__(*script) lines_[] = {__VA_ARGS__};                                 \
        script = (const void *)lines_;                                                             \
        n_script = N_ELEMENTS(lines_);                                                             \
        play(expected);                                                                            \
    } while (0)

static void play(int expected) {
    _cleanup_close_ int to = open_in("to");
    struct copy copy = {.socket_fd = pair[0]};
    struct err err = {0};
    int before = lowest_free();
    pid_t pid = start_side(say_all, expected);

    cr_expect_eq(copy_receive(&copy, to, "top", &err), expected, "%s, not %s", err.message,
                 strerror(-expected));
    close(pair[0]);
    expect_good_end(pid);
    cr_expect_leq(lowest_free(), before, "descriptors leak");
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

Test(copy, hostile_names) {
    static const char *const names[] = {"..",          ".",         "",       "/",
                                        "/etc/passwd", "../escape", "a/../b", "in/deeper"};
    static const uint32_t kinds[] = {COPY_FILE, COPY_DIRECTORY, COPY_SYMLINK, COPY_FIFO};

    scratch_write(&scratch, "from/f", "f", 1);
    for (size_t i = 0; i < N_ELEMENTS(names); i++)
        for (size_t k = 0; k < N_ELEMENTS(kinds); k++) {
            const __typeof__(*script) lines[] = {
                {COPY_DIRECTORY, "", NULL, 0},
                {kinds[k], names[i], "target", kinds[k] == COPY_FILE},
            };

            script = (const void *)lines;
            n_script = 2;
            play(-EPROTO);
        }
    cr_expect_not(exists("escape"));
    cr_expect_eq(count("to"), 1);
    cr_expect_eq(count("to/top"), 0);
}

/* The topmost entry's name is the receiver's own. */
Test(copy, name_of_the_topmost_is_ours) {
    scratch_write(&scratch, "from/f", "f", 1);
    PLAY(0, {COPY_FILE, "../evil", NULL, 1}, {COPY_END, "", NULL, 0});
    cr_expect_not(exists("evil"));
    expect_content("to/top", "f");
}

Test(copy, hostile_order) {
    scratch_write(&scratch, "from/f", "f", 1);
    PLAY(-EPROTO, {COPY_UP, "", NULL, 0});
    PLAY(-EPROTO, {COPY_DIRECTORY, "", NULL, 0}, {COPY_UP, "", NULL, 0}, {COPY_UP, "", NULL, 0});
    PLAY(-EPROTO, {COPY_DIRECTORY, "", NULL, 0}, {COPY_END, "", NULL, 0});
    PLAY(-EPROTO, {COPY_ERROR + 1, "", NULL, 0});
    PLAY(-EPROTO, {UINT32_MAX, "", NULL, 0});
    /* After a symbolic link: not through it. */
    cr_assert_eq(fd_remove_tree(scratch.fd, "to"), 0);
    cr_assert_eq(mkdirat(scratch.fd, "to", 0755), 0);
    PLAY(-EEXIST, {COPY_DIRECTORY, "", NULL, 0}, {COPY_SYMLINK, "l", "../../from", 0},
         {COPY_DIRECTORY, "l", NULL, 0}, {COPY_FILE, "evil", NULL, 1});
    cr_expect_not(exists("from/evil"));
}

Test(copy, hostile_descriptors) {
    scratch_write(&scratch, "from/f", "f", 1);
    PLAY(-EPROTO, {COPY_FILE, "", NULL, 0});
    PLAY(-EPROTO, {COPY_FILE, "", NULL, 2});
    PLAY(-EPROTO, {COPY_FILE, "", NULL, 3});
    /* One that nobody asked for is closed. */
    PLAY(0, {COPY_DIRECTORY, "", NULL, 2}, {COPY_UP, "", NULL, 1}, {COPY_END, "", NULL, 3});
    cr_expect_eq(count("to"), 1);
}

static int go_deep(struct copy *copy, struct err *err) {
    struct copy_record record = {.kind = COPY_DIRECTORY, .mode = 0755, .text = "d"};
    int r = 0;

    for (int i = 0; r == 0 && i < 100000; i++)
        r = copy_put(copy, &record, -1);
    if (r != -EPIPE && r != -ECONNRESET)
        return r;
    r = copy_get(copy, &record, NULL);
    err_set(err, r, "after the depth");
    return r == 0 && record.kind == COPY_ERROR ? record.code : r;
}

Test(copy, depth_has_a_limit) {
    _cleanup_close_ int to = open_in("to");
    struct copy copy = {.socket_fd = pair[0]};
    struct err err = {0};
    int status;
    pid_t pid = start_side(go_deep, -ENAMETOOLONG);

    cr_expect_eq(copy_receive(&copy, to, "top", &err), -ENAMETOOLONG, "%s", err.message);
    close(pair[0]);
    /* It may have been told, or have found the socket closed while it went on. */
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status));
}

Test(copy, garbage) {
    static const struct {
        size_t size;
        int code;
    } sizes[] = {{1, -EPROTO},
                 {offsetof(struct copy_record, text), -EPROTO},
                 {offsetof(struct copy_record, text) + 1, -EPROTO},
                 {sizeof(struct copy_record) + 1, -EMSGSIZE}};
    _cleanup_close_ int to = open_in("to");
    char bytes[sizeof(struct copy_record) + 1];
    struct err err = {0};

    for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
        struct copy copy = {.socket_fd = pair[0]};
        int before = lowest_free();

        memset(bytes, 0, sizeof bytes);
        cr_assert_eq(fd_send(pair[1], bytes, sizes[i].size, &to, 1), 0);
        cr_expect_eq(copy_receive(&copy, to, "x", &err), sizes[i].code, "%zu", sizes[i].size);
        cr_expect_eq(lowest_free(), before);
    }
    /* A name without an end. */
    memset(bytes, 'x', sizeof bytes);
    memset(bytes, 0, offsetof(struct copy_record, text));
    cr_assert_eq(fd_send(pair[1], bytes, sizeof(struct copy_record) - 1, &to, 1), 0);
    cr_expect_eq(copy_receive(&(struct copy){.socket_fd = pair[0]}, to, "x", &err), -EPROTO);
    cr_expect_eq(count("to"), 0);
}

static int die_midway(struct copy *copy, struct err *err) {
    (void)err;
    if (copy_put(copy, &(struct copy_record){.kind = COPY_DIRECTORY, .mode = 0700}, -1) < 0)
        return -1;
    return copy_put(copy, &(struct copy_record){.kind = COPY_SYMLINK, .text = "l\0t"}, -1);
}

Test(copy, sender_that_dies) {
    _cleanup_close_ int to = open_in("to");
    struct copy copy = {.socket_fd = pair[0]};
    struct err err = {0};
    pid_t pid = start_side(die_midway, 0);

    cr_expect_eq(copy_receive(&copy, to, "top", &err), -EPIPE, "%s", err.message);
    cr_expect_not_null(strstr(err.message, "died"), "%s", err.message);
    expect_good_end(pid);
}

static int die_at_once(struct copy *copy, struct err *err) {
    struct copy_record record;

    (void)err;
    return copy_get(copy, &record, NULL);
}

Test(copy, receiver_that_dies) {
    _cleanup_close_ int from = open_in("from");
    struct copy copy = {.socket_fd = pair[0]};
    struct err err = {0};
    pid_t pid;

    make_tree();
    pid = start_side(die_at_once, 0);
    cr_expect_eq(copy_send(&copy, from, "t", &err), -EPIPE, "%s", err.message);
    expect_good_end(pid);
}

static int sends_an_error(struct copy *copy, struct err *err) {
    struct copy_record record;
    struct err reason;

    (void)err;
    err_set(&reason, -ENOSPC, "the disk is full of \n\x1b[31m");
    copy_fail(copy, &reason);
    return copy_get(copy, &record, NULL) < 0 ? -1 : (int)record.kind;
}

Test(copy, error_of_the_other_side_comes_through) {
    _cleanup_close_ int to = open_in("to");
    struct copy copy = {.socket_fd = pair[0]};
    struct err err = {0};
    pid_t pid = start_side(sends_an_error, COPY_ERROR);

    cr_expect_eq(copy_receive(&copy, to, "x", &err), -ENOSPC);
    cr_expect_str_eq(err.message, "the disk is full of ??[31m");
    expect_good_end(pid);
}

static int give_up(void *context, int fd, short events) {
    int *left = context;

    (void)fd;
    (void)events;
    return --*left < 0 ? -EINTR : 0;
}

static int send_and_be_left(struct copy *copy, struct err *err) {
    int r = copy_send(copy, from_fd, from_name, err);

    return r < 0 ? -1 : r;
}

/* Wherever it is broken off, a new file is whole or not there. */
Test(copy, broken_off_at_each_moment) {
    bool finished = false;

    scratch_write(&scratch, "from/f", "whole", 5);
    for (int moment = 0; !finished; moment++) {
        _cleanup_close_ int from = open_in("from"), to = open_in("to");
        int left = moment, r, status;
        struct copy copy = {.socket_fd = pair[0], .wait = give_up, .context = &left};
        struct err err = {0};
        pid_t pid;

        cr_assert_leq(moment, 100);
        from_fd = from;
        from_name = "f";
        pid = start_side(send_and_be_left, 0);
        r = copy_receive(&copy, to, "f", &err);
        finished = r == 0;
        cr_expect(r == 0 || r == -EINTR, "%d", r);
        if (exists("to/f"))
            expect_content("to/f", "whole");
        cr_expect_leq(count("to"), 1);
        close(pair[0]);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert_eq(unlinkat(scratch.fd, "to/f", 0) == 0 || errno == ENOENT, true);
        cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    }
}

static char noted[COPY_NAME_BYTES];
static int n_noted;

static int remember(void *context, int dir_fd, const char *name) {
    (void)context;
    n_noted++;
    snprintf(noted, sizeof noted, "%s", name);
    /* Put on record before it is there. */
    return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -EEXIST : 0;
}

Test(copy, temporary_names_are_put_on_record_first) {
    struct copy copy = {.note = remember};
    struct err err = {0};

    scratch_write(&scratch, "from/f", "new", 3);
    copy_over(&copy, "f", "f", 0, &err);
    scratch_write(&scratch, "to/f", "old", 3);
    n_noted = 0;
    copy_over(&copy, "f", "f", 0, &err);
    cr_expect_eq(n_noted, 1);
    cr_expect_eq(strncmp(noted, ".mayfly-", 8), 0, "%s", noted);
    expect_content("to/f", "new");
    cr_expect_eq(count("to"), 1);
}
