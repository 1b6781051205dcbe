/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Progress on a terminal: the lines of all parts are written anew each time, over
 * the ones before, and the cursor stays below them, so that whatever is written
 * next stands under the last bar.  In a pipe there is nothing to draw over, and
 * each part is one plain line when all is done.
 */
#include "progress.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "image_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    BAR_COLUMNS_MAX = 40,
    TEXT_COLUMNS = 58, /* label, sizes, rate and time */
};

static void put_bar(struct buf *buf, const struct progress_part *part, size_t columns) {
    size_t width = columns > TEXT_COLUMNS ? columns - TEXT_COLUMNS : 0, full = 0;

    if (width > BAR_COLUMNS_MAX)
        width = BAR_COLUMNS_MAX;
    if (width < 5)
        return;
    if (part->total > 0)
        full = (size_t)((double)part->done / (double)part->total * (double)width);
    if (full > width)
        full = width;
    buf_puts(buf, "[");
    for (size_t i = 0; i < width; i++)
        buf_puts(buf, i < full ? "#" : " ");
    buf_puts(buf, "] ");
}

static void put_left(struct buf *buf, const struct progress_part *part, double rate) {
    double seconds = rate > 0 ? (double)(part->total - part->done) / rate : 0;

    if (part->total <= part->done || rate <= 0)
        return;
    if (seconds < 100)
        buf_printf(buf, "  %.0fs left", seconds);
    else
        buf_printf(buf, "  %.0fm left", seconds / 60);
}

void progress_line(struct buf *buf, const struct progress_part *part, uint64_t nsec,
                   size_t columns) {
    double rate = nsec > 0 ? (double)part->done * 1e9 / (double)nsec : 0;

    buf_printf(buf, "%-12s  ", part->label);
    if (part->ended && part->done == 0) {
        buf_puts(buf, "is here already");
        return;
    }
    if (part->began_nsec == 0) {
        buf_puts(buf, "waits");
        return;
    }
    if (part->total > 0 && !part->ended)
        put_bar(buf, part, columns);
    image_table_size(buf, part->done);
    if (part->total > 0 && !part->ended) {
        buf_puts(buf, " of ");
        image_table_size(buf, part->total);
    }
    if (rate > 0 && !part->ended) {
        buf_puts(buf, "  ");
        image_table_size(buf, (uint64_t)rate);
        buf_puts(buf, "/s");
        put_left(buf, part, rate);
    }
}

void progress_init(struct progress *progress, const struct console *console) {
    *progress = (struct progress){.console = console, .bars = console->columns > 0};
}

static void draw(struct progress *progress, uint64_t now_nsec) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    /* Spec: ECMA-48: CUU, cursor up; EL, erase the line's rest. */
    if (progress->n_drawn > 0)
        buf_printf(&text, "\033[%zuA", progress->n_drawn);
    for (size_t i = 0; i < progress->n_parts; i++) {
        const struct progress_part *part = &progress->parts[i];
        _cleanup_buf_ struct buf line = BUF_INIT;

        progress_line(&line, part, part->began_nsec ? now_nsec - part->began_nsec : 0,
                      progress->console->columns);
        /* A line that wraps would be two. */
        if (progress->console->columns > 1 && line.size >= progress->console->columns)
            line.data[progress->console->columns - 1] = '\0';
        buf_printf(&text, "\r%s\033[K\n", line.data ? line.data : "");
    }
    progress->n_drawn = progress->n_parts;
    (void)console_write(progress->console, &text);
}

static void say(const struct progress *progress, const struct progress_part *part, size_t i) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    buf_printf(&line, "layer %zu of %zu: ", i + 1, progress->n_parts);
    progress_line(&line, part, 0, 0);
    if (line.data)
        console_log(progress->console, LOG_LEVEL_INFO, line.data);
}

/* The next image's parts: those before stay as they are. */
static void begin(struct progress *progress, size_t n_parts) {
    const struct console *console = progress->console;
    bool bars = progress->bars, only_news = progress->only_news;

    *progress = (struct progress){
        .console = console, .bars = bars, .only_news = only_news, .n_parts = n_parts};
    for (size_t i = 0; i < n_parts; i++)
        snprintf(progress->parts[i].label, sizeof progress->parts[i].label, "layer %zu", i + 1);
}

static bool is_over(const struct progress *progress) {
    for (size_t i = 0; i < progress->n_parts; i++)
        if (!progress->parts[i].ended)
            return false;
    return true;
}

static bool has_news(const struct progress *progress) {
    for (size_t i = 0; i < progress->n_parts; i++)
        if (progress->parts[i].done > 0)
            return true;
    return false;
}

void progress_show(void *context, const struct log_progress *step) {
    struct progress *progress = context;
    uint64_t now_nsec = clock_monotonic();
    struct progress_part *part;

    if (step->n_parts > PROGRESS_PARTS_MAX)
        return;
    if (progress->n_parts != step->n_parts || is_over(progress))
        begin(progress, step->n_parts);
    part = &progress->parts[step->part];
    snprintf(part->label, sizeof part->label, "%s", step->label);
    if (part->began_nsec == 0 && step->done > 0)
        part->began_nsec = now_nsec;
    part->done = step->done;
    part->total = step->total;
    part->ended = step->ended;
    if (progress->only_news && (progress->bars ? !has_news(progress) : part->done == 0))
        return;
    if (progress->bars)
        draw(progress, now_nsec);
    else if (step->ended)
        say(progress, part, step->part);
}
