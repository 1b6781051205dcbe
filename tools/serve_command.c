/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly serve --stdio": containers for a program in another language, by messages. */
#include "commands.h"
#include "console.h"
#include "engine/base/cleanup.h"
#include "engine/lib/serve.h"
#include "engine/result.h"
#include "help.h"
#include "options.h"

#include <errno.h>
#include <unistd.h>

enum serve_option {
    SERVE_OPTION_STDIO,
    SERVE_OPTION_HELP,
};

static const struct option_spec specs[] = {
    {"stdio", 0, NULL, "Options", "requests come on standard input, answers go to standard output",
     SERVE_OPTION_STDIO},
    {"help", 'h', NULL, "Options", "show this help", SERVE_OPTION_HELP},
};

static const char about[] =
    "Starts containers, runs programs in them and copies files for another program, which sends "
    "JSON-RPC 2.0 messages, each behind its length in four bytes, the most significant first "
    "(Erlang's {packet, 4}). When its end of standard input is closed, or it dies, everything that "
    "it has started is ended and unwound.";

int serve_command(int argc, char **argv) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct console console, messages;
    struct options options;
    struct err err = {0};
    bool is_stdio = false;
    int r;

    console_init(&console, STDOUT_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    console_init(&messages, STDERR_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    options_init(&options, specs, N_ELEMENTS(specs), argc, argv);
    while ((r = options_next(&options, &err)) == 0) {
        if (options.spec->id == SERVE_OPTION_HELP) {
            help_command_text(&text, "serve", "", about);
            help_options(&text, specs, N_ELEMENTS(specs), console.color);
            return console_print(&console, &text);
        }
        is_stdio = true;
    }
    if (r == OPTIONS_WORD)
        r = err_set(&err, -EINVAL, "'mayfly serve' takes no words; leave out '%s'", options.value);
    else if (r != OPTIONS_END)
        r = -EINVAL;
    else if (!is_stdio)
        r = err_set(&err, -EINVAL, "say where requests come from: mayfly serve --stdio");
    if (r < 0) {
        console_error(&messages, err.message);
        return EXIT_USAGE;
    }
    if (serve(STDIN_FILENO, STDOUT_FILENO, &err) < 0) {
        console_error(&messages, err.message);
        return EXIT_ENGINE;
    }
    return 0;
}
