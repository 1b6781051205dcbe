/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_EVENT_H
#define MAYFLY_MATRIX_EVENT_H

#include "engine/base/log.h"
#include "engine/plan/plan.h"
#include "engine/result.h"

#include <stdbool.h>
#include <stddef.h>

enum matrix_event_kind {
    MATRIX_EVENT_LOG,
    MATRIX_EVENT_PROGRESS, /* @progress, whose label is @text */
    MATRIX_EVENT_STARTED,  /* @index */
    MATRIX_EVENT_FINISHED, /* @action */
    MATRIX_EVENT_ENDED,    /* @result, without its actions */
};

/** struct matrix_event - a datagram from a run's process to the one that started it */
struct matrix_event {
    enum matrix_event_kind kind;
    enum log_level level;
    size_t index;
    struct log_progress progress;
    struct action_result action;
    struct result result;
    char text[1024];
};

/**
 * matrix_event_run() - run a plan and send what its hooks are told
 * @socket_fd: SOCK_SEQPACKET; each event is answered with a byte (matrix_event_answer()) before
 *             the run goes on
 * @debug, @progress: whether debug messages, and how far a pull is, are wanted
 *
 * Context: a process made for it.
 */
void matrix_event_run(const struct plan *plan, int socket_fd, bool debug, bool progress);

/** matrix_event_receive() - Return: 1 with an event, 0 when there is none now, -EPIPE when none
 * will come any more. */
int matrix_event_receive(int socket_fd, struct matrix_event *ret_event);

/** matrix_event_answer() - let the run go on. */
void matrix_event_answer(int socket_fd);

#endif
