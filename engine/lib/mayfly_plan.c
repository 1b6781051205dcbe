/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: the description of a container that may live longer, or of a run, behind a handle. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/plan/plan_option.h"
#include "library.h"

#include <errno.h>
#include <stdlib.h>

int mayfly_plan_new(const char *image, struct mayfly_plan **ret_plan, struct mayfly_error *error) {
    struct mayfly_plan *plan = calloc(1, sizeof *plan);
    struct err err = {0};
    int r;

    if (!plan)
        return library_return(err_nomem(&err), &err, error);
    life_init(&plan->life);
    r = life_set(&plan->life, "image", image, &err);
    if (r < 0)
        mayfly_plan_free(plan);
    else
        *ret_plan = plan;
    return library_return(r, &err, error);
}

/* Keeps the first of those names. */
static int note(char **place, const char *name, struct err *err) {
    return *place ? 0 : str_set(place, name, err);
}

/* Options of a run.  Return: 1 when it is none. */
static int set_run_option(struct mayfly_plan *plan, const char *name, const char *value,
                          struct err *err) {
    int r = 0;

    if (str_eq(name, "no-remember"))
        plan->is_transient = true;
    else if (str_eq(name, "forget"))
        plan->is_forgotten = true;
    else
        r = plan_run_option(&plan->life.plan, name, value, err);
    if (r == 0)
        r = note(&plan->performed, name, err);
    return r == -ENOENT ? 1 : r;
}

int mayfly_plan_option(struct mayfly_plan *plan, const char *name, const char *value,
                       struct mayfly_error *error) {
    struct err err = {0};
    /* An option without a value does not look at it; every other one says what is wrong with "". */
    int r = set_run_option(plan, name, value ? value : "", &err);

    if (r > 0) {
        r = life_set(&plan->life, name, value ? value : "", &err);
        if (r == 0 && life_is_lasting(name))
            r = note(&plan->lasting, name, &err);
    }
    return library_return(r, &err, error);
}

int mayfly_plan_action(struct mayfly_plan *plan, const char *name, const char *const *words,
                       struct mayfly_error *error) {
    static const struct {
        const char *name;
        enum action_kind kind;
    } kinds[] = {
        {"workdir", ACTION_WORKDIR},   {"shellcmd", ACTION_SHELL}, {"exec", ACTION_EXEC},
        {"download", ACTION_DOWNLOAD}, {"upload", ACTION_UPLOAD},  {"commit", ACTION_COMMIT},
    };
    struct plan *own = &plan->life.plan;
    struct err err = {0};
    int r = err_set(&err, -ENOENT, "there is no action '%s'", name);

    for (size_t i = 0; i < N_ELEMENTS(kinds) && r == -ENOENT; i++)
        if (str_eq(kinds[i].name, name))
            r = !words || !words[0] || (words[1] && kinds[i].kind != ACTION_EXEC)
                    ? err_set(&err, -EINVAL, "the action %s takes %s", name,
                              kinds[i].kind == ACTION_EXEC ? "a program" : "one word")
                    : plan_add_action(own, kinds[i].kind, words, words[0], &err);
    if (r == 0)
        r = note(&plan->performed, name, &err);
    if (r == 0 && action_is_remembered(&own->actions[own->n_actions - 1])) {
        own->actions[own->n_actions - 1].transient = plan->is_transient;
        own->actions[own->n_actions - 1].forget = plan->is_forgotten;
        plan->is_transient = plan->is_forgotten = false;
    }
    return library_return(r, &err, error);
}

int library_check_kind(const struct mayfly_plan *plan, enum library_kind kind, struct err *err) {
    if (plan->performed && kind != LIBRARY_WHOLE_RUN)
        return err_set(err, -EINVAL, "%s is for whole runs: mayfly_perform()", plan->performed);
    if (plan->lasting && kind != LIBRARY_LASTING)
        return err_set(err, -EINVAL, "option %s is for containers that live longer: mayfly_run()",
                       plan->lasting);
    return 0;
}

void mayfly_plan_free(struct mayfly_plan *plan) {
    if (plan) {
        life_done(&plan->life);
        free(plan->lasting);
        free(plan->performed);
    }
    free(plan);
}
