/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: the description of a container that may live longer, behind a handle. */
#include "engine/base/str.h"
#include "library.h"

#include <errno.h>
#include <stdlib.h>

int mayfly_plan_new(const char *image, struct mayfly_plan **ret_plan, struct mayfly_error *error) {
    struct mayfly_plan *plan = malloc(sizeof *plan);
    struct err err = {0};
    int r;

    if (!plan)
        return library_return(err_nomem(&err), &err, error);
    life_init(&plan->life);
    plan->lasting = NULL;
    r = life_set(&plan->life, "image", image, &err);
    if (r < 0)
        mayfly_plan_free(plan);
    else
        *ret_plan = plan;
    return library_return(r, &err, error);
}

int mayfly_plan_option(struct mayfly_plan *plan, const char *name, const char *value,
                       struct mayfly_error *error) {
    struct err err = {0};
    /* An option without a value does not look at it; every other one says what is wrong with "". */
    int r = life_set(&plan->life, name, value ? value : "", &err);

    if (r == 0 && !plan->lasting && life_is_lasting(name)) {
        plan->lasting = strdup(name);
        if (!plan->lasting)
            r = err_nomem(&err);
    }
    return library_return(r, &err, error);
}

void mayfly_plan_free(struct mayfly_plan *plan) {
    if (plan) {
        life_done(&plan->life);
        free(plan->lasting);
    }
    free(plan);
}
