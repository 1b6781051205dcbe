/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LOG_H
#define MAYFLY_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
};

/**
 * struct log_progress - how far a part of a longer work is
 * @part, @n_parts: which, from 0, of how many
 * @label: what it is called, a few characters
 * @done, @total: bytes; @total 0: not known
 * @ended: it is done, and all of the work with it; with @done 0 there was nothing to do
 */
struct log_progress {
    size_t part;
    size_t n_parts;
    const char *label;
    uint64_t done;
    uint64_t total;
    bool ended;
};

/**
 * struct log - where a run's messages go
 * @emit: called with one line, without a newline; NULL throws messages away
 * @context: handed to @emit
 * @debug: whether debug messages are wanted
 * @progress: called some times a second while something takes long, by one thread at a time; NULL:
 *            not wanted
 * @progress_context: handed to @progress
 *
 * Nothing below tools/ prints; it calls this.
 */
struct log {
    void (*emit)(void *context, enum log_level level, const char *text);
    void *context;
    bool debug;
    void (*progress)(void *context, const struct log_progress *progress);
    void *progress_context;
};

/** log_debug(), log_info(), log_warning() - send one line; @log may be NULL. */
void log_debug(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
