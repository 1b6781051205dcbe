/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between two sides that mean well. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "sides.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

TestSuite(copy, .init = sides_setup, .fini = sides_teardown);

Test(copy, file_with_its_mode_and_time) {
    const struct timespec times[2] = {{1, 1}, {1234567890, 123456789}};
    static const mode_t modes[] = {0, 0444, 0600, 0777, 04755, 02755, 01777, 07777};

    scratch_write(&sides_scratch, "from/f", "hello\n", 6);
    for (size_t i = 0; i < N_ELEMENTS(modes); i++) {
        struct copy copy = {.plain_modes = i % 2};
        struct err err = {0};
        struct stat st;

        /* A file that its owner may not read cannot be sent by an ordinary user. */
        if (modes[i] == 0 && geteuid() != 0)
            continue;
        cr_assert_eq(fchmodat(sides_scratch.fd, "from/f", modes[i], 0), 0);
        cr_assert_eq(utimensat(sides_scratch.fd, "from/f", times, 0), 0);
        sides_copy(&copy, "f", "f", 0, &err);
        st = sides_look("to/f");
        cr_expect_eq(st.st_mode, S_IFREG | (modes[i] & (i % 2 ? 01777 : 07777)), "%o: %o",
                     (unsigned)modes[i], (unsigned)st.st_mode);
        cr_expect_eq(st.st_mtim.tv_sec, 1234567890);
        cr_expect_eq(st.st_mtim.tv_nsec, 123456789);
        cr_assert_eq(fchmodat(sides_scratch.fd, "to/f", 0600, 0), 0);
        sides_expect_content("to/f", "hello\n");
    }
    cr_expect_eq(sides_count("to"), 1);
}

Test(copy, set_id_bits_are_left_out_when_asked) {
    struct copy copy = {.plain_modes = 1};
    struct err err = {0};

    scratch_write(&sides_scratch, "from/f", "x", 1);
    cr_assert_eq(fchmodat(sides_scratch.fd, "from/f", 06755, 0), 0);
    sides_copy(&copy, "f", "f", 0, &err);
    cr_expect_eq(sides_look("to/f").st_mode, S_IFREG | 0755);
    sides_copy_plainly("f", "g");
    cr_expect_eq(sides_look("to/g").st_mode, S_IFREG | 06755);
}

