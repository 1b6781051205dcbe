/* SPDX-License-Identifier: Apache-2.0 */
/* How a container is, as lines of text: a key, a space, a value. */
#include "kept_state.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const status_names[] = {"created", "running", "paused", "exited"};
static const char *const health_names[] = {"none", "starting", "healthy", "unhealthy"};

const char *kept_status_name(enum kept_status status) {
    return status_names[status];
}

const char *health_name(enum health health) {
    return health_names[health];
}

void kept_state_format(const struct kept_state *state, struct buf *buf) {
    buf_printf(buf, "status %s\n", kept_status_name(state->status));
    buf_printf(buf, "health %s\n", health_name(state->health));
    buf_printf(buf, "pid %d\nsupervisor %d\n", (int)state->pid, (int)state->supervisor);
    buf_printf(buf, "exit-code %d\n", state->exit_code);
    buf_printf(buf, "restarts %u\nfailing %u\n", state->restarts, state->failing);
    buf_printf(buf, "created %" PRIu64 "\nstarted %" PRIu64 "\nfinished %" PRIu64 "\n",
               state->created_nsec, state->started_nsec, state->finished_nsec);
    buf_printf(buf, "remove %d\n", state->remove);
    buf_printf(buf, "image-id %s\nrun %s\n", state->image_id, state->run);
    /* One line, whatever an error's text holds. */
    buf_printf(buf, "reason %.*s\n", (int)strcspn(state->reason, "\n"), state->reason);
}

static size_t index_of(const char *const *names, size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return i;
    return 0;
}

static void take(struct kept_state *state, const char *key, const char *value) {
    uint64_t number = strtoull(value, NULL, 10);

    if (str_eq(key, "status"))
        state->status = (enum kept_status)index_of(status_names, N_ELEMENTS(status_names), value);
    else if (str_eq(key, "health"))
        state->health = (enum health)index_of(health_names, N_ELEMENTS(health_names), value);
    else if (str_eq(key, "pid"))
        state->pid = (pid_t)number;
    else if (str_eq(key, "supervisor"))
        state->supervisor = (pid_t)number;
    else if (str_eq(key, "exit-code"))
        state->exit_code = (int)number;
    else if (str_eq(key, "restarts"))
        state->restarts = (unsigned)number;
    else if (str_eq(key, "failing"))
        state->failing = (unsigned)number;
    else if (str_eq(key, "created"))
        state->created_nsec = number;
    else if (str_eq(key, "started"))
        state->started_nsec = number;
    else if (str_eq(key, "finished"))
        state->finished_nsec = number;
    else if (str_eq(key, "remove"))
        state->remove = number != 0;
    else if (str_eq(key, "image-id"))
        snprintf(state->image_id, sizeof state->image_id, "%s", value);
    else if (str_eq(key, "run"))
        snprintf(state->run, sizeof state->run, "%s", value);
    else if (str_eq(key, "reason"))
        snprintf(state->reason, sizeof state->reason, "%s", value);
}

void kept_state_parse(const char *text, struct kept_state *ret_state) {
    *ret_state = (struct kept_state){0};
    while (*text) {
        size_t n = strcspn(text, "\n");
        _cleanup_free_ char *line = strndup(text, n);
        char *space = line ? strchr(line, ' ') : NULL;

        if (space) {
            *space = '\0';
            take(ret_state, line, space + 1);
        }
        text += n + (text[n] == '\n');
    }
}
