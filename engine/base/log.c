/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as calls: the library formats, whoever called it decides what to show and where. */
#include "log.h"

#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 3, 0))) static void emit(const struct log *log, enum log_level level,
                                                       const char *format, va_list args) {
    char text[1024];

    if (!log || !log->emit)
        return;
    vsnprintf(text, sizeof text, format, args);
    log->emit(log->context, level, text);
}

void log_debug(const struct log *log, const char *format, ...) {
    va_list args;

    if (!log || !log->debug)
        return;
    va_start(args, format);
    emit(log, LOG_LEVEL_DEBUG, format, args);
    va_end(args);
}

void log_info(const struct log *log, const char *format, ...) {
    va_list args;

    va_start(args, format);
    emit(log, LOG_LEVEL_INFO, format, args);
    va_end(args);
}

void log_warning(const struct log *log, const char *format, ...) {
    va_list args;

    va_start(args, format);
    emit(log, LOG_LEVEL_WARNING, format, args);
    va_end(args);
}
