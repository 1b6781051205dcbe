/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly version" and "mayfly help": the same texts as --version and --help, as words. */
#include "commands.h"
#include "console.h"
#include "engine/result.h"
#include "help.h"

#include <unistd.h>

/* Returns the exit status. */
static int refuse_words(int argc, char **argv) {
    struct console console;
    struct err err;

    if (argc < 2)
        return 0;
    err_set(&err, 0, "'mayfly %s' takes no further words; leave out '%s'", argv[0], argv[1]);
    console_init(&console, STDERR_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    console_error(&console, err.message);
    return EXIT_USAGE;
}

int version_command(int argc, char **argv) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct console console;
    int status = refuse_words(argc, argv);

    if (status)
        return status;
    help_version(&text);
    console_init(&console, STDOUT_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    return console_print(&console, &text);
}

int help_command(int argc, char **argv) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct console console;
    int status = refuse_words(argc, argv);

    if (status)
        return status;
    console_init(&console, STDOUT_FILENO, COLOR_AUTO, VERBOSITY_NORMAL);
    help_full(&text, console.color);
    return console_print(&console, &text);
}
