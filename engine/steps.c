/* SPDX-License-Identifier: Apache-2.0 */
/* A run's actions, one after the other: asked for, waited for, timed and noted down. */
#include "steps.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "collect.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>

/* Of a copy's records under way: each may carry a descriptor, and all of a user's together count
 * against RLIMIT_NOFILE while nobody has received them. */
#define COPY_SOCKET_BYTES (16 * 1024)

int steps_await_ready(struct supervisor *s, struct err *err) {
    struct message message;
    int r = supervise_await(s, &message, err);

    if (r != 0)
        return r;
    if (message.kind == MESSAGE_ERROR) {
        *err = message.err;
        return err->code < 0 ? err->code : -EIO;
    }
    if (message.kind != MESSAGE_READY)
        return err_set(err, -EPROTO, "the container answered out of order");
    return s->interrupted ? SUPERVISE_INTERRUPTED : 0;
}

/* Sends a request; @fd goes along unless it is -1. */
static int ask(struct supervisor *s, enum message_kind kind, size_t index, int fd,
               struct err *err) {
    const struct message message = {
        .kind = kind,
        .index = (uint32_t)index,
        .window = terminal_window(&s->terminal),
    };

    if (message_send(s->container->socket_fd, &message, &fd, fd >= 0) < 0)
        return supervise_explain_death(s, err);
    return 0;
}

void steps_ask_first(struct supervisor *s) {
    const struct plan *plan = s->container->plan;
    struct err err;

    if (plan->n_actions > 0 && plan->actions[0].kind != ACTION_DOWNLOAD &&
        plan->actions[0].kind != ACTION_UPLOAD)
        s->asked_first = ask(s, MESSAGE_ACTION, 0, -1, &err) == 0;
}

/*
 * Waits for the end of what was asked for.  A program that could not be started has a status as
 * well as an error: the text is then worth a warning.
 */
static int await_done(struct supervisor *s, int *ret_status, struct err *err) {
    struct message message;
    int r = supervise_await(s, &message, err);

    terminal_detach(&s->terminal);
    if (r != 0)
        return r;
    if (message.kind == MESSAGE_ERROR) {
        *err = message.err;
        if (message.value == 0)
            return err->code < 0 ? err->code : -EIO;
        log_warning(s->container->log, "%s", err->message);
    } else if (message.kind != MESSAGE_DONE) {
        return err_set(err, -EPROTO, "the container answered out of order");
    }
    *ret_status = message.value & 255;
    return 0;
}

static int do_copy(struct supervisor *s, size_t index, int *ret_status, struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    theirs = pair[1];
    for (int i = 0; i < 2; i++)
        if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &(int){COPY_SOCKET_BYTES}, sizeof(int)) < 0)
            return err_errno(err, "cannot set up a socket");
    r = ask(s, MESSAGE_ACTION, index, theirs, err);
    /* Only the container's side has it now, so that its end is seen. */
    close(take_fd(theirs));
    if (r == 0)
        r = collect(s, &s->container->plan->actions[index], ours, err);
    return r == 0 ? await_done(s, ret_status, err) : r;
}

static int do_action(struct supervisor *s, size_t index, int *ret_status, struct err *err) {
    enum action_kind kind = s->container->plan->actions[index].kind;
    int r;

    if (kind == ACTION_DOWNLOAD || kind == ACTION_UPLOAD)
        return do_copy(s, index, ret_status, err);
    r = index == 0 && s->asked_first ? 0 : ask(s, MESSAGE_ACTION, index, -1, err);
    return r == 0 ? await_done(s, ret_status, err) : r;
}

void steps_offer_shell(struct supervisor *s, const struct result *result) {
    int status, r;
    struct err err;

    if (result->outcome != OUTCOME_FAILED || !s->container->plan->on_failure_shell)
        return;
    if (!s->container->terminals[0]) {
        log_warning(s->container->log,
                    "--on-failure shell: standard input is no terminal, so there is no shell");
        return;
    }
    log_info(s->container->log, "a shell in the container, as it is; exit ends the run");
    s->step_deadline_nsec = CLOCK_NEVER;
    /* Its own status counts for nothing. */
    r = ask(s, MESSAGE_SHELL, 0, -1, &err);
    if (r == 0)
        r = await_done(s, &status, &err);
    if (r < 0)
        log_warning(s->container->log, "no shell: %s", err.message);
}

