/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/copy/copy_path.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct scratch scratch;

static void setup(void) {
    scratch_init(&scratch);
    cr_assert_eq(mkdirat(scratch.fd, "dir", 0755), 0);
    cr_assert_eq(mkdirat(scratch.fd, "dir/sub", 0755), 0);
    scratch_write(&scratch, "file", "x", 1);
    cr_assert_eq(symlinkat("dir", scratch.fd, "link"), 0);
    cr_assert_eq(symlinkat("nowhere", scratch.fd, "dangling"), 0);
    cr_assert_eq(chdir(scratch.path), 0);
}

static void teardown(void) {
    cr_assert_eq(chdir("/"), 0);
    scratch_done(&scratch);
}

TestSuite(copy_path, .init = setup, .fini = teardown);

/* Whether @place is the entry @name of the directory @dir, and is closed after. */
static void expect_place(struct copy_place *place, const char *dir, const char *name,
                         const char *what) {
    struct stat expected, got;

    cr_assert_eq(fstatat(scratch.fd, dir, &expected, 0), 0, "%s", dir);
    cr_assert_eq(fstat(place->dir_fd, &got), 0, "%s", what);
    cr_expect_eq(got.st_ino, expected.st_ino, "%s: not in %s", what, dir);
    cr_expect_eq(fcntl(place->dir_fd, F_GETFD), FD_CLOEXEC);
    cr_expect_str_eq(place->name, name, "%s: %s", what, place->name);
    close(place->dir_fd);
    place->dir_fd = -1;
}

Test(copy_path, sources) {
    static const char *const cases[][3] = {
        {"file", ".", "file"},
        {"./file", ".", "file"},
        {"dir", ".", "dir"},
        {"dir/sub", "dir", "sub"},
        {"dir//sub", "dir", "sub"},
        /* The link itself, unless something asks for what is behind it. */
        {"link", ".", "link"},
        {"dangling", ".", "dangling"},
        {"link/", "dir", "."},
        {"link/.", "dir", "."},
        {"link/sub", "dir", "sub"},
        {"dir/", "dir", "."},
        {"dir/.", "dir", "."},
        {"dir/sub/..", "dir", "."},
        {".", ".", "."},
        {"/", "/", "."},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct copy_place place = {.dir_fd = -1};
        struct err err = {0};

        cr_assert_eq(copy_source(cases[i][0], &place, &err), 0, "%s: %s", cases[i][0], err.message);
        expect_place(&place, cases[i][1], cases[i][2], cases[i][0]);
    }
}

Test(copy_path, sources_that_are_not_there) {
    static const struct {
        const char *source;
        int code;
    } cases[] = {
        {"none", -ENOENT},    {"none/x", -ENOENT},  {"dir/none", -ENOENT},  {"file/", -ENOTDIR},
        {"file/x", -ENOTDIR}, {"file/.", -ENOTDIR}, {"dangling/", -ENOENT}, {"dangling/x", -ENOENT},
    };
    char name[NAME_MAX + 2];
    struct copy_place place = {.dir_fd = -1};
    struct err err = {0};

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        cr_expect_eq(copy_source(cases[i].source, &place, &err), cases[i].code, "%s: %s",
                     cases[i].source, err.message);
        cr_expect_not_null(strstr(err.message, cases[i].source), "%s", err.message);
    }
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    cr_expect_eq(copy_source(name, &place, &err), -ENAMETOOLONG);
    cr_expect_eq(place.dir_fd, -1);
}

Test(copy_path, targets_as_cp_has_them) {
    static const char *const cases[][4] = {
        /* target, source, directory, name */
        {NULL, "/a/b", ".", "b"},
        {NULL, "b/", ".", "b"},
        {NULL, "/a/b///", ".", "b"},
        {"new", "/a/b", ".", "new"},
        {"./new", "b", ".", "new"},
        {"file", "b", ".", "file"},
        {"dangling", "b", ".", "dangling"},
        {"dir", "/a/b", "dir", "b"},
        {"dir/", "/a/b", "dir", "b"},
        {"link", "b", "dir", "b"},
        {"dir/new", "b", "dir", "new"},
        {"dir/sub/../new", "b", "dir", "new"},
        {".", "b", ".", "b"},
        {"dir/..", "b", ".", "b"},
        {"dir", ".", "dir", "."},
        {"dir", "x/.", "dir", "."},
        {"dir", "/", "dir", "."},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct copy_place place = {.dir_fd = -1};
        const char *what = cases[i][0] ? cases[i][0] : "NULL";
        struct err err = {0};

        cr_assert_eq(copy_target(cases[i][0], cases[i][1], false, &place, &err), 0, "%s: %s", what,
                     err.message);
        expect_place(&place, cases[i][2], cases[i][3], what);
    }
}

Test(copy_path, missing_directories_are_made_when_asked) {
    struct copy_place place = {.dir_fd = -1};
    _cleanup_free_ char *absolute = str_printf("%s/abs/olute/x", scratch.path);
    struct err err = {0};

    cr_expect_eq(copy_target("n/e/w/", "b", false, &place, &err), -ENOENT);
    cr_expect_not_null(strstr(err.message, "n/e/w"), "%s", err.message);
    cr_expect_eq(faccessat(scratch.fd, "n", F_OK, 0), -1);
    cr_assert_eq(copy_target("n/e/w/", "b", true, &place, &err), 0, "%s", err.message);
    expect_place(&place, "n/e/w", "b", "n/e/w/");
    cr_assert_eq(copy_target("m/o/re", "b", true, &place, &err), 0, "%s", err.message);
    expect_place(&place, "m/o", "re", "m/o/re");
    cr_assert_eq(copy_target(absolute, "b", true, &place, &err), 0, "%s", err.message);
    expect_place(&place, "abs/olute", "x", absolute);
    cr_expect_eq(copy_target("file/x", "b", true, &place, &err), -ENOTDIR);
    cr_expect_eq(copy_target("file/", "b", true, &place, &err), -ENOTDIR);
    cr_expect_eq(place.dir_fd, -1);
}
