/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly stop", "kill", "wait", "rm" and "rename": commands that change how a container is. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/live/ask.h"
#include "engine/signal_name.h"
#include "verb.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>

/* What the options have said. */
struct control {
    int signal;
    int timeout_msec; /* -1: the container's own */
    bool force;
    bool all;
    bool ignore;
    const char *condition;
};

enum control_option {
    CONTROL_OPTION_SIGNAL,
    CONTROL_OPTION_TIME,
    CONTROL_OPTION_FORCE,
    CONTROL_OPTION_ALL,
    CONTROL_OPTION_IGNORE,
    CONTROL_OPTION_CONDITION,
    CONTROL_OPTION_IGNORED,
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct control *control = job->choice;

    switch ((enum control_option)options->spec->id) {
    case CONTROL_OPTION_SIGNAL:
        control->signal = signal_name_parse(options->value, err);
        return control->signal < 0 ? control->signal : 0;
    case CONTROL_OPTION_TIME:
        if (str_eq(options->value, "-1")) {
            control->timeout_msec = INT_MAX;
            return 0;
        }
        return verb_duration("time", options->value, &control->timeout_msec, err);
    case CONTROL_OPTION_FORCE:
        control->force = true;
        return 0;
    case CONTROL_OPTION_ALL:
        control->all = true;
        return 0;
    case CONTROL_OPTION_IGNORE:
        control->ignore = true;
        return 0;
    case CONTROL_OPTION_CONDITION:
        control->condition = options->value;
        return 0;
    case CONTROL_OPTION_IGNORED:
        return 0;
    }
    return 0;
}

/* Those that are named, or with --all all of which @wanted is true. */
static int for_each(struct verb_job *job, bool (*wanted)(const struct kept *kept),
                    int (*act)(struct verb_job *job, struct kept *kept, struct err *err),
                    struct err *err) {
    const struct control *control = job->choice;
    struct kept *kept = NULL;
    size_t n = 0;
    int r;

    if (!control->all && job->n_words == 0)
        return err_set(err, VERB_USAGE, "something is missing: mayfly %s %s", job->verb->name,
                       job->verb->words);
    if (!control->all)
        return verb_for_each(job, 0, act, true, err);
    if (job->n_words > 0)
        return err_set(err, VERB_USAGE, "--all and '%s' exclude each other", job->words[0]);
    r = containers_list(&job->containers, &kept, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct err own = {0};

        if (!wanted(&kept[i]))
            continue;
        if (act(job, &kept[i], &own) < 0)
            verb_complain(job, &own);
        else
            verb_print(job, "%.12s", kept[i].id);
    }
    kept_list_done(kept, n);
    return r;
}

static bool is_any(const struct kept *kept) {
    (void)kept;
    return true;
}

/* --- stop and kill ------------------------------------------------------------ */

static int stop_one(struct verb_job *job, struct kept *kept, struct err *err) {
    const struct control *control = job->choice;
    int r = kept_is_live(kept) ? ask_simple(kept, ASK_STOP, control->timeout_msec, NULL, err) : 0;

    /* It has ended by itself meanwhile. */
    return r == -ENOTCONN || r == -EPIPE ? 0 : r;
}

static int run_stop(struct verb_job *job, struct err *err) {
    return for_each(job, kept_is_live, stop_one, err);
}

int stop_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"time", 't', "SECONDS", "Options",
         "how long to wait before it is killed; what 'run --stop-timeout' said, or 10",
         CONTROL_OPTION_TIME},
        {"all", 'a', NULL, "Options", "all that run", CONTROL_OPTION_ALL},
    };
    static const struct verb verb = {
        .name = "stop",
        .words = "CONTAINER...",
        .about = "Asks containers to end, with the image's stop signal or TERM, and kills those "
                 "that do not.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run_stop,
    };
    struct control control = {.timeout_msec = -1};

    return verb_run(&verb, &control, argc, argv);
}

static int kill_one(struct verb_job *job, struct kept *kept, struct err *err) {
    const struct control *control = job->choice;

    if (!kept_is_live(kept))
        return err_set(err, -ENOTCONN, "container %s is not running", kept->name);
    return ask_simple(kept, ASK_SIGNAL, control->signal, NULL, err);
}

static int run_kill(struct verb_job *job, struct err *err) {
    return for_each(job, kept_is_live, kill_one, err);
}

int kill_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"signal", 's', "SIGNAL", "Options", "KILL (default), or any other by name or number",
         CONTROL_OPTION_SIGNAL},
        {"all", 'a', NULL, "Options", "all that run", CONTROL_OPTION_ALL},
    };
    static const struct verb verb = {
        .name = "kill",
        .words = "CONTAINER...",
        .about = "Sends a signal to the main programs of containers.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run_kill,
    };
    struct control control = {.signal = SIGKILL};

    return verb_run(&verb, &control, argc, argv);
}

/* --- pause and unpause -------------------------------------------------------- */

static int pause_one(struct verb_job *job, struct kept *kept, struct err *err) {
    (void)job;
    return ask_simple(kept, ASK_PAUSE, 0, NULL, err);
}

static int unpause_one(struct verb_job *job, struct kept *kept, struct err *err) {
    (void)job;
    return ask_simple(kept, ASK_UNPAUSE, 0, NULL, err);
}

