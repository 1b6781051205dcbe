/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"
#include "rootfs/layer_path.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(layer_path, normalizes) {
    static const struct {
        const char *name;
        const char *path;
        int n_parts;
    } good[] = {
        {"a", "a", 1},
        {"./a", "a", 1},
        {"/a/b", "a/b", 2},
        {"a//b/", "a/b", 2},
        {"././a/./b", "a/b", 2},
        {".", "", 0},
        {"./", "", 0},
        {"/", "", 0},
        {"", "", 0},
        {"...", "...", 1},
        {"..a/b..", "..a/b..", 2},
        {"a/.wh.b", "a/.wh.b", 2},
        {"//etc//passwd", "etc/passwd", 2},
        {".wh.b/", ".wh.b", 1},
    };
    char path[PATH_MAX];

    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        cr_assert_eq(layer_path_normalize(good[i].name, path, NULL), good[i].n_parts, "%s",
                     good[i].name);
        cr_assert_str_eq(path, good[i].path);
    }
}

Test(layer_path, refuses_to_go_up) {
    static const char *const bad[] = {"..",  "../a",   "a/..",        "a/../b",
                                      "/..", "./../x", "a/b/../../.."};
    char path[PATH_MAX];
    struct err err;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(layer_path_normalize(bad[i], path, &err), -EINVAL, "%s", bad[i]);
        cr_assert_not_null(strstr(err.message, "'..'"));
    }
}

Test(layer_path, refuses_entries_below_a_whiteout) {
    char path[PATH_MAX];

    cr_assert_eq(layer_path_normalize(".wh.a/b", path, NULL), -EINVAL);
    cr_assert_eq(layer_path_normalize("x/.wh..wh..opq/b", path, NULL), -EINVAL);
}

Test(layer_path, limits) {
    char path[PATH_MAX], part[NAME_MAX + 2];
    struct buf name = BUF_INIT;

    memset(part, 'x', sizeof part);
    part[NAME_MAX + 1] = '\0';
    cr_assert_eq(layer_path_normalize(part, path, NULL), -ENAMETOOLONG);
    part[NAME_MAX] = '\0';
    cr_assert_eq(layer_path_normalize(part, path, NULL), 1);
    for (int i = 0; i < LAYER_PATH_DEPTH_MAX; i++)
        buf_puts(&name, "d/");
    cr_assert_eq(layer_path_normalize(name.data, path, NULL), LAYER_PATH_DEPTH_MAX);
    buf_puts(&name, "d");
    cr_assert_eq(layer_path_normalize(name.data, path, NULL), -ENAMETOOLONG);
    buf_done(&name);
    for (int i = 0; i < 17; i++)
        buf_printf(&name, "%s/", part);
    cr_assert_eq(layer_path_normalize(name.data, path, NULL), -ENAMETOOLONG);
    buf_done(&name);
}

Test(layer_path, whiteouts) {
    const char *target = NULL;

    cr_assert_eq(layer_path_classify("a", &target), LAYER_NAME_PLAIN);
    cr_assert_eq(layer_path_classify(".wha", &target), LAYER_NAME_PLAIN);
    cr_assert_eq(layer_path_classify(".wh.a", &target), LAYER_NAME_WHITEOUT);
    cr_assert_str_eq(target, "a");
    cr_assert_eq(layer_path_classify(".wh..hidden", &target), LAYER_NAME_WHITEOUT);
    cr_assert_str_eq(target, ".hidden");
    cr_assert_eq(layer_path_classify(".wh..wh..opq", &target), LAYER_NAME_OPAQUE);
    cr_assert_eq(layer_path_classify(".wh..wh.plnk", &target), LAYER_NAME_RESERVED);
    cr_assert_eq(layer_path_classify(".wh.", &target), -EINVAL);
    cr_assert_eq(layer_path_classify(".wh..", &target), -EINVAL);
    cr_assert_eq(layer_path_classify(".wh...", &target), -EINVAL);
    cr_assert_str_eq(layer_path_base("a/b/c"), "c");
    cr_assert_str_eq(layer_path_base("c"), "c");
}
