/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char directory[64];
static int root = -1;

static void setup(void) {
    strcpy(directory, "/tmp/mayfly-test-fd-XXXXXX");
    cr_assert_not_null(mkdtemp(directory));
    root = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(root, 0);
}

static void teardown(void) {
    close(root);
    root = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(fd_remove_tree(root, directory + strlen("/tmp/")), 0);
    close(root);
    cr_assert_neq(access(directory, F_OK), 0);
}

TestSuite(fd, .init = setup, .fini = teardown);

static void write_file(const char *name, const void *data, size_t size) {
    _cleanup_close_ int fd = openat(root, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    cr_assert_geq(fd, 0);
    cr_assert_eq(fd_write_all(fd, data, size), 0);
}

static void expect_file(int fd, const char *expected) {
    _cleanup_free_ char *data = NULL;

    cr_assert_geq(fd, 0, "%s", strerror(-fd));
    cr_assert_eq(fd_read_all(fd, 4096, &data, NULL), 0);
    cr_expect_str_eq(data, expected);
    close(fd);
}

Test(fd, read_all_up_to_its_limit) {
    _cleanup_free_ char *bytes = calloc(1, 100000), *data = NULL;
    size_t size = 0;

    memset(bytes, 'x', 100000);
    write_file("big", bytes, 100000);
    cr_assert_eq(fd_read_file(root, "big", 100000, &data, &size), 0);
    cr_assert_eq(size, 100000);
    cr_assert_eq(data[100000], '\0');
    cr_assert_eq(fd_read_file(root, "big", 99999, &data, &size), -EFBIG);
    cr_assert_eq(fd_read_file(root, "none", 10, &data, &size), -ENOENT);
}

Test(fd, read_file_takes_regular_files_alone) {
    char *data = NULL;

    cr_assert_eq(mkfifoat(root, "fifo", 0600), 0);
    cr_assert_eq(mkdirat(root, "dir", 0700), 0);
    cr_assert_eq(fd_read_file(root, "fifo", 10, &data, NULL), -EINVAL);
    cr_assert_eq(fd_read_file(root, "dir", 10, &data, NULL), -EINVAL);
}

Test(fd, write_all_over_a_full_pipe) {
    int ends[2], status;
    pid_t child;
    char *bytes = calloc(1, 1 << 20);
    size_t total = 0;

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    if (child == 0) {
        close(ends[0]);
        _exit(fd_write_all(ends[1], bytes, 1 << 20) == 0 ? 0 : 1);
    }
    close(ends[1]);
    for (ssize_t n; (n = read(ends[0], bytes, 4096)) > 0;)
        total += (size_t)n;
    cr_assert_eq(total, 1 << 20);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
    close(ends[0]);
    free(bytes);
}

Test(fd, set_cloexec_both_ways) {
    cr_assert_eq(fd_set_cloexec(root, false), 0);
    cr_assert_eq(fcntl(root, F_GETFD), 0);
    cr_assert_eq(fd_set_cloexec(root, true), 0);
    cr_assert_eq(fcntl(root, F_GETFD), FD_CLOEXEC);
    cr_assert_eq(fd_set_cloexec(-1, true), -EBADF);
}

Test(fd, in_root_links_and_dots_stay_inside) {
    write_file("passwd", "inside", 6);
    cr_assert_eq(mkdirat(root, "etc", 0700), 0);
    cr_assert_eq(symlinkat("/passwd", root, "absolute"), 0);
    cr_assert_eq(symlinkat("../../../../passwd", root, "etc/relative"), 0);
    cr_assert_eq(symlinkat("/proc/self/root/passwd", root, "magic"), 0);
    expect_file(fd_open_in_root(root, "absolute", O_RDONLY, 0), "inside");
    expect_file(fd_open_in_root(root, "/etc/relative", O_RDONLY, 0), "inside");
    expect_file(fd_open_in_root(root, "../../passwd", O_RDONLY, 0), "inside");
    cr_assert_eq(fd_open_in_root(root, "magic", O_RDONLY, 0), -ENOENT);
}

Test(fd, in_root_sets_cloexec) {
    _cleanup_close_ int fd = fd_open_in_root(root, "new", O_WRONLY | O_CREAT, 0640);
    struct stat st;

    cr_assert_geq(fd, 0);
    cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    cr_assert_eq(fstatat(root, "new", &st, 0), 0);
    cr_assert_eq(st.st_mode & 0137, 0);
}

Test(fd, beneath_refuses_links_and_dots) {
    write_file("file", "x", 1);
    cr_assert_eq(symlinkat("file", root, "link"), 0);
    expect_file(fd_open_beneath(root, "file", O_RDONLY, 0), "x");
    cr_assert_eq(fd_open_beneath(root, "link", O_RDONLY, 0), -ELOOP);
    cr_assert_eq(fd_open_beneath(root, "../file", O_RDONLY, 0), -EXDEV);
    cr_assert_eq(fd_open_beneath(root, "/file", O_RDONLY, 0), -EXDEV);
}

Test(fd, mkdir_in_root_makes_what_is_missing) {
    _cleanup_close_ int a = fd_mkdir_in_root(root, "/a//b/./c", 0750, (uid_t)-1, (gid_t)-1);
    _cleanup_close_ int b = fd_mkdir_in_root(root, "a/b/c", 0700, (uid_t)-1, (gid_t)-1);
    struct stat one, two;

    cr_assert_geq(a, 0, "%s", strerror(-a));
    cr_assert_geq(b, 0);
    cr_assert_eq(fstat(a, &one), 0);
    cr_assert_eq(fstat(b, &two), 0);
    cr_assert_eq(one.st_ino, two.st_ino);
    cr_assert_eq(one.st_mode & 0027, 0);
}

Test(fd, mkdir_in_root_follows_links_inside_the_root) {
    _cleanup_close_ int fd = -1;
    struct stat st;

    cr_assert_eq(mkdirat(root, "real", 0700), 0);
    cr_assert_eq(symlinkat("/real", root, "link"), 0);
    fd = fd_mkdir_in_root(root, "/link/x/y", 0700, (uid_t)-1, (gid_t)-1);
    cr_assert_geq(fd, 0, "%s", strerror(-fd));
    cr_assert_eq(fstatat(root, "real/x/y", &st, 0), 0);
}

Test(fd, mkdir_in_root_stays_inside) {
    _cleanup_close_ int fd = -1;
    struct stat st;

    cr_assert_eq(symlinkat("../../..", root, "up"), 0);
    fd = fd_mkdir_in_root(root, "/up/x/../../y", 0700, (uid_t)-1, (gid_t)-1);
    cr_assert_geq(fd, 0, "%s", strerror(-fd));
    cr_assert_eq(fstatat(root, "y", &st, 0), 0);
}

Test(fd, mkdir_in_root_reports_what_is_in_the_way) {
    char name[300];

    write_file("file", "x", 1);
    cr_assert_eq(symlinkat("nowhere/else", root, "dangling"), 0);
    cr_assert_eq(fd_mkdir_in_root(root, "file", 0700, (uid_t)-1, (gid_t)-1), -ENOTDIR);
    cr_assert_eq(fd_mkdir_in_root(root, "file/x", 0700, (uid_t)-1, (gid_t)-1), -ENOTDIR);
    cr_assert_lt(fd_mkdir_in_root(root, "dangling/x", 0700, (uid_t)-1, (gid_t)-1), 0);
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_assert_eq(fd_mkdir_in_root(root, name, 0700, (uid_t)-1, (gid_t)-1), -ENAMETOOLONG);
}

Test(fd, send_and_receive_descriptors) {
    int pair[2], fds[2] = {-1, -1}, lent[2] = {root, root};
    char text[16] = "";
    size_t n_fds = 0;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    cr_assert_eq(fd_send(pair[0], "hello", 5, lent, 2), 0);
    cr_assert_eq(fd_receive(pair[1], text, sizeof text, fds, 2, &n_fds, 0), 5);
    cr_assert_str_eq(text, "hello");
    cr_assert_eq(n_fds, 2);
    cr_assert_eq(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
    close(fds[0]);
    close(fds[1]);
    /* One more than there is room for is closed, not kept open unseen. */
    cr_assert_eq(fd_send(pair[0], "x", 1, lent, 2), 0);
    cr_assert_eq(fd_receive(pair[1], text, sizeof text, fds, 1, &n_fds, 0), 1);
    cr_assert_eq(n_fds, 1);
    cr_assert_neq(fcntl(fds[0] + 1, F_GETFD), FD_CLOEXEC);
    close(fds[0]);
    cr_assert_eq(fd_send(pair[0], "too long", 8, NULL, 0), 0);
    cr_assert_eq(fd_receive(pair[1], text, 3, NULL, 0, NULL, 0), -EMSGSIZE);
    close(pair[1]);
    cr_assert_eq(fd_send(pair[0], "x", 1, NULL, 0), -EPIPE, "no SIGPIPE");
    close(pair[0]);
}

Test(fd, receive_at_the_end_is_nothing) {
    int pair[2];
    char byte;

    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[0]);
    cr_assert_eq(fd_receive(pair[1], &byte, 1, NULL, 0, NULL, 0), 0);
    close(pair[1]);
}

Test(fd, remove_tree_of_every_kind) {
    struct stat st;

    cr_assert_eq(mkdirat(root, "tree", 0700), 0);
    cr_assert_eq(mkdirat(root, "tree/deep", 0700), 0);
    cr_assert_eq(mkdirat(root, "outside", 0700), 0);
    write_file("outside/kept", "x", 1);
    write_file("tree/deep/file", "x", 1);
    cr_assert_eq(symlinkat("../../outside", root, "tree/deep/link"), 0);
    cr_assert_eq(mkfifoat(root, "tree/fifo", 0600), 0);
    cr_assert_eq(fchmodat(root, "tree/deep", 0, 0), 0);
    cr_assert_eq(fd_remove_tree(root, "tree"), 0);
    cr_assert_neq(fstatat(root, "tree", &st, AT_SYMLINK_NOFOLLOW), 0);
    cr_assert_eq(fstatat(root, "outside/kept", &st, 0), 0, "links are not followed");
}

Test(fd, remove_tree_of_a_link_removes_the_link) {
    struct stat st;

    cr_assert_eq(mkdirat(root, "dir", 0700), 0);
    cr_assert_eq(symlinkat("dir", root, "link"), 0);
    cr_assert_eq(fd_remove_tree(root, "link"), 0);
    cr_assert_neq(fstatat(root, "link", &st, AT_SYMLINK_NOFOLLOW), 0);
    cr_assert_eq(fstatat(root, "dir", &st, 0), 0);
}

Test(fd, remove_tree_of_nothing_is_fine) {
    cr_assert_eq(fd_remove_tree(root, "none"), 0);
}

/* Makes "tree" with a branch of @depth directories, files in some, and the lowest closed. */
static void make_deep(int depth) {
    int dir = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;

    for (int i = 0; i < depth; i++) {
        const char *name = i ? "d" : "tree";

        cr_assert_eq(mkdirat(dir, name, 0700), 0);
        next = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        cr_assert_geq(next, 0);
        close(dir);
        dir = next;
        if (i % 50 == 7) {
            cr_assert_eq(symlinkat("/", dir, "link"), 0);
            cr_assert_eq(mkdirat(dir, ".mayfly-removed-0", 0700), 0);
            cr_assert_eq(mkdirat(dir, ".mayfly-removed-0/x", 0), 0);
        }
    }
    close(dir);
}

Test(fd, remove_tree_deeper_than_descriptors) {
    struct rlimit old, few;

    make_deep(700);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = (struct rlimit){128, old.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    cr_expect_eq(fd_remove_tree(root, "tree"), 0);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    cr_expect_eq(faccessat(root, "tree", F_OK, 0), -1);
}

/* At each depth around the one where it begins to move directories. */
Test(fd, remove_tree_of_any_depth) {
    for (int depth = 1; depth < 200; depth += depth < 60 || depth > 70 ? 13 : 1) {
        make_deep(depth);
        cr_assert_eq(fd_remove_tree(root, "tree"), 0, "%d", depth);
        cr_assert_eq(faccessat(root, "tree", F_OK, 0), -1);
    }
}