static int run_pause(struct verb_job *job, struct err *err) {
    return verb_for_each(job, 0, pause_one, true, err);
}

static int run_unpause(struct verb_job *job, struct err *err) {
    return verb_for_each(job, 0, unpause_one, true, err);
}

int pause_command(int argc, char **argv) {
    static const struct verb verb = {
        .name = "pause",
        .words = "CONTAINER...",
        .about = "Stops all processes of containers until 'unpause'; they need a cgroup of their "
                 "own, as those with limits have.",
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .run = run_pause,
    };

    return verb_run(&verb, NULL, argc, argv);
}

int unpause_command(int argc, char **argv) {
    static const struct verb verb = {
        .name = "unpause",
        .words = "CONTAINER...",
        .about = "Lets containers that were paused go on.",
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .run = run_unpause,
    };

    return verb_run(&verb, NULL, argc, argv);
}

/* --- wait --------------------------------------------------------------------- */

static int wait_one(struct verb_job *job, struct kept *kept, struct err *err) {
    const struct control *control = job->choice;
    bool healthy = str_eq(control->condition, "healthy");
    int status = kept->state.exit_code, r = 0;

    if (kept_is_live(kept) || healthy)
        r = ask_simple(kept, healthy ? ASK_WAIT_HEALTHY : ASK_WAIT, 0, &status, err);
    if ((r == -EPIPE || r == -ENOTCONN) && !healthy) {
        /* Killed, or ended meanwhile: what there is to be said of it stands in its state now. */
        struct kept again = KEPT_INIT;

        r = containers_find(&job->containers, kept->id, &again, err);
        status = again.state.exit_code;
        kept_done(&again);
    }
    if (r == 0)
        verb_print(job, "%d", status);
    return r;
}

static int run_wait(struct verb_job *job, struct err *err) {
    const struct control *control = job->choice;

    if (!str_eq(control->condition, "exited") && !str_eq(control->condition, "stopped") &&
        !str_eq(control->condition, "healthy"))
        return err_set(err, VERB_USAGE, "--condition '%s' is neither 'exited' nor 'healthy'",
                       control->condition);
    return verb_for_each(job, 0, wait_one, false, err);
}

int wait_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"condition", 0, "WHAT", "Options", "exited (default) or healthy",
         CONTROL_OPTION_CONDITION},
    };
    static const struct verb verb = {
        .name = "wait",
        .words = "CONTAINER...",
        .about = "Waits for containers to end, and prints their exit statuses; or to be healthy.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run_wait,
    };
    struct control control = {.condition = "exited"};

    return verb_run(&verb, &control, argc, argv);
}

/* --- rm and rename ------------------------------------------------------------ */

static int remove_one(struct verb_job *job, struct kept *kept, struct err *err) {
    const struct control *control = job->choice;

    if (kept_is_live(kept) && !control->force)
        return err_set(err, -EBUSY,
                       "container %s is running: stop it first, or remove it with 'rm -f'",
                       kept->name);
    return containers_end(&job->containers, kept, err);
}

static int run_remove(struct verb_job *job, struct err *err) {
    const struct control *control = job->choice;
    size_t kept = 0;

    /* With -f, what is not there needs no removal. */
    for (size_t i = 0; (control->force || control->ignore) && i < job->n_words; i++) {
        _cleanup_kept_ struct kept found = KEPT_INIT;

        if (containers_find(&job->containers, job->words[i], &found, err) != -ENOENT)
            job->words[kept++] = job->words[i];
    }
    if ((control->force || control->ignore) && job->n_words > 0) {
        job->n_words = kept;
        if (kept == 0)
            return 0;
    }
    return for_each(job, is_any, remove_one, err);
}

int rm_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"force", 'f', NULL, "Options", "also those that run, and none that are not there",
         CONTROL_OPTION_FORCE},
        {"ignore", 'i', NULL, "Options", "those that are not there are no failure",
         CONTROL_OPTION_IGNORE},
        {"all", 'a', NULL, "Options", "all of them", CONTROL_OPTION_ALL},
        {"time", 't', "SECONDS", "Options", "for podman's sake: with -f they are killed at once",
         CONTROL_OPTION_IGNORED},
        {"volumes", 'v', NULL, "Options", "for docker's sake: volumes stay, they are directories",
         CONTROL_OPTION_IGNORED},
    };
    static const struct verb verb = {
        .name = "rm",
        .words = "CONTAINER...",
        .about = "Removes containers, with the files and the log that they left.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run_remove,
    };
    struct control control = {0};

    return verb_run(&verb, &control, argc, argv);
}

static int run_rename(struct verb_job *job, struct err *err) {
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    int r = containers_find(&job->containers, job->words[0], &kept, err);

    return r < 0 ? r : containers_rename(&job->containers, &kept, job->words[1], err);
}

int rename_command(int argc, char **argv) {
    static const struct verb verb = {
        .name = "rename",
        .words = "CONTAINER NAME",
        .about = "Gives a container another name.",
        .n_words_min = 2,
        .n_words_max = 2,
        .run = run_rename,
    };

    return verb_run(&verb, NULL, argc, argv);
}
