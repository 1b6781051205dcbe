/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_H
#define MAYFLY_MATRIX_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "engine/plan/plan.h"
#include "engine/result.h"
#include "matrix_input.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum matrix_state {
    MATRIX_WAITING, /* also at the end, when an earlier failure left it out */
    MATRIX_RUNNING,
    MATRIX_ENDED,
};

/**
 * struct matrix_run - the run of one image
 * @plan: shares all with the common one but the image and names with MATRIX_IMAGE
 * @label: the image's short name, owned
 */
struct matrix_run {
    struct plan plan;
    char *label;
    enum matrix_state state;
    struct result result;

    /* private */
    int pidfd;
    int event_fd;
    int output_fds[2];
    struct matrix_feed feed;
    bool has_result;
};

/** struct matrix - one list of actions, done once for each of several images */
struct matrix {
    const struct plan *plan;
    struct matrix_run *runs;
    size_t n_runs;
    size_t jobs;     /* how many at once, at least 1 */
    bool keep_going; /* begin further runs after one has failed */
    bool captured;   /* output comes through the hook; else the runs have this process's own */
    int interrupted; /* the signal that ended it; 0: none */
};

/**
 * struct matrix_hooks - how a matrix speaks to whoever started it
 * @log: what matrix_run() itself has to say, and whether debug messages are wanted
 * @begun, @ended: a run's first and last sign
 * @message, @action_started, @action_finished: as of struct run_hooks
 * @progress: how far a run's pull is; NULL: not wanted
 * @output: bytes of a run's standard output (@stream 1) or error (2), when they are captured;
 *          returns whether more is wanted: otherwise writers get SIGPIPE, as by a broken pipe
 * @protect_program: as of struct run_hooks, called before the first run
 * @context: handed to all
 *
 * All are called in the process that called matrix_run(); a run waits for the return.  What a step
 * has written comes before action_finished() of that step.
 */
struct matrix_hooks {
    struct log log;
    void (*begun)(void *context, size_t run);
    void (*message)(void *context, size_t run, enum log_level level, const char *text);
    void (*progress)(void *context, size_t run, const struct log_progress *progress);
    void (*action_started)(void *context, size_t run, size_t index);
    void (*action_finished)(void *context, size_t run, const struct action_result *action);
    bool (*output)(void *context, size_t run, int stream, const char *data, size_t size);
    void (*ended)(void *context, size_t run);
    void (*protect_program)(void *context);
    void *context;
};

/**
 * matrix_init() - a run for each image, none begun
 * @plan: checked but for its image; borrowed
 * @images: borrowed
 * @jobs: how many runs at once; 0: as many as there are processors
 *
 * Return: 0, -EINVAL with a text when the runs would disturb each other or one of the plans is
 * wrong (plan_check()), -ENOMEM; matrix_done() is due either way.
 */
int matrix_init(struct matrix *matrix, const struct plan *plan, const struct strv *images,
                size_t jobs, struct err *err);

void matrix_done(struct matrix *matrix);

/**
 * matrix_execute() - run them, each in a process of its own
 *
 * Standard input is the same for each run (struct matrix_input).  A first SIGINT, SIGTERM, SIGHUP
 * or SIGQUIT is handed to each run and lets none begin; a second one ends them at once.  Should
 * this process be killed, its runs end as by SIGTERM.  Runs left out are OUTCOME_SKIPPED.
 * Context: host, a single-threaded process; with or without privileges.
 * Return: 0 when every run that was begun has a result, or -errno with a text.
 */
int matrix_execute(struct matrix *matrix, const struct matrix_hooks *hooks, struct err *err);

/** matrix_exit_status() - 128+N after a signal, else that of the first run, in their order, that
 * failed; 0: none did. */
int matrix_exit_status(const struct matrix *matrix);

#endif
