/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONSOLE_H
#define MAYFLY_CONSOLE_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum color_when {
    COLOR_AUTO, /* on a terminal, unless NO_COLOR is set or TERM is "dumb" or missing */
    COLOR_ALWAYS,
    COLOR_NEVER,
};

enum verbosity {
    VERBOSITY_QUIET, /* errors alone */
    VERBOSITY_NORMAL,
    VERBOSITY_DEBUG,
};

enum style {
    STYLE_PLAIN,
    STYLE_GOOD,
    STYLE_BAD,
    STYLE_WARN,
    STYLE_DIM,
    STYLE_BOLD,
};

/**
 * struct console - a stream that people read
 * @fd: borrowed
 * @color: whether to write colours
 * @columns: the terminal's width; 0 when it is no terminal
 * @n_remembered, @n_shown: lines about remembered steps so far; of these the ones that were written
 *                          before this program started anew, see run_messages_protect()
 * @divert: takes what would be written to @fd, as console_write() does; NULL: it is written
 * @context: handed to it
 */
struct console {
    int fd;
    bool color;
    size_t columns;
    enum verbosity verbosity;
    size_t n_remembered;
    size_t n_shown;
    int (*divert)(void *context, const struct buf *text);
    void *context;
};

/** console_parse_color() - "auto", "always" or "never".  Return: 0 or -EINVAL with a text. */
int console_parse_color(const char *text, enum color_when *ret_when, struct err *err);

void console_init(struct console *console, int fd, enum color_when when, enum verbosity verbosity);

/** console_style() - append the sequence that begins a style (STYLE_PLAIN ends all); nothing
 * without @color. */
void console_style(struct buf *buf, bool color, enum style style);

/** console_styled() - append a text in a style, plain after it. */
void console_styled(struct buf *buf, bool color, enum style style, const char *text);

/**
 * console_write() - write whole lines, in one piece where the stream allows
 *
 * Never raises SIGPIPE.  On a terminal that does not turn "\n" into a new line (raw mode) the
 * line's beginning is written as well.
 * Return: 0 or -errno.
 */
int console_write(const struct console *console, const struct buf *text);

/**
 * console_print() - write the text that a command was asked for
 *
 * Return: the exit status: 0, or EXIT_ENGINE after a message to standard error.  A reader that has
 * gone away is no failure.
 */
int console_print(const struct console *console, const struct buf *text);

/** console_print_line() - the same of one line, its end added. */
int console_print_line(const struct console *console, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/** console_update_columns() - ask the terminal for its width anew. */
void console_update_columns(struct console *console);

/** console_error() - "mayfly: TEXT"; a stream that cannot be written to is given up silently. */
void console_error(const struct console *console, const char *text);

/** console_log() - a message of the engine, where the verbosity wants it. */
void console_log(const struct console *console, enum log_level level, const char *text);

#endif
