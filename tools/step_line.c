/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One line a step: easy to read on a terminal and to grep in a log.  The words
 * after the number are what the user wrote, so a line is found by its command;
 * two spaces stand before the outcome and before the time, and never inside a
 * command, so that a line can be taken apart at them.
 */
#include "step_line.h"

#include "console.h"
#include "text.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#define COLUMNS_IN_A_PIPE 72
#define COLUMNS_LEAST 10
/* Outcomes are aligned behind commands up to this length; longer ones push theirs out. */
#define COLUMNS_ALIGNED 40

static const char *option_of(enum action_kind kind) {
    static const char *const options[] = {
        [ACTION_WORKDIR] = "-W ",  [ACTION_SHELL] = "-S ",  [ACTION_EXEC] = "-X ",
        [ACTION_DOWNLOAD] = "-D ", [ACTION_UPLOAD] = "-U ", [ACTION_COMMIT] = "-C ",
    };

    return options[kind];
}

size_t step_line_action(struct buf *buf, const struct action *action, size_t max_columns) {
    _cleanup_buf_ struct buf words = BUF_INIT;

    buf_puts(&words, option_of(action->kind));
    action_format(action, &words);
    buf->failed |= words.failed;
    return text_append_line(buf, words.data ? words.data : "", max_columns);
}

/* The longest action of the plan in columns, as far as alignment goes. */
static size_t aligned_columns(const struct plan *plan) {
    size_t longest = 0;

    for (size_t i = 0; i < plan->n_actions; i++) {
        _cleanup_buf_ struct buf ignored = BUF_INIT;
        size_t n = 0;

        if (plan->actions[i].kind != ACTION_WORKDIR)
            n = step_line_action(&ignored, &plan->actions[i], COLUMNS_ALIGNED);
        if (n > longest)
            longest = n;
    }
    return longest;
}

void step_line_duration(struct buf *buf, uint64_t nsec) {
    uint64_t msec = nsec / NSEC_PER_MSEC, seconds = msec / 1000;

    if (seconds < 60)
        buf_printf(buf, "%" PRIu64 ".%03" PRIu64 " s", seconds, msec % 1000);
    else if (seconds < 3600)
        buf_printf(buf, "%" PRIu64 " min %02" PRIu64 ".%" PRIu64 " s", seconds / 60, seconds % 60,
                   msec % 1000 / 100);
    else
        buf_printf(buf, "%" PRIu64 " h %02" PRIu64 " min %02" PRIu64 " s", seconds / 3600,
                   seconds / 60 % 60, seconds % 60);
}

void step_line_outcome(struct buf *buf, const struct action_result *result) {
    const char *name = NULL;

    switch (result->outcome) {
    case OUTCOME_OK:
        buf_puts(buf, result->remembered ? "remembered" : "ok");
        break;
    case OUTCOME_FAILED:
        if (result->out_of_memory) {
            buf_puts(buf, "out of memory");
            break;
        }
        if (result->status > 128)
            name = sigabbrev_np(result->status - 128);
        if (name)
            buf_printf(buf, "killed by SIG%s", name);
        else if (result->status > 128 && result->status - 128 <= SIGRTMAX)
            buf_printf(buf, "killed by signal %d", result->status - 128);
        else
            buf_printf(buf, "exit %d", result->status);
        break;
    case OUTCOME_TIMEOUT:
        buf_puts(buf, "timed out");
        break;
    case OUTCOME_INTERRUPTED:
        buf_puts(buf, "interrupted");
        break;
    case OUTCOME_ERROR:
        buf_puts(buf, "error");
        break;
    case OUTCOME_SKIPPED:
        buf_puts(buf, "not run");
        break;
    }
}

void step_line_format(struct buf *buf, const struct plan *plan, const struct action_result *result,
                      const struct step_line_style *style) {
    _cleanup_buf_ struct buf head = BUF_INIT, outcome = BUF_INIT, time = BUF_INIT;
    size_t room = COLUMNS_IN_A_PIPE, fixed, used, aligned = 0;

    buf_printf(&head, "[%zu/%zu] ", result->index + 1, plan->n_actions);
    step_line_outcome(&outcome, result);
    step_line_duration(&time, result->elapsed_nsec);
    if (style->columns > 0) {
        fixed = strlen("mayfly: ") + head.size + 2 + outcome.size + 2 + time.size;
        room = style->columns > fixed + COLUMNS_LEAST ? style->columns - fixed : COLUMNS_LEAST;
        aligned = aligned_columns(plan);
    }
    if (aligned > room)
        aligned = room;
    if (buf_failed(&head) || buf_failed(&outcome) || buf_failed(&time))
        return;
    buf_puts(buf, "mayfly: ");
    console_styled(buf, style->color, STYLE_DIM, head.data);
    used = step_line_action(buf, &plan->actions[result->index], room);
    buf_printf(buf, "%*s  ", (int)(used < aligned ? aligned - used : 0), "");
    console_styled(buf, style->color, result->outcome == OUTCOME_OK ? STYLE_GOOD : STYLE_BAD,
                   outcome.data);
    buf_puts(buf, "  ");
    console_styled(buf, style->color, STYLE_DIM, time.data);
    buf_puts(buf, "\n");
}

void step_line_usage(struct buf *buf, const struct limits *limits, const struct cgroup_stats *usage,
                     bool color) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    if (usage->memory_peak_bytes != CGROUP_UNKNOWN) {
        limits_format_bytes(&text, usage->memory_peak_bytes);
        if (limits->memory_bytes) {
            buf_puts(&text, " of ");
            limits_format_bytes(&text, limits->memory_bytes);
        }
        buf_puts(&text, " memory");
    }
    if (usage->pids_peak != CGROUP_UNKNOWN) {
        buf_printf(&text, "%s%" PRIu64, text.size ? ", " : "", usage->pids_peak);
        if (limits->pids)
            buf_printf(&text, " of %" PRIu64, limits->pids);
        buf_puts(&text, " processes");
    }
    if (usage->cpu_nsec != CGROUP_UNKNOWN) {
        buf_puts(&text, text.size ? ", " : "");
        step_line_duration(&text, usage->cpu_nsec);
        buf_puts(&text, " of processor time");
    }
    if (text.size == 0 || buf_failed(&text))
        return;
    buf_puts(buf, "mayfly: used  ");
    console_styled(buf, color, STYLE_DIM, text.data);
    buf_puts(buf, "\n");
}

void step_line_started(struct buf *buf, const struct plan *plan, size_t index) {
    buf_printf(buf, "[%zu/%zu] ", index + 1, plan->n_actions);
    step_line_action(buf, &plan->actions[index], COLUMNS_IN_A_PIPE);
    buf_puts(buf, " begins");
}
