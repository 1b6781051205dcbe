/* SPDX-License-Identifier: Apache-2.0 */
/* A function in a container as if it were called here. */
#include "engine/base/str.h"
#include "library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Says how a function has ended other than well. */
static int explain(const struct mayfly_result *result, struct err *err) {
    switch (result->end) {
    case MAYFLY_EXITED:
        return result->status == 0 ? 0
                                   : err_set(err, -EIO, "the function returned %d", result->status);
    case MAYFLY_KILLED:
        return err_set(err, -EIO, "the function was killed by signal %d (%s)", result->signal,
                       strsignal(result->signal));
    case MAYFLY_TIMED_OUT:
        return err_set(err, -EIO, "the function took too long");
    case MAYFLY_REFUSED:
    case MAYFLY_LOST:
        break;
    }
    return err_set(err, -EIO, "the container ended under the function");
}

int mayfly_call(struct mayfly_container *container, mayfly_function *function, const void *argument,
                size_t n_argument, void *result, size_t n_result, size_t *ret_n_result,
                struct mayfly_result *ret_result, struct mayfly_error *error) {
    const struct mayfly_command command = {
        .function = function,
        .argument = argument,
        .n_argument = n_argument,
        .n_result = n_result,
    };
    struct mayfly_result own;
    struct err err = {0};
    int r = mayfly_exec(container, &command, &own, error);

    if (r == 0 && own.n_answer > 0)
        memcpy(result, own.answer, own.n_answer);
    if (ret_n_result)
        *ret_n_result = own.n_answer;
    if (r == 0 && !ret_result)
        r = library_return(explain(&own, &err), &err, error);
    if (ret_result)
        *ret_result = own;
    else
        mayfly_result_done(&own);
    return r;
}

int mayfly_call_once(const struct mayfly_plan *plan, mayfly_function *function,
                     const void *argument, size_t n_argument, void *result, size_t n_result,
                     size_t *ret_n_result, struct mayfly_result *ret_result,
                     struct mayfly_error *error) {
    struct mayfly_container *container = NULL;
    struct err err = {0};
    int r;

    if (ret_n_result)
        *ret_n_result = 0;
    if (ret_result)
        *ret_result = (struct mayfly_result){0};
    r = library_return(library_start(plan, false, &container, &err), &err, error);
    if (r == 0)
        r = mayfly_call(container, function, argument, n_argument, result, n_result, ret_n_result,
                        ret_result, error);
    mayfly_destroy(container);
    return r;
}