int steps_repeat(struct supervisor *s, size_t index, struct err *err) {
    int status;

    return do_action(s, index, &status, err);
}

/* Whether a process was killed for want of memory since the last action; says so if it failed. */
static bool ran_out_of_memory(struct supervisor *s, size_t index, bool has_failed) {
    uint64_t limit = s->container->plan->limits.memory_bytes;
    uint64_t n = cgroup_oom_kills(s->container->cgroup), before = s->oom_kills;
    _cleanup_buf_ struct buf text = BUF_INIT;

    s->oom_kills = n;
    if (n <= before)
        return false;
    limits_format_bytes(&text, limit);
    log_warning(s->container->log, "step %zu %s%s%s", index + 1,
                has_failed ? "ran out of memory" : "went on, but a process of it ran out of memory",
                limit ? ": limit " : "", limit && text.data ? text.data : "");
    return has_failed;
}

static enum outcome outcome_of(const struct supervisor *s, int r, int status) {
    if (r < 0)
        return OUTCOME_ERROR;
    if (r == SUPERVISE_INTERRUPTED || s->interrupted)
        return OUTCOME_INTERRUPTED;
    if (r == SUPERVISE_TIMEOUT)
        return OUTCOME_TIMEOUT;
    return status == 0 ? OUTCOME_OK : OUTCOME_FAILED;
}

static int exit_status_of(const struct supervisor *s, enum outcome outcome, int status) {
    switch (outcome) {
    case OUTCOME_TIMEOUT:
        return EXIT_TIMEOUT;
    case OUTCOME_INTERRUPTED:
        return 128 + s->interrupted;
    case OUTCOME_ERROR:
        return EXIT_ENGINE;
    default:
        return status;
    }
}

int steps_run_one(struct supervisor *s, size_t index, struct result *result, struct err *err) {
    const struct plan *plan = s->container->plan;
    const struct run_hooks *hooks = s->hooks;
    struct action_result action = {.index = index, .started_nsec = clock_realtime()};
    uint64_t started = clock_monotonic();
    int status = 0, r;

    if (hooks->action_started)
        hooks->action_started(hooks->context, plan, index);
    s->step_deadline_nsec = clock_add(started, plan->step_timeout_nsec);
    r = do_action(s, index, &status, err);
    action.elapsed_nsec = clock_monotonic() - started;
    if (s->container->cgroup && r <= 0)
        action.out_of_memory = ran_out_of_memory(s, index, r < 0 || status != 0);
    /* It may have been PID 1 that was killed. */
    if (r == -EPIPE && action.out_of_memory) {
        status = 128 + SIGKILL;
        r = 0;
    }
    action.outcome = outcome_of(s, r, status);
    action.status = exit_status_of(s, action.outcome, status);
    if (steps_note(s, &action, result, r < 0 ? NULL : err) < 0 && r >= 0)
        return -ENOMEM;
    return r;
}

int steps_note(struct supervisor *s, const struct action_result *action, struct result *result,
               struct err *err) {
    const struct run_hooks *hooks = s->hooks;

    result->outcome = action->outcome;
    result->exit_status = action->status;
    if (hooks->action_finished)
        hooks->action_finished(hooks->context, s->container->plan, action);
    return result_add(result, action) < 0 ? err_nomem(err) : 0;
}

int steps_run(struct supervisor *s, struct result *result, struct err *err) {
    const struct plan *plan = s->container->plan;
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->n_actions && result->outcome == OUTCOME_OK; i++)
        r = steps_run_one(s, i, result, err);
    if (r == 0)
        steps_offer_shell(s, result);
    return r;
}
