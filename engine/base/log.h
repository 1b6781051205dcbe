/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LOG_H
#define MAYFLY_LOG_H

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARNING,
};

/**
 * struct log - where a run's messages go
 * @emit: called with one line, without a newline; NULL throws messages away
 * @context: handed to @emit
 * @debug: whether debug messages are wanted
 *
 * Nothing below tools/ prints; it calls this.
 */
struct log {
    void (*emit)(void *context, enum log_level level, const char *text);
    void *context;
    bool debug;
};

/** log_debug(), log_info(), log_warning() - send one line; @log may be NULL. */
void log_debug(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const struct log *log, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_warning(const struct log *log, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
