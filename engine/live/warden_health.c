/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's health: a command is run in it from time to time, and so many
 * failures in a row make it unhealthy.  One is looked after the other; a look
 * that takes too long is a failure and is ended with its connection.
 */
#include "warden_private.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/inside/job.h"

/* While a container begins, it is looked at this often at least. */
#define START_INTERVAL_NSEC (5 * NSEC_PER_SEC)

static bool is_starting(const struct warden *k) {
    return clock_realtime() <
           clock_add(k->kept->state.started_nsec, k->life->health.start_period_nsec);
}

static void plan_next(struct warden *k) {
    uint64_t wait = k->life->health.interval_nsec;

    if (is_starting(k) && wait > START_INTERVAL_NSEC)
        wait = START_INTERVAL_NSEC;
    k->health_deadline_nsec = clock_add(clock_monotonic(), wait);
}

void warden_health_begin(struct warden *k) {
    k->kept->state.failing = 0;
    k->kept->state.health = k->life->health.command ? HEALTH_STARTING : HEALTH_NONE;
    k->health_deadline_nsec = k->life->health.command ? clock_monotonic() : CLOCK_NEVER;
}

void warden_health_end(struct warden *k) {
    if (k->health_fd >= 0)
        close(take_fd(k->health_fd));
    k->health_deadline_nsec = CLOCK_NEVER;
    k->kept->state.health = HEALTH_NONE;
}

static void note(struct warden *k, bool is_well) {
    struct kept_state *state = &k->kept->state;
    enum health before = state->health;

    if (is_well) {
        state->health = HEALTH_HEALTHY;
        state->failing = 0;
    } else if (before != HEALTH_STARTING || !is_starting(k)) {
        state->failing++;
        if (state->failing >= k->life->health.retries)
            state->health = HEALTH_UNHEALTHY;
    }
    (void)warden_save(k);
    if (state->health == HEALTH_HEALTHY)
        warden_answer(k, ASK_WAIT_HEALTHY, 0);
}

static void look(struct warden *k) {
    _cleanup_job_ struct job job = {0};
    struct err err;
    const int nothing[3] = {0, 1, 2}; /* a supervisor's are /dev/null */
    int r = k->health_fd = session_connect(&k->session, &err);

    if (r >= 0 && (strv_push(&job.argv, "/bin/sh") < 0 || strv_push(&job.argv, "-c") < 0 ||
                   strv_push(&job.argv, k->life->health.command) < 0))
        r = -ENOMEM;
    if (r >= 0)
        r = job_start(k->health_fd, &job, 0, nothing, NULL, &err);
    k->health_deadline_nsec = clock_add(clock_monotonic(), k->life->health.timeout_nsec);
    if (r < 0)
        warden_health_dispatch(k, true);
}

void warden_health_dispatch(struct warden *k, bool is_readable) {
    bool is_late = clock_monotonic() >= k->health_deadline_nsec;
    struct message message = {.kind = MESSAGE_ERROR};

    if (k->health_fd < 0) {
        if (is_late && k->main_fd >= 0)
            look(k);
        return;
    }
    if (!is_readable && !is_late)
        return;
    if (is_readable && message_receive(k->health_fd, &message, NULL, 0, NULL) < 0)
        message.kind = MESSAGE_ERROR;
    close(take_fd(k->health_fd));
    note(k, message.kind == MESSAGE_DONE && message.value == 0);
    plan_next(k);
}