Test(copy, empty_and_sparse_files) {
    _cleanup_close_ int fd = -1, got = -1;
    struct stat st;
    char byte = 1;

    scratch_write(&sides_scratch, "from/empty", "", 0);
    sides_copy_plainly("empty", "empty");
    cr_expect_eq(sides_look("to/empty").st_size, 0);
    fd = openat(sides_scratch.fd, "from/sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, 64 << 20), 0);
    cr_assert_eq(pwrite(fd, "begin", 5, 1 << 20), 5);
    cr_assert_eq(pwrite(fd, "end", 3, 33 << 20), 3);
    sides_copy_plainly("sparse", "sparse");
    got = openat(sides_scratch.fd, "to/sparse", O_RDONLY | O_CLOEXEC);
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
            openat(sides_scratch.fd, "to/k", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        const struct copy copy = {.socket_fd = -1};
        size_t size = 0, got_size = 0;

        if (from < 0)
            continue;
        cr_assert_eq(fd_read_file(AT_FDCWD, paths[i], 65536, &expected, &size), 0);
        cr_assert_eq(copy_data(&copy, from, to), 0);
        cr_assert_eq(fd_read_file(sides_scratch.fd, "to/k", 65536, &got, &got_size), 0);
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
    scratch_write(&sides_scratch, "from/big", data, size);
    sides_copy_plainly("big", "big");
    cr_assert_eq(fd_read_file(sides_scratch.fd, "to/big", 2 * size, &got, &got_size), 0);
    cr_assert_eq(got_size, size);
    cr_expect_eq(memcmp(got, data, size), 0);
}

static void expect_link(const char *path, const char *expected) {
    char target[PATH_MAX] = "";

    cr_assert_gt(readlinkat(sides_scratch.fd, path, target, sizeof target - 1), 0, "%s", path);
    cr_expect_str_eq(target, expected);
}

static void expect_tree(void) {
    static const char *const dirs[] = {"to/t", "to/t/a", "to/t/a/b", "to/t/a/b/c", "to/t/empty"};

    sides_expect_content("to/t/a/b/c/deep", "deep");
    sides_expect_content("to/t/a name", "space");
    sides_expect_content("to/t/a\nline:colon\\", "odd");
    sides_expect_content("to/t/\xff\xfe", "bytes");
    sides_expect_content("to/t/-rf", "dash");
    expect_link("to/t/absolute", "/etc/passwd");
    expect_link("to/t/a/dangling", "../../nowhere");
    cr_expect_eq(sides_look("to/t/absolute").st_mtim.tv_sec, 1000000000);
    cr_expect_eq(sides_look("to/t/fifo").st_mode, S_IFIFO | 0640);
    cr_expect_eq(sides_look("to/t/a/b/c").st_mode, S_IFDIR | 0500);
    for (size_t i = 0; i < N_ELEMENTS(dirs); i++) {
        cr_expect_eq(sides_look(dirs[i]).st_mtim.tv_sec, 1000000000, "%s", dirs[i]);
        cr_expect_eq(sides_look(dirs[i]).st_mtim.tv_nsec, 1, "%s", dirs[i]);
    }
    cr_expect_eq(sides_count("to/t"), 8);
    cr_expect_eq(sides_count("to"), 1);
}

Test(copy, tree) {
    sides_make_tree();
    sides_copy_plainly("t", "t");
    expect_tree();
    cr_assert_eq(fchmodat(sides_scratch.fd, "to/t/a/b/c", 0700, 0), 0);
}

/* One process after the other would do it as well, were the socket to hold it all: it does not. */
Test(copy, many_small_files_with_few_descriptors) {
    struct rlimit old, few;
    char name[32];

    cr_assert_eq(mkdirat(sides_scratch.fd, "from/many", 0755), 0);
    for (int i = 0; i < 600; i++) {
        snprintf(name, sizeof name, "from/many/%d", i);
        scratch_write(&sides_scratch, name, name, strlen(name));
    }
    for (int i = 0; i < 2; i++)
        cr_assert_eq(
            setsockopt(sides_pair[i], SOL_SOCKET, SO_SNDBUF, &(int){16 * 1024}, sizeof(int)), 0);
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
    few = (struct rlimit){64, old.rlim_max};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    sides_copy_plainly("many", "many");
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
    cr_expect_eq(sides_count("to/many"), 600);
    sides_expect_content("to/many/599", "from/many/599");
}

Test(copy, directories_merge_and_keep_what_they_are) {
    sides_make_tree();
    cr_assert_eq(mkdirat(sides_scratch.fd, "to/t", 0751), 0);
    cr_assert_eq(mkdirat(sides_scratch.fd, "to/t/a", 0711), 0);
    scratch_write(&sides_scratch, "to/t/a/mine", "mine", 4);
    scratch_write(&sides_scratch, "to/t/-rf", "older", 5);
    sides_copy_plainly("t", "t");
    sides_expect_content("to/t/a/mine", "mine");
    sides_expect_content("to/t/-rf", "dash");
    sides_expect_content("to/t/a/b/c/deep", "deep");
    cr_expect_eq(sides_look("to/t").st_mode, S_IFDIR | 0751);
    cr_expect_eq(sides_look("to/t/a").st_mode, S_IFDIR | 0711);
    cr_expect_eq(sides_count("to/t"), 8);
    cr_assert_eq(fchmodat(sides_scratch.fd, "to/t/a/b/c", 0700, 0), 0);
}

Test(copy, into_the_directory_itself) {
    scratch_write(&sides_scratch, "from/x", "x", 1);
    sides_copy_plainly(".", ".");
    sides_expect_content("to/x", "x");
    cr_expect_eq(sides_count("to"), 1);
}

Test(copy, replaces_a_file_and_not_what_it_is_linked_to) {
    scratch_write(&sides_scratch, "from/f", "new", 3);
    scratch_write(&sides_scratch, "to/other", "other", 5);
    cr_assert_eq(linkat(sides_scratch.fd, "to/other", sides_scratch.fd, "to/f", 0), 0);
    sides_copy_plainly("f", "f");
    sides_expect_content("to/f", "new");
    sides_expect_content("to/other", "other");
    cr_assert_eq(symlinkat("other", sides_scratch.fd, "to/link"), 0);
    sides_copy_plainly("f", "link");
    cr_expect_eq(sides_look("to/link").st_mode & S_IFMT, S_IFREG);
    sides_expect_content("to/other", "other");
    cr_assert_eq(symlinkat("away", sides_scratch.fd, "from/l"), 0);
    sides_copy_plainly("l", "f");
    expect_link("to/f", "away");
    cr_expect_eq(sides_count("to"), 3);
}

Test(copy, a_directory_is_never_replaced_nor_a_file_entered) {
    struct copy copy = {0};
    struct err err = {0};

    scratch_write(&sides_scratch, "from/f", "f", 1);
    cr_assert_eq(symlinkat("f", sides_scratch.fd, "from/l"), 0);
    cr_assert_eq(mkdirat(sides_scratch.fd, "from/d", 0755), 0);
    scratch_write(&sides_scratch, "from/d/in", "in", 2);
    cr_assert_eq(mkdirat(sides_scratch.fd, "to/d", 0755), 0);
    scratch_write(&sides_scratch, "to/d/kept", "kept", 4);
    scratch_write(&sides_scratch, "to/f", "kept", 4);
    cr_assert_eq(symlinkat("d", sides_scratch.fd, "to/link"), 0);
    sides_copy(&copy, "f", "d", -EISDIR, &err);
    cr_expect_not_null(strstr(err.message, "d"));
    sides_copy(&copy, "l", "d", -EISDIR, &err);
    sides_copy(&copy, "d", "f", -EEXIST, &err);
    /* Not through a link either: it may lead anywhere. */
    sides_copy(&copy, "d", "link", -EEXIST, &err);
    sides_expect_content("to/f", "kept");
    sides_expect_content("to/d/kept", "kept");
    cr_expect_eq(sides_count("to/d"), 1);
    cr_expect_eq(sides_count("to"), 3);
}

Test(copy, missing_source) {
    struct copy copy = {0};
    struct err err = {0};

    sides_copy(&copy, "none", "x", -ENOENT, &err);
    cr_expect_not_null(strstr(err.message, "none"), "%s", err.message);
    cr_expect_eq(sides_count("to"), 0);
}

Test(copy, sockets_are_left_out_and_counted) {
    struct copy copy = {0};
    struct err err = {0};

    cr_assert_eq(mkdirat(sides_scratch.fd, "from/d", 0755), 0);
    cr_assert_eq(mknodat(sides_scratch.fd, "from/d/socket", S_IFSOCK | 0600, 0), 0);
    scratch_write(&sides_scratch, "from/d/f", "f", 1);
    sides_copy(&copy, "d", "d", 0, &err);
    cr_expect_eq(copy.n_skipped, 1);
    cr_expect_eq(sides_count("to/d"), 1);
}

Test(copy, owner) {
    struct copy copy = {.chown = 1, .uid = geteuid(), .gid = getegid()};
    struct err err = {0};

    if (geteuid() == 0)
        copy.uid = copy.gid = 12345;
    sides_make_tree();
    sides_copy(&copy, "t", "t", 0, &err);
    cr_expect_eq(sides_look("to/t").st_uid, copy.uid);
    cr_expect_eq(sides_look("to/t/a/b/c/deep").st_uid, copy.uid);
    cr_expect_eq(sides_look("to/t/a/b/c/deep").st_gid, copy.gid);
    cr_expect_eq(sides_look("to/t/absolute").st_uid, copy.uid);
    cr_expect_eq(sides_look("to/t/fifo").st_uid, copy.uid);
    cr_assert_eq(fchmodat(sides_scratch.fd, "to/t/a/b/c", 0700, 0), 0);
}
