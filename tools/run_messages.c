/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of each action of a run, be it alone or one of several. */
#include "run_messages.h"

#include "protect.h"
#include "step_line.h"

#include "engine/base/str.h"

#include <stdio.h>
#include <stdlib.h>

/* How many remembered steps were shown already, from one start of this program to the next. */
#define SHOWN "MAYFLY_STEPS_SHOWN"

void run_messages_started(const struct console *console, const struct plan *plan, size_t index) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (console->verbosity != VERBOSITY_DEBUG)
        return;
    step_line_started(&line, plan, index);
    if (!buf_failed(&line))
        console_log(console, LOG_LEVEL_DEBUG, line.data);
}

void run_messages_finished(struct console *console, const struct plan *plan,
                           const struct action_result *action) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (action->remembered && console->n_remembered++ < console->n_shown)
        return;
    if (console->verbosity == VERBOSITY_QUIET)
        return;
    /* An error has a line of its own at the end, and a change of directory is nothing to time. */
    if (console->verbosity != VERBOSITY_DEBUG &&
        (action->outcome == OUTCOME_ERROR ||
         (action->outcome == OUTCOME_OK && plan->actions[action->index].kind == ACTION_WORKDIR)))
        return;
    if (console->columns > 0) /* the window may have another width by now */
        console_update_columns(console);
    step_line_format(
        &line, plan, action,
        &(struct step_line_style){.columns = console->columns, .color = console->color});
    (void)console_write(console, &line);
}

void run_messages_ended(const struct console *console, const struct plan *plan,
                        const struct result *result) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (console->verbosity == VERBOSITY_QUIET || !result->has_usage || !limits_any(&plan->limits))
        return;
    step_line_usage(&line, &plan->limits, &result->usage, console->color);
    if (line.size > 0)
        (void)console_write(console, &line);
}

size_t run_messages_shown(void) {
    const char *text = getenv(SHOWN);
    uint64_t n = 0;

    if (text && str_to_u64(text, SIZE_MAX, &n) < 0)
        n = 0;
    unsetenv(SHOWN);
    return (size_t)n;
}

void run_messages_protect(void *context) {
    const struct console *console = context;
    char text[24];

    snprintf(text, sizeof text, "%zu", console->n_remembered);
    if (console->n_remembered > 0)
        setenv(SHOWN, text, 1);
    protect_program();
    unsetenv(SHOWN);
}
