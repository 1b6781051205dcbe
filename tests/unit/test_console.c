/* SPDX-License-Identifier: Apache-2.0 */
/* The stream that messages go to. */
#include "engine/base/cleanup.h"
#include "tools/console.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

Test(console, color) {
    struct console console;
    enum color_when when;
    struct err err;

    setenv("TERM", "xterm", 1);
    unsetenv("NO_COLOR");
    cr_expect_eq(console_parse_color("always", &when, &err), 0);
    console_init(&console, -1, when, VERBOSITY_NORMAL);
    cr_expect(console.color);
    cr_expect_eq(console.columns, 0);
    cr_expect_eq(console_parse_color("auto", &when, &err), 0);
    console_init(&console, -1, when, VERBOSITY_NORMAL);
    cr_expect_not(console.color, "no terminal");
    cr_expect_eq(console_parse_color("never", &when, &err), 0);
    cr_expect_eq(console_parse_color("", &when, &err), -EINVAL);
}

Test(console, color_on_a_terminal) {
    static const struct {
        const char *term, *no_color;
        bool color;
    } cases[] = {
        {"xterm", NULL, true}, {"xterm", "", true}, {"xterm", "1", false},
        {"dumb", NULL, false}, {"", NULL, false},
    };
    _cleanup_close_ int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct console console;

    cr_assert_geq(terminal, 0);
    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        setenv("TERM", cases[i].term, 1);
        unsetenv("NO_COLOR");
        if (cases[i].no_color)
            setenv("NO_COLOR", cases[i].no_color, 1);
        console_init(&console, terminal, COLOR_AUTO, VERBOSITY_NORMAL);
        cr_expect_eq(console.color, cases[i].color, "%s", cases[i].term);
        cr_expect_eq(console.columns, 80, "a width that is not known");
    }
}

/* What a console that writes into a pipe says. */
static void expect_said(enum verbosity verbosity, const char *expected) {
    char text[512] = "";
    struct console console;
    int fds[2];

    cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    console_init(&console, fds[1], COLOR_NEVER, verbosity);
    console_log(&console, LOG_LEVEL_DEBUG, "d");
    console_log(&console, LOG_LEVEL_INFO, "i\nj");
    console_log(&console, LOG_LEVEL_WARNING, "w");
    console_error(&console, "e\033");
    cr_expect_gt(read(fds[0], text, sizeof text - 1), 0);
    cr_expect_str_eq(text, expected);
    close(fds[0]);
    close(fds[1]);
}

Test(console, verbosity) {
    expect_said(VERBOSITY_QUIET, "mayfly: e?\n");
    expect_said(VERBOSITY_NORMAL, "mayfly: i j\nmayfly: warning: w\nmayfly: e?\n");
    expect_said(VERBOSITY_DEBUG, "mayfly: d\nmayfly: i j\nmayfly: warning: w\nmayfly: e?\n");
}

Test(console, survives_a_reader_that_is_gone) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct sigaction after;
    struct console console;
    int fds[2];

    signal(SIGPIPE, SIG_DFL);
    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    console_init(&console, fds[1], COLOR_NEVER, VERBOSITY_NORMAL);
    buf_puts(&text, "x\n");
    cr_expect_eq(console_write(&console, &text), -EPIPE);
    cr_expect_eq(console_print(&console, &text), 0);
    sigaction(SIGPIPE, NULL, &after);
    cr_expect_eq(after.sa_handler, SIG_DFL, "programs inherit the default");
    close(fds[1]);
    cr_expect_eq(console_write(&console, &text), -EBADF);
}
