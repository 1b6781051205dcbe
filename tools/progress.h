/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PROGRESS_H
#define MAYFLY_PROGRESS_H

#include "console.h"
#include "engine/base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** More parts than this are not shown one by one. */
#define PROGRESS_PARTS_MAX 32

/** struct progress_part - one line */
struct progress_part {
    char label[24];
    uint64_t done;
    uint64_t total;
    uint64_t began_nsec; /* 0: not yet */
    bool ended;
};

/**
 * struct progress - how far a longer work is, on a console
 * @console: borrowed
 * @bars: on a terminal: a line a part, drawn anew; otherwise a plain line when a part has ended
 * @only_news: nothing is shown of what was here already; to be set after progress_init()
 */
struct progress {
    const struct console *console;
    bool bars;
    bool only_news;
    struct progress_part parts[PROGRESS_PARTS_MAX];
    size_t n_parts;
    size_t n_drawn; /* lines above the cursor */
};

/**
 * progress_line() - append a part's line: label, bar, bytes, rate, time left
 * @nsec: since it began
 * @columns: the terminal's width
 *
 * Return without a line's end.
 */
void progress_line(struct buf *buf, const struct progress_part *part, uint64_t nsec,
                   size_t columns);

void progress_init(struct progress *progress, const struct console *console);

/** progress_show() - for struct log; @context is a struct progress. */
void progress_show(void *context, const struct log_progress *step);

#endif
