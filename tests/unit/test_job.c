/* SPDX-License-Identifier: Apache-2.0 */
/* A job's words as bytes, there and back. */
#include "engine/base/cleanup.h"
#include "engine/inside/job.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(job, comes_back_as_it_was) {
    _cleanup_job_ struct job job = {0}, again = {0};
    _cleanup_buf_ struct buf bytes = BUF_INIT;

    strv_push(&job.argv, "printf");
    strv_push(&job.argv, "");
    strv_push(&job.argv, "a\nb");
    strv_push(&job.env, "A=b=c");
    job.workdir = strdup("/tmp");
    job.user = strdup("1:2");
    job_encode(&job, &bytes);
    cr_assert(!buf_failed(&bytes));
    cr_assert_eq(job_decode(bytes.data, bytes.size, &again), 0);
    cr_assert_eq(again.argv.n, 3);
    cr_assert_str_eq(again.argv.items[1], "");
    cr_assert_str_eq(again.argv.items[2], "a\nb");
    cr_assert_str_eq(again.env.items[0], "A=b=c");
    cr_assert_str_eq(again.workdir, "/tmp");
    cr_assert_str_eq(again.user, "1:2");
    cr_assert_null(again.term);
}

Test(job, what_is_none_is_refused) {
    static const struct {
        const char *bytes;
        size_t size;
    } none[] = {
        {"", 0},          {"ash", 3},     {"e\0", 2},       {"w/\0", 3},
        {"ash\0eA\0", 7}, {"ash\0\0", 5}, {"ash\0zz\0", 7},
    };

    for (size_t i = 0; i < N_ELEMENTS(none); i++) {
        _cleanup_job_ struct job job = {0};

        cr_assert_eq(job_decode(none[i].bytes, none[i].size, &job), -EINVAL, "case %zu", i);
    }
}
