/* SPDX-License-Identifier: Apache-2.0 */
/* The one-liner: its command line, and what that asks for. */
#include "commands.h"
#include "console.h"
#include "engine/result.h"
#include "help.h"
#include "run_execute.h"
#include "run_options.h"
#include "watch_command.h"

#include <stdlib.h>
#include <unistd.h>

int run_command(int argc, char **argv) {
    __attribute__((cleanup(run_options_done))) struct run_options options;
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct console out, messages;
    struct err err = {0};
    int r = run_options_parse(&options, argc, argv, getenv("MAYFLY_NET"), &err);

    console_init(&messages, STDERR_FILENO, options.color, options.verbosity);
    if (r < 0) {
        console_error(&messages, err.message);
        return EXIT_USAGE;
    }
    if (r == 0)
        return options.watched.n > 0 ? watch_command(&options, &messages)
                                     : run_execute(&options, &messages, NULL);
    console_init(&out, STDOUT_FILENO, options.color, options.verbosity);
    if (r == RUN_OPTIONS_HELP)
        help_full(&text, out.color);
    else
        help_version(&text);
    return console_print(&out, &text);
}
