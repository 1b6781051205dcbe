/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/layer_merge.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

struct layers {
    struct scratch scratch;
    struct strv names;
};

static void layers_init(struct layers *layers) {
    static const char *const names[] = {"a", "b", "c"};

    *layers = (struct layers){0};
    scratch_init(&layers->scratch);
    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        cr_assert_eq(mkdirat(layers->scratch.fd, names[i], 0755), 0);
        cr_assert_eq(strv_push(&layers->names, names[i]), 0);
    }
}

static void layers_done(struct layers *layers) {
    strv_done(&layers->names);
    scratch_done(&layers->scratch);
}

static void put(const struct layers *layers, const char *path, const char *text) {
    scratch_write(&layers->scratch, path, text, strlen(text));
}

static void make_dir(const struct layers *layers, const char *path, mode_t mode) {
    cr_assert_eq(mkdirat(layers->scratch.fd, path, mode), 0, "%s", path);
    cr_assert_eq(fchmodat(layers->scratch.fd, path, mode, 0), 0);
}

static void hide(const struct layers *layers, const char *path) {
    cr_assert_eq(mknodat(layers->scratch.fd, path, S_IFCHR, makedev(0, 0)), 0, "%s", path);
}

static void make_opaque(const struct layers *layers, const char *path) {
    _cleanup_close_ int fd = openat(layers->scratch.fd, path, O_RDONLY | O_DIRECTORY);

    cr_assert_eq(fsetxattr(fd, "user.overlay.opaque", "y", 1, 0), 0);
}

static bool is_opaque(const struct layers *layers, const char *path) {
    _cleanup_close_ int fd = openat(layers->scratch.fd, path, O_RDONLY | O_DIRECTORY);
    char value;

    return fgetxattr(fd, "user.overlay.opaque", &value, 1) == 1 && value == 'y';
}

static void expect_text(const struct layers *layers, const char *path, const char *text) {
    _cleanup_free_ char *found = NULL;

    cr_assert_eq(fd_read_file(layers->scratch.fd, path, 100, &found, NULL), 0, "%s", path);
    cr_assert_str_eq(found, text);
}

static mode_t mode_of(const struct layers *layers, const char *path) {
    struct stat st;

    return fstatat(layers->scratch.fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : st.st_mode;
}

static void merge(struct layers *layers) {
    struct err err = {0};

    cr_assert_eq(layer_merge(layers->scratch.fd, &layers->names, layers->scratch.fd, "m", &err), 0,
                 "%s", err.message);
}

Test(layer_merge, the_uppermost_wins) {
    struct layers layers;
    struct stat a, m;

    layers_init(&layers);
    make_dir(&layers, "a/d", 0700);
    put(&layers, "a/d/low", "low");
    put(&layers, "a/d/both", "low");
    make_dir(&layers, "b/d", 0751);
    put(&layers, "b/d/both", "high");
    cr_assert_eq(symlinkat("nowhere", layers.scratch.fd, "c/link"), 0);
    cr_assert_eq(fchmodat(layers.scratch.fd, "c", 0750, 0), 0);
    merge(&layers);
    expect_text(&layers, "m/d/low", "low");
    expect_text(&layers, "m/d/both", "high");
    cr_assert_eq(mode_of(&layers, "m/d"), S_IFDIR | 0751);
    cr_assert_eq(mode_of(&layers, "m"), S_IFDIR | 0750);
    cr_assert(S_ISLNK(mode_of(&layers, "m/link")));
    /* Linked, not copied. */
    cr_assert_eq(fstatat(layers.scratch.fd, "a/d/low", &a, 0), 0);
    cr_assert_eq(fstatat(layers.scratch.fd, "m/d/low", &m, 0), 0);
    cr_assert_eq(a.st_ino, m.st_ino);
    layers_done(&layers);
}

Test(layer_merge, what_is_hidden_stays_hidden) {
    struct layers layers;

    layers_init(&layers);
    put(&layers, "a/file", "x");
    make_dir(&layers, "a/gone", 0755);
    put(&layers, "a/gone/f", "x");
    make_dir(&layers, "a/again", 0755);
    put(&layers, "a/again/old", "x");
    make_dir(&layers, "a/replaced", 0755);
    put(&layers, "a/replaced/old", "x");
    hide(&layers, "b/file");
    hide(&layers, "b/gone");
    hide(&layers, "b/again");
    hide(&layers, "b/never");
    make_dir(&layers, "b/replaced", 0755);
    make_opaque(&layers, "b/replaced");
    put(&layers, "b/replaced/new", "n");
    /* A directory where there was a whiteout: overlayfs makes it opaque, some do not. */
    make_dir(&layers, "c/again", 0755);
    put(&layers, "c/again/new", "n");
    make_dir(&layers, "c/replaced", 0755);
    put(&layers, "c/replaced/newer", "n");
    merge(&layers);
    /* For whatever lies below the merged layer. */
    cr_assert_eq(mode_of(&layers, "m/file") & S_IFMT, S_IFCHR);
    cr_assert_eq(mode_of(&layers, "m/gone") & S_IFMT, S_IFCHR);
    cr_assert_eq(mode_of(&layers, "m/never") & S_IFMT, S_IFCHR);
    cr_assert(is_opaque(&layers, "m/again"));
    cr_assert_eq(mode_of(&layers, "m/again/old"), 0);
    expect_text(&layers, "m/again/new", "n");
    cr_assert(is_opaque(&layers, "m/replaced"));
    cr_assert_eq(mode_of(&layers, "m/replaced/old"), 0);
    expect_text(&layers, "m/replaced/new", "n");
    expect_text(&layers, "m/replaced/newer", "n");
    layers_done(&layers);
}

Test(layer_merge, files_and_directories_change_places) {
    struct layers layers;

    layers_init(&layers);
    make_dir(&layers, "a/x", 0755);
    put(&layers, "a/x/f", "x");
    put(&layers, "a/y", "y");
    put(&layers, "b/x", "file");
    make_dir(&layers, "b/y", 0555);
    put(&layers, "c/z", "z");
    merge(&layers);
    expect_text(&layers, "m/x", "file");
    cr_assert_eq(mode_of(&layers, "m/y"), S_IFDIR | 0555);
    cr_assert(is_opaque(&layers, "m/y"));
    layers_done(&layers);
}
