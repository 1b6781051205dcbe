/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly exec" and "attach": this process's streams joined to a program in a
 * container that runs.
 */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/inside/job.h"
#include "engine/live/ask.h"
#include "engine/live/attach.h"
#include "engine/live/kept_enter.h"
#include "engine/result.h"
#include "verb.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/wait.h>

#define DETACH_KEYS "ctrl-p,ctrl-q"

/* --- exec --------------------------------------------------------------------- */

struct exec_choice {
    struct job job;
    const char *detach_keys;
    bool input;
    bool terminal;
    bool detach;
    bool privileged;
};

enum exec_option {
    EXEC_OPTION_DETACH,
    EXEC_OPTION_DETACH_KEYS,
    EXEC_OPTION_ENV,
    EXEC_OPTION_INTERACTIVE,
    EXEC_OPTION_PRIVILEGED,
    EXEC_OPTION_TTY,
    EXEC_OPTION_USER,
    EXEC_OPTION_WORKDIR,
};

static int add_env(struct job *job, const char *value, struct err *err) {
    const char *found = strchr(value, '=') ? NULL : getenv(value);
    _cleanup_free_ char *pair = found ? str_printf("%s=%s", value, found) : strdup(value);

    if (*value == '=' || !*value)
        return err_set(err, -EINVAL, "-e '%s' is not NAME=VALUE", value);
    if (!strchr(value, '=') && !found)
        return 0;
    return !pair || strv_push(&job->env, pair) < 0 ? err_nomem(err) : 0;
}

static int set(char **place, const char *value, struct err *err) {
    free(*place);
    *place = strdup(value);
    return *place ? 0 : err_nomem(err);
}

static int apply_exec(struct verb_job *job, const struct options *options, struct err *err) {
    struct exec_choice *choice = job->choice;
    const char *value = options->value;

    switch ((enum exec_option)options->spec->id) {
    case EXEC_OPTION_DETACH:
        choice->detach = true;
        return 0;
    case EXEC_OPTION_DETACH_KEYS:
        choice->detach_keys = value;
        return 0;
    case EXEC_OPTION_ENV:
        return add_env(&choice->job, value, err);
    case EXEC_OPTION_INTERACTIVE:
        choice->input = true;
        return 0;
    case EXEC_OPTION_PRIVILEGED:
        choice->privileged = true;
        return 0;
    case EXEC_OPTION_TTY:
        choice->terminal = true;
        return 0;
    case EXEC_OPTION_USER:
        return set(&choice->job.user, value, err);
    case EXEC_OPTION_WORKDIR:
        return set(&choice->job.workdir, value, err);
    }
    return 0;
}

/* Asks for the program; from then on the connection is PID 1's. */
static int begin(const struct exec_choice *choice, struct attachment *a, struct err *err) {
    const bool wanted[3] = {choice->input, true, true};
    enum job_flags flags = (choice->terminal && !choice->detach ? JOB_TERMINAL : 0) |
                           (choice->detach ? JOB_DETACHED : 0);
    struct winsize window;
    int stdio[3] = {-1, -1, -1}, null = -1, r = 0;

    if (flags & JOB_TERMINAL)
        r = attach_terminal(a, choice->input, NULL, err);
    else if (!choice->detach)
        r = attach_streams(a, wanted, false, stdio, err);
    if (r == 0 && !flags && stdio[0] < 0)
        stdio[0] = null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    window = terminal_window(&a->terminal);
    if (r == 0)
        r = job_start(a->socket_fd, &choice->job, flags, stdio, &window, err);
    for (int i = 0; i < 3; i++)
        if (stdio[i] > 2)
            close(stdio[i]);
    return r;
}

static int run_exec(struct verb_job *job, struct err *err) {
    struct exec_choice *choice = job->choice;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    _cleanup_attachment_ struct attachment a;
    char keys[TERMINAL_MAX_KEYS + 1] = "";
    int r = attach_parse_keys(choice->detach_keys, keys, err);

    attach_init(&a, -1, false, keys);
    if (r < 0)
        return VERB_USAGE;
    for (size_t i = 1; i < job->n_words; i++)
        if (strv_push(&choice->job.argv, job->words[i]) < 0)
            return err_nomem(err);
    if (getenv("TERM") && set(&choice->job.term, getenv("TERM"), err) < 0)
        return -ENOMEM;
    if (choice->privileged)
        verb_protect(job);
    r = containers_find(&job->containers, job->words[0], &kept, err);
    if (r == 0)
        r = a.socket_fd =
            choice->privileged ? kept_enter(&job->containers, &kept, err) : ask_job(&kept, err);
    if (r >= 0 && selinux_is_here())
        attach_label(&a, kept_open_run(&job->containers, &kept));
    if (r >= 0)
        r = begin(choice, &a, err);
    if (r == 0)
        r = attach_wait(&a, err);
    if (r == 0)
        job->status = a.is_detached ? 0 : a.status;
    attach_done(&a);
    while (choice->privileged && !a.is_detached && wait(NULL) > 0)
        ;
    if (r > 0) {
        verb_complain(job, err);
        job->status = r;
        return 0;
    }
    return r;
}

