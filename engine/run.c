/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run: a session (session.c), the plan's actions in it (steps.c), its end, and
 * what became of it in one result.
 */
#include "run.h"

#include "engine/remember/remember.h"
#include "session.h"
#include "signals.h"
#include "steps.h"

#include <errno.h>

/* A condition of a session or its steps as the result has it. */
static void note_condition(struct result *result, int condition, int interrupted) {
    if (condition == SUPERVISE_INTERRUPTED) {
        result->outcome = OUTCOME_INTERRUPTED;
        result->exit_status = 128 + interrupted;
    } else if (condition == SUPERVISE_TIMEOUT) {
        result->outcome = OUTCOME_TIMEOUT;
        result->exit_status = EXIT_TIMEOUT;
    }
}

static int carry_out(const struct session_request *request, struct result *result,
                     struct err *err) {
    struct session session;
    int interrupted, r;

    if (remember_is_asked(request->plan)) {
        r = remember_run(request, result, &interrupted, err);
        note_condition(result, r, interrupted);
        return r < 0 ? r : 0;
    }
    r = session_start(&session, request, err);
    if (r == 0) {
        result->setup_nsec = clock_realtime() - result->started_nsec;
        r = steps_run(&session.supervisor, result, err);
        result_note(result, &session.container);
    }
    session_end(&session);
    note_condition(result, r, session.supervisor.interrupted);
    return r < 0 ? r : 0;
}

int run(const struct plan *plan, const struct run_hooks *hooks, struct result *ret_result,
        struct err *err) {
    struct signals signals = SIGNALS_INIT;
    struct session_request request = {
        .plan = plan,
        .hooks = hooks,
        .deadline_nsec = clock_add(clock_monotonic(), plan->timeout_nsec),
        .has_streams = true,
        .ask_first = true,
    };
    uint64_t started = clock_monotonic();
    int r;

    ret_result->started_nsec = clock_realtime();
    r = signals_take(&signals, err);
    request.signal_fd = signals.fd;
    if (r == 0)
        r = carry_out(&request, ret_result, err);
    ret_result->elapsed_nsec = clock_monotonic() - started;
    if (r < 0) {
        ret_result->outcome = OUTCOME_ERROR;
        ret_result->exit_status = EXIT_ENGINE;
        ret_result->error = *err;
    }
    signals_release(&signals);
    return r;
}
