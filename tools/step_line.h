/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STEP_LINE_H
#define MAYFLY_STEP_LINE_H

#include "engine/base/buf.h"
#include "engine/plan/plan.h"
#include "engine/result.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct step_line_style - how the lines of a run are to look
 * @columns: the terminal's width, into which a line is made to fit; 0: no terminal, commands are
 *           cut to 72 columns instead
 * @color: green for ok, red for what is not, times dim
 */
struct step_line_style {
    size_t columns;
    bool color;
};

/**
 * step_line_format() - append the line of an action that has ended, with its newline
 *
 * As in "mayfly: [2/4] -S make check  ok  1.204 s": the action's place among all actions, its
 * option and words on one line, how it went, how long it took.  On a terminal the outcomes of a
 * run's lines stand below each other as far as the commands' lengths allow.
 */
void step_line_format(struct buf *buf, const struct plan *plan, const struct action_result *result,
                      const struct step_line_style *style);

/** step_line_started() - append what --debug says when an action begins, without a newline. */
void step_line_started(struct buf *buf, const struct plan *plan, size_t index);

/**
 * step_line_usage() - append what a run with limits has used, with its newline
 *
 * As in "mayfly: used  12.5 MiB of 64 MiB memory, 3 of 64 processes, 0.104 s of processor time":
 * the most at one time, as far as the host counts it.
 */
void step_line_usage(struct buf *buf, const struct limits *limits, const struct cgroup_stats *usage,
                     bool color);

/**
 * step_line_action() - append an action's option and words, "-S make check", on one line
 * @max_columns: as of text_append_line()
 *
 * Return: columns appended.
 */
size_t step_line_action(struct buf *buf, const struct action *action, size_t max_columns);

/** step_line_duration() - append a length of time: "0.004 s", "12.300 s", "2 min 03.5 s",
 * "1 h 02 min 03 s". */
void step_line_duration(struct buf *buf, uint64_t nsec);

/** step_line_outcome() - append "ok", "exit 37", "killed by SIGSEGV", "out of memory", "timed out"
 * and such. */
void step_line_outcome(struct buf *buf, const struct action_result *result);

#endif
