/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly container prune": containers that have ended, or never began, removed. */
#include "commands.h"
#include "container_prune.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/live/kept_labels.h"
#include "moment.h"
#include "verb.h"

#include <errno.h>

struct prune {
    struct container_prune which;
    bool force;
};

enum prune_option {
    PRUNE_OPTION_FILTER,
    PRUNE_OPTION_FORCE,
};

static int add_filter(struct prune *prune, const char *value, struct err *err) {
    const char *label = str_after(value, "label="), *until = str_after(value, "until=");
    const char *no_label = str_after(value, "label!=");
    _cleanup_free_ char *text = NULL;

    if (until)
        return moment_parse("filter until", until, clock_realtime(), &prune->which.until_nsec, err);
    if (!label && !no_label)
        return err_set(err, -EINVAL,
                       "--filter '%s' is not until=TIME, label=NAME[=VALUE] or "
                       "label!=NAME[=VALUE]",
                       value);
    text = str_printf("%s%s", label ? "" : "!", label ? label : no_label);
    return !text || strv_push(&prune->which.labels, text) < 0 ? err_nomem(err) : 0;
}

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct prune *prune = job->choice;

    if (options->spec->id == PRUNE_OPTION_FILTER)
        return add_filter(prune, options->value, err);
    prune->force = true;
    return 0;
}

static int prepare(struct verb_job *job, struct err *err) {
    const struct prune *prune = job->choice;

    (void)err;
    if (prune->force || verb_confirm(job, "Remove all containers that do not run?"))
        return 0;
    job->status = 1;
    return VERB_DONE;
}

static bool is_wanted(const struct verb_job *job, const struct container_prune *prune,
                      const struct kept *kept) {
    const struct kept_state *state = &kept->state;
    _cleanup_life_ struct life life;
    struct err ignored;

    life_init(&life);
    if (kept_is_live(kept) ||
        (state->finished_nsec ? state->finished_nsec : state->created_nsec) > prune->until_nsec)
        return false;
    if (prune->labels.n > 0 && kept_labels(&job->containers, kept, &life, &ignored) < 0)
        return false;
    for (size_t i = 0; i < prune->labels.n; i++) {
        const char *label = prune->labels.items[i];
        bool is_absent = *label == '!';

        if (life_has_label(&life, label + is_absent) == is_absent)
            return false;
    }
    return true;
}

int container_prune(struct verb_job *job, const struct container_prune *which, const char *before,
                    struct err *err) {
    struct kept *kept = NULL;
    size_t n = 0;
    int r = containers_list(&job->containers, &kept, &n, err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        struct err own = {0};

        if (!is_wanted(job, which, &kept[i]))
            continue;
        /* One that somebody starts or removes at this moment is left to them. */
        if (kept_lock(&kept[i], false, &own) < 0 || kept_is_live(&kept[i]))
            continue;
        if (containers_remove(&job->containers, &kept[i], &own) < 0)
            (void)verb_complain(job, &own);
        else
            verb_print(job, "%s%s", before, kept[i].id);
    }
    kept_list_done(kept, n);
    return r;
}

static int run(struct verb_job *job, struct err *err) {
    const struct prune *prune = job->choice;

    return container_prune(job, &prune->which, "", err);
}

int container_prune_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"filter", 0, "WHAT=VALUE", "Options",
         "only those that have not run since until=TIME (a moment, or a length of time ago: 24h), "
         "with or (label!=) without label=NAME[=VALUE]; may be given several times",
         PRUNE_OPTION_FILTER},
        {"force", 'f', NULL, "Options", "do not ask first", PRUNE_OPTION_FORCE},
    };
    static const struct verb verb = {
        .name = "container prune",
        .words = "",
        .about = "Removes containers that have ended or were never started, with the files and the "
                 "log that they left, and prints their ids.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .apply = apply,
        .prepare = prepare,
        .run = run,
    };
    struct prune prune = {.which.until_nsec = CLOCK_NEVER};
    int status = verb_run(&verb, &prune, argc, argv);

    strv_done(&prune.which.labels);
    return status;
}