int exec_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"detach", 'd', NULL, "Options", "leave it running, on /dev/null", EXEC_OPTION_DETACH},
        {"detach-keys", 0, "KEYS", "Options",
         "on a terminal, what to type to leave it running and go; ctrl-p,ctrl-q by default",
         EXEC_OPTION_DETACH_KEYS},
        {"env", 'e', "NAME[=VALUE]", "Options",
         "set a variable, or without =VALUE pass the host's through", EXEC_OPTION_ENV},
        {"interactive", 'i', NULL, "Options", "hand standard input on", EXEC_OPTION_INTERACTIVE},
        {"privileged", 0, NULL, "Options",
         "all capabilities over the container's user namespace, and no filter",
         EXEC_OPTION_PRIVILEGED},
        {"tty", 't', NULL, "Options", "give it a terminal", EXEC_OPTION_TTY},
        {"user", 'u', "USER[:GROUP]", "Options", "who runs it; the container's user",
         EXEC_OPTION_USER},
        {"workdir", 'w', "DIR", "Options", "its directory; the container's", EXEC_OPTION_WORKDIR},
    };
    static const struct verb verb = {
        .name = "exec",
        .words = "CONTAINER PROG [ARG]...",
        .about = "Runs a program in a container that runs.  The exit status is the program's; 126 "
                 "and 127 when it cannot be executed or is missing.  The program ends when this "
                 "command is killed, unless it is detached.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 2,
        .n_words_max = SIZE_MAX,
        .options_end = 1,
        .apply = apply_exec,
        .run = run_exec,
    };
    struct exec_choice choice = {.detach_keys = DETACH_KEYS};
    int status = verb_run(&verb, &choice, argc, argv);

    job_done(&choice.job);
    return status;
}

/* --- attach ------------------------------------------------------------------- */

struct attach_choice {
    const char *detach_keys;
    bool no_input;
};

enum attach_option {
    ATTACH_OPTION_DETACH_KEYS,
    ATTACH_OPTION_NO_STDIN,
};

static int apply_attach(struct verb_job *job, const struct options *options, struct err *err) {
    struct attach_choice *choice = job->choice;

    (void)err;
    if (options->spec->id == ATTACH_OPTION_NO_STDIN)
        choice->no_input = true;
    else
        choice->detach_keys = options->value;
    return 0;
}

/* Asks to be attached.  Return: 0 or -errno with a text. */
static int join(struct attachment *a, const struct life *life, bool input, struct err *err) {
    const bool wanted[3] = {input && life->keep_stdin, true, true};
    int stdio[3] = {-1, -1, -1}, fds[3], mask = 0, n = 0, fd = -1, r;

    if (life->terminal) {
        r = attach_terminal(a, wanted[0], &fd, err);
        fds[0] = fds[1] = fd;
        n = 2;
        mask = 3;
    } else {
        r = attach_streams(a, wanted, true, stdio, err);
        for (int i = 0; i < 3; i++)
            if (stdio[i] >= 0) {
                fds[n++] = stdio[i];
                mask |= 1 << i;
            }
    }
    if (r == 0)
        r = ask_send(a->socket_fd, ASK_ATTACH, mask, fds, (size_t)n, err);
    for (int i = 0; i < n; i++)
        if (i == 0 || fds[i] != fds[0])
            close(fds[i]);
    return r;
}

static int run_attach(struct verb_job *job, struct err *err) {
    const struct attach_choice *choice = job->choice;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    _cleanup_attachment_ struct attachment a;
    _cleanup_life_ struct life life;
    char keys[TERMINAL_MAX_KEYS + 1] = "";
    int r = attach_parse_keys(choice->detach_keys, keys, err), fd = -1;

    life_init(&life);
    attach_init(&a, -1, true, keys);
    if (r < 0)
        return VERB_USAGE;
    r = containers_find(&job->containers, job->words[0], &kept, err);
    if (r == 0)
        r = kept_life(&kept, &life, err);
    if (r == 0)
        r = fd = ask_connect(&kept, err);
    if (r < 0)
        return r;
    a.socket_fd = fd;
    r = join(&a, &life, !choice->no_input, err);
    if (r == 0)
        r = attach_wait(&a, err);
    if (r == 0)
        job->status = a.is_detached ? 0 : a.status;
    return r;
}

int attach_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"detach-keys", 0, "KEYS", "Options",
         "what to type to leave it running and go; ctrl-p,ctrl-q by default",
         ATTACH_OPTION_DETACH_KEYS},
        {"no-stdin", 0, NULL, "Options", "hand no standard input on", ATTACH_OPTION_NO_STDIN},
    };
    static const struct verb verb = {
        .name = "attach",
        .words = "CONTAINER",
        .about = "Joins this terminal, or these streams, to the main program of a container that "
                 "runs.  The exit status is the program's, 0 after the keys that detach.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = 1,
        .apply = apply_attach,
        .run = run_attach,
    };
    struct attach_choice choice = {.detach_keys = DETACH_KEYS};

    return verb_run(&verb, &choice, argc, argv);
}
