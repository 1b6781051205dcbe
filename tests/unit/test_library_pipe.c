/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: containers in a row. */
#include "engine/base/str.h"
#include "ground.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MSEC UINT64_C(1000000)

/* Copies standard input to standard output, in capitals. */
static int capitals(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    char block[4096];
    ssize_t n;

    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    while ((n = read(0, block, sizeof block)) > 0) {
        for (ssize_t i = 0; i < n; i++)
            block[i] = (char)(block[i] >= 'a' && block[i] <= 'z' ? block[i] - 32 : block[i]);
        if (write(1, block, (size_t)n) != n)
            return 1;
    }
    return n < 0;
}

Test(library, data_goes_through_a_row_of_containers) {
    struct ground ground;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    size_t failed = 0;
    const struct mayfly_stream input = {.kind = MAYFLY_DATA, .data = "may\n", .n_bytes = 4};
    const struct mayfly_stream output = {.kind = MAYFLY_DATA};

    ground_init(&ground);
    {
        const struct mayfly_stage stages[] = {
            {ground.plan, {.shell = "cat; echo fly"}},
            {ground.plan, {.function = capitals}},
            {ground.plan, {.shell = "tr Y y"}},
        };

        cr_assert_eq(mayfly_pipe(stages, 3, &input, &output, 0, &failed, &result, &error), 0, "%s",
                     error.message);
        cr_expect_eq(failed, 3);
        cr_expect_eq(result.status, 0);
        cr_expect_str_eq(result.output, "MAy\nFLy\n");
        mayfly_result_done(&result);
    }
    ground_done(&ground);
}

Test(library, the_first_stage_that_fails_ends_all) {
    struct ground ground;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    size_t failed = 0;
    const struct mayfly_stream nothing = {.kind = MAYFLY_NOTHING};
    const struct mayfly_stream output = {.kind = MAYFLY_DATA};

    ground_init(&ground);
    {
        const struct mayfly_stage fails[] = {
            {ground.plan, {.shell = "while :; do :; done"}},
            {ground.plan, {.shell = "exit 7"}},
            {ground.plan, {.shell = "cat"}},
        };
        const struct mayfly_stage enough[] = {
            {ground.plan, {.shell = "exec yes"}},
            {ground.plan, {.shell = "head -n 1"}},
        };

        cr_assert_eq(mayfly_pipe(fails, 3, &nothing, &nothing, 0, &failed, &result, &error), 0);
        cr_expect_eq(failed, 1);
        cr_expect_eq(result.status, 7);
        mayfly_result_done(&result);
        cr_assert_eq(mayfly_pipe(enough, 2, &nothing, &output, 0, &failed, &result, &error), 0);
        cr_expect_eq(failed, 2);
        cr_expect_str_eq(result.output, "y\n");
        mayfly_result_done(&result);
        cr_assert_eq(
            mayfly_pipe(fails, 1, &nothing, &nothing, 200 * MSEC, &failed, &result, &error), 0);
        cr_expect_eq(result.end, MAYFLY_TIMED_OUT);
        mayfly_result_done(&result);
        cr_expect_eq(mayfly_pipe(fails, 0, &nothing, &nothing, 0, &failed, &result, &error),
                     -EINVAL);
    }
    ground_done(&ground);
}
