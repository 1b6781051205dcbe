/* SPDX-License-Identifier: Apache-2.0 */
/* Labels of images, and plans that differ by them. */
#include "engine/base/cleanup.h"
#include "engine/matrix/matrix.h"
#include "engine/matrix/matrix_plan.h"

#include <criterion/criterion.h>
#include <string.h>

static char *labels_of(const char *const *images) {
    _cleanup_strv_ struct strv list = {0}, labels = {0};
    _cleanup_buf_ struct buf joined = BUF_INIT;

    for (; *images; images++)
        cr_assert_eq(strv_push(&list, *images), 0);
    cr_assert_eq(matrix_labels(&list, &labels), 0);
    cr_assert_eq(labels.n, list.n);
    for (size_t i = 0; i < labels.n; i++)
        buf_printf(&joined, "%s%s", i ? " " : "", labels.items[i]);
    return buf_take(&joined);
}

#define expect_labels(expected, ...)                                                               \
    do {                                                                                           \
        _cleanup_free_ char *labels = labels_of((const char *const[]){__VA_ARGS__, NULL});         \
                                                                                                   \
        cr_expect_str_eq(labels, expected);                                                        \
    } while (0)

/* --- labels --------------------------------------------------------------- */

Test(matrix_plan, labels_of_names_and_files) {
    expect_labels("debian-12", "debian:12");
    expect_labels("python-3.9 python-3.10", "python:3.9", "python:3.10");
    expect_labels("b-tag", "localhost:5000/a/b:tag");
    expect_labels("alpine-3.19", "/a/b/alpine-3.19.tar.gz");
    expect_labels("busybox", "busybox.tar");
    expect_labels("busybox", "tar:busybox.tar");
    expect_labels("dir-1.0", "oci:some/dir:1.0");
    expect_labels("rootfs", "./rootfs/");
    expect_labels("host", "host:");
    expect_labels("hidden", "./.hidden");
    expect_labels("image", "/");
    expect_labels("a-sha256-0123456789ab", "x/a@sha256:0123456789abcdef0123456789abcdef");
}

Test(matrix_plan, labels_are_different) {
    expect_labels("a-x b-x", "a/x.tar", "b/x.tar");
    expect_labels("x x-2", "x", "x");
    expect_labels("x x-2 x-3", "x", "x", "x");
    expect_labels("x-2 x-2-2 x", "x:2", "x-2", "x");
    expect_labels("x x-2 x-2-2", "x", "x", "x-2");
}

/* --- plans ---------------------------------------------------------------- */

Test(matrix_plan, label_in_names) {
    _cleanup_(plan_done) struct plan common;
    struct plan plan;

    plan_init(&common);
    str_set(&common.name, "c-{image}", NULL);
    plan_add_action(&common, ACTION_DOWNLOAD, NULL, "a{image}:out/{image}/b-{image}", NULL);
    plan_add_action(&common, ACTION_DOWNLOAD, NULL, "a:b", NULL);
    plan_add_action(&common, ACTION_UPLOAD, NULL, "a:{image}", NULL);
    cr_assert_eq(matrix_plan_init(&plan, &common, "img:1", "img-1", NULL), 0);
    cr_expect_str_eq(plan.image, "img:1");
    cr_expect_str_eq(plan.name, "c-img-1");
    cr_expect_str_eq(plan.actions[0].source, "a{image}");
    cr_expect_str_eq(plan.actions[0].target, "out/img-1/b-img-1");
    cr_expect(plan.actions[0].make_directories);
    cr_expect_str_eq(plan.actions[1].target, "b");
    cr_expect(!plan.actions[1].make_directories);
    cr_expect_str_eq(plan.actions[2].target, "{image}");
    cr_expect_str_eq(common.actions[0].target, "out/{image}/b-{image}");
    matrix_plan_done(&plan, &common);
}

Test(matrix_plan, runs_that_would_meet) {
    _cleanup_(plan_done) struct plan plan;
    struct err err;

    plan_init(&plan);
    str_set(&plan.name, "c", NULL);
    cr_expect_eq(matrix_plan_check(&plan, 1, true, &err), 0);
    cr_expect_eq(matrix_plan_check(&plan, 2, false, &err), 0, "one after the other");
    cr_expect_eq(matrix_plan_check(&plan, 2, true, &err), -EINVAL);
    str_set(&plan.name, "c-{image}", NULL);
    cr_expect_eq(matrix_plan_check(&plan, 2, true, &err), 0);
    plan_add_action(&plan, ACTION_DOWNLOAD, NULL, "a:{image}", NULL);
    cr_expect_eq(matrix_plan_check(&plan, 2, true, &err), 0);
    plan_add_action(&plan, ACTION_COMMIT, NULL, "a-{image}:1", NULL);
    cr_expect_eq(matrix_plan_check(&plan, 2, true, &err), 0);
    plan_add_action(&plan, ACTION_DOWNLOAD, NULL, "a", NULL);
    cr_expect_eq(matrix_plan_check(&plan, 1, false, &err), 0);
    cr_expect_eq(matrix_plan_check(&plan, 2, false, &err), -EINVAL);
    cr_expect(strstr(err.message, "{image}"));
}

/* --- the whole ------------------------------------------------------------ */

Test(matrix, exit_status_of_the_first_failure) {
    struct matrix_run runs[3] = {0};
    struct matrix matrix = {.runs = runs, .n_runs = 3};

    cr_expect_eq(matrix_exit_status(&matrix), 0);
    runs[2].result.exit_status = 5;
    cr_expect_eq(matrix_exit_status(&matrix), 5);
    runs[1].result.exit_status = 4;
    cr_expect_eq(matrix_exit_status(&matrix), 4);
    matrix.interrupted = 2;
    cr_expect_eq(matrix_exit_status(&matrix), 130);
}
