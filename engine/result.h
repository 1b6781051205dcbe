/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RESULT_H
#define MAYFLY_RESULT_H

#include "base/err.h"
#include "base/json_writer.h"
#include "container.h"
#include "engine/plan/plan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exit statuses of a run beside a step's own. */
#define EXIT_TIMEOUT 124
#define EXIT_ENGINE 125
#define EXIT_NOT_EXECUTABLE 126
#define EXIT_NOT_FOUND 127
#define EXIT_USAGE 2

enum outcome {
    OUTCOME_OK,
    OUTCOME_FAILED,      /* a step ended with another status than 0, or by a signal */
    OUTCOME_TIMEOUT,     /* the run's or a step's */
    OUTCOME_INTERRUPTED, /* a signal to mayfly */
    OUTCOME_ERROR,       /* mayfly itself could not */
    OUTCOME_SKIPPED,     /* of a matrix: not begun, after an earlier image's failure */
};

/** struct action_result - how one action went */
struct action_result {
    size_t index; /* in plan->actions */
    enum outcome outcome;
    bool remembered;       /* nothing was executed: the result of an earlier run was used */
    int status;            /* exit status, 128+N for a signal */
    bool out_of_memory;    /* it failed, and a process in it was killed for want of memory */
    uint64_t started_nsec; /* since the epoch */
    uint64_t elapsed_nsec;
};

/** struct result - how a run went */
struct result {
    enum outcome outcome;
    int exit_status;               /* what mayfly exits with */
    struct action_result *actions; /* owned; those that were begun, in order */
    size_t n_actions;
    uint64_t started_nsec;
    uint64_t elapsed_nsec; /* set-up and unwinding included */
    uint64_t setup_nsec;   /* until the first action could start */
    struct err error;      /* of OUTCOME_ERROR */
    struct idmap map;      /* of the container, if there was one: n_uids is 0 else */
    bool has_usage;        /* the container had a control group of its own */
    struct cgroup_stats usage;
};

/** result_init() - a run of which nothing has happened yet: OUTCOME_OK, status 0. */
void result_init(struct result *result);

/** result_done() - free the actions and return to the initial state. */
void result_done(struct result *result);

/** result_add() - append a copy of @action.  Return: 0 or -ENOMEM. */
int result_add(struct result *result, const struct action_result *action);

/** result_note() - keep a container's ids, and add what it has used so far. */
void result_note(struct result *result, const struct container *container);

/** outcome_name() - "ok", "failed", "timeout", "interrupted", "error" or "skipped". */
const char *outcome_name(enum outcome outcome);

/**
 * result_to_json() - write the plan's image and every action with its outcome and times
 *
 * One object: version (1), image, name, outcome, exit_status, started (RFC 3339, UTC; null when it
 * never did), setup_seconds, elapsed_seconds, error (a text or null) and actions, a list of objects
 * with index (from 1), kind, command, outcome, status, remembered, out_of_memory, started and
 * elapsed_seconds.
 * With a control group also usage: an object of what struct cgroup_stats has, null for unknown.
 */
void result_to_json(const struct result *result, const struct plan *plan, struct json_writer *json);

/** result_put_moment() - write nanoseconds since the epoch as RFC 3339, UTC; null for 0. */
void result_put_moment(struct json_writer *json, uint64_t nsec);

#endif
