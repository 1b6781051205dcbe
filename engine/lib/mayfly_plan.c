/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: the engine's own behind a handle. */
#include "engine/plan/plan_option.h"
#include "library.h"

#include <errno.h>
#include <stdlib.h>

int mayfly_plan_new(const char *image, struct mayfly_plan **ret_plan, struct mayfly_error *error) {
    struct mayfly_plan *plan = malloc(sizeof *plan);
    struct err err = {0};
    int r;

    if (!plan)
        return library_return(err_nomem(&err), &err, error);
    plan_init(&plan->plan);
    r = plan_set_string(&plan->plan.image, image, &err);
    if (r < 0)
        mayfly_plan_free(plan);
    else
        *ret_plan = plan;
    return library_return(r, &err, error);
}

int mayfly_plan_option(struct mayfly_plan *plan, const char *name, const char *value,
                       struct mayfly_error *error) {
    struct err err = {0};

    return library_return(plan_option(&plan->plan, name, value, &err), &err, error);
}

void mayfly_plan_free(struct mayfly_plan *plan) {
    if (plan)
        plan_done(&plan->plan);
    free(plan);
}
