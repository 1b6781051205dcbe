/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run in a process of its own tells its parent what a run's hooks are told.
 * Each word is waited for, so that what the parent prints about a step stands
 * before what the next step prints.  A parent that has gone is no reason to stop:
 * a signal has come by then (PR_SET_PDEATHSIG).
 */
#include "matrix_event.h"

#include "engine/base/fd.h"
#include "engine/run.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The context of the hooks of a run's process. */
struct sender {
    int socket_fd;
};

static void send_event(void *context, const struct matrix_event *event) {
    const struct sender *sender = context;
    char answer;
    ssize_t n;

    if (fd_send(sender->socket_fd, event, sizeof *event, NULL, 0) < 0)
        return;
    do
        n = recv(sender->socket_fd, &answer, 1, 0);
    while (n < 0 && errno == EINTR);
}

static void send_log(void *context, enum log_level level, const char *text) {
    struct matrix_event event = {.kind = MATRIX_EVENT_LOG, .level = level};

    snprintf(event.text, sizeof event.text, "%s", text);
    send_event(context, &event);
}

static void send_progress(void *context, const struct log_progress *progress) {
    struct matrix_event event = {.kind = MATRIX_EVENT_PROGRESS, .progress = *progress};

    snprintf(event.text, sizeof event.text, "%s", progress->label);
    send_event(context, &event);
}

static void send_started(void *context, const struct plan *plan, size_t index) {
    (void)plan;
    send_event(context, &(struct matrix_event){.kind = MATRIX_EVENT_STARTED, .index = index});
}

static void send_finished(void *context, const struct plan *plan,
                          const struct action_result *action) {
    (void)plan;
    send_event(context, &(struct matrix_event){.kind = MATRIX_EVENT_FINISHED, .action = *action});
}

/* The parent has protected the program, if that can be done. */
static void no_protection(void *context) {
    (void)context;
}

void matrix_event_run(const struct plan *plan, int socket_fd, bool debug, bool progress) {
    struct sender sender = {.socket_fd = socket_fd};
    const struct run_hooks hooks = {
        .log = {.emit = send_log,
                .context = &sender,
                .debug = debug,
                .progress = progress ? send_progress : NULL,
                .progress_context = &sender},
        .action_started = send_started,
        .action_finished = send_finished,
        .protect_program = no_protection,
        .context = &sender,
    };
    struct matrix_event event = {.kind = MATRIX_EVENT_ENDED};
    struct result result;
    struct err err = {0};

    result_init(&result);
    (void)run(plan, &hooks, &result, &err);
    event.result = result;
    event.result.actions = NULL;
    event.result.n_actions = 0;
    send_event(&sender, &event);
    result_done(&result);
}

int matrix_event_receive(int socket_fd, struct matrix_event *ret_event) {
    ssize_t n = fd_receive(socket_fd, ret_event, sizeof *ret_event, NULL, 0, NULL, MSG_DONTWAIT);

    if (n == -EAGAIN || n == -EINTR)
        return 0;
    return n == sizeof *ret_event ? 1 : -EPIPE;
}

void matrix_event_answer(int socket_fd) {
    (void)send(socket_fd, "", 1, MSG_NOSIGNAL);
}
