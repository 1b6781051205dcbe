/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to people.  Each line is made whole in memory and leaves in one
 * write(2), so that lines of several mayflies on one terminal do not mix.
 *
 * SIGPIPE is ignored around that write alone: the disposition is inherited by
 * whatever is executed, and a container's programs should find the default.
 */
#include "console.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/result.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80

int console_parse_color(const char *text, enum color_when *ret_when, struct err *err) {
    if (str_eq(text, "auto"))
        *ret_when = COLOR_AUTO;
    else if (str_eq(text, "always"))
        *ret_when = COLOR_ALWAYS;
    else if (str_eq(text, "never"))
        *ret_when = COLOR_NEVER;
    else
        return err_set(err, -EINVAL, "--color '%s' is not one of auto, always, never", text);
    return 0;
}

/* Spec: https://no-color.org */
static bool environment_wants_color(void) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    return !(no_color && *no_color) && term && *term && !str_eq(term, "dumb");
}

void console_update_columns(struct console *console) {
    struct winsize size = {0};

    console->columns = 0;
    if (ioctl(console->fd, TIOCGWINSZ, &size) == 0)
        console->columns = size.ws_col ? size.ws_col : DEFAULT_COLUMNS;
}

void console_init(struct console *console, int fd, enum color_when when, enum verbosity verbosity) {
    *console = (struct console){.fd = fd, .verbosity = verbosity};
    console_update_columns(console);
    console->color = when == COLOR_ALWAYS ||
                     (when == COLOR_AUTO && console->columns > 0 && environment_wants_color());
}

void console_style(struct buf *buf, bool color, enum style style) {
    /* Spec: ECMA-48, section 8.3.117, SGR. */
    static const char *const sequences[] = {
        [STYLE_PLAIN] = "\033[0m", [STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[31m",
        [STYLE_WARN] = "\033[33m", [STYLE_DIM] = "\033[2m",   [STYLE_BOLD] = "\033[1m",
    };

    if (color)
        buf_puts(buf, sequences[style]);
}

void console_styled(struct buf *buf, bool color, enum style style, const char *text) {
    console_style(buf, color && style != STYLE_PLAIN, style);
    buf_puts(buf, text);
    console_style(buf, color && style != STYLE_PLAIN, STYLE_PLAIN);
}

/* Whether the terminal leaves "\n" alone, as in raw mode. */
static bool is_raw(const struct console *console) {
    struct termios t;

    return console->columns > 0 && tcgetattr(console->fd, &t) == 0 &&
           (t.c_oflag & (OPOST | ONLCR)) != (OPOST | ONLCR);
}

int console_write(const struct console *console, const struct buf *text) {
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    _cleanup_buf_ struct buf raw = BUF_INIT;
    int r;

    if (buf_failed(text))
        return -ENOMEM;
    if (!text->data)
        return 0;
    if (console->divert)
        return console->divert(console->context, text);
    if (is_raw(console)) {
        for (const char *p = text->data; *p; p++)
            buf_append(&raw, *p == '\n' ? "\r\n" : p, *p == '\n' ? 2 : 1);
        text = &raw;
        if (buf_failed(text))
            return -ENOMEM;
    }
    sigaction(SIGPIPE, &ignore, &old);
    r = fd_write_all(console->fd, text->data, text->size);
    sigaction(SIGPIPE, &old, NULL);
    return r;
}

int console_print(const struct console *console, const struct buf *text) {
    struct console messages;
    struct err err;
    int r = console_write(console, text);

    if (r == 0 || r == -EPIPE)
        return 0;
    console_init(&messages, STDERR_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    errno = -r;
    err_errno(&err, "standard output");
    console_error(&messages, err.message);
    return EXIT_ENGINE;
}

int console_print_line(const struct console *console, const char *format, va_list args) {
    _cleanup_buf_ struct buf line = BUF_INIT;
    _cleanup_free_ char *text = NULL;

    if (vasprintf(&text, format, args) < 0) {
        text = NULL;
        line.failed = true;
    }
    buf_puts(&line, text ? text : "");
    buf_puts(&line, "\n");
    return console_print(console, &line);
}

void console_error(const struct console *console, const char *text) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    buf_puts(&line, "mayfly: ");
    console_style(&line, console->color, STYLE_BAD);
    text_append_line(&line, text, SIZE_MAX);
    console_style(&line, console->color, STYLE_PLAIN);
    buf_puts(&line, "\n");
    (void)console_write(console, &line);
}

void console_log(const struct console *console, enum log_level level, const char *text) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (console->verbosity == VERBOSITY_QUIET ||
        (level == LOG_LEVEL_DEBUG && console->verbosity != VERBOSITY_DEBUG))
        return;
    buf_puts(&line, "mayfly: ");
    if (level == LOG_LEVEL_WARNING)
        console_styled(&line, console->color, STYLE_WARN, "warning: ");
    if (level == LOG_LEVEL_DEBUG)
        console_style(&line, console->color, STYLE_DIM);
    text_append_line(&line, text, SIZE_MAX);
    if (level == LOG_LEVEL_DEBUG)
        console_style(&line, console->color, STYLE_PLAIN);
    buf_puts(&line, "\n");
    (void)console_write(console, &line);
}
