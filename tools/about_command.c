/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly help" and "mayfly version": what --help and --version show, by words. */
#include "commands.h"
#include "console.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/result.h"
#include "help.h"
#include "rows.h"
#include "verb.h"

#include <sys/utsname.h>
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

/* --- version ------------------------------------------------------------------ */

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    const char **format = job->choice;

    *format = str_eq(options->value, "table") ? NULL : options->value;
    return rows_check_format(options->value, err);
}

/* What docker and podman tell of each of their two sides, which are one here, and so the whole. */
static void add_side(struct value *value, const struct utsname *uts) {
    value_add_text(value, "Version", MAYFLY_VERSION);
    value_add_text(value, "Os", "linux");
    value_add_text(value, "Arch", uts->machine);
    value_add_text(value, "KernelVersion", uts->release);
}

/* No store is opened for that. */
static int tell_version(struct verb_job *job, struct err *err) {
    const char *const *format = job->choice;
    _cleanup_value_ struct value *rows = value_new(VALUE_LIST);
    struct value *whole = value_add(rows, NULL, value_new(VALUE_OBJECT));
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct utsname uts;
    int r = 0;

    (void)uname(&uts);
    add_side(whole, &uts);
    add_side(value_add(whole, "Client", value_new(VALUE_OBJECT)), &uts);
    add_side(value_add(whole, "Server", value_new(VALUE_OBJECT)), &uts);
    if (!*format)
        help_version(&text);
    else if (str_eq(*format, "json"))
        rows_json(&text, whole);
    else
        r = rows_format(&text, *format, NULL, 0, rows, err);
    if (r == 0)
        job->status = console_print(&job->out, &text);
    return r < 0 ? r : VERB_DONE;
}

int version_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"format", 'f', "FORM", "Options", "json, or a template: {{.Version}}", 0},
    };
    static const struct verb verb = {
        .name = "version",
        .words = "",
        .about = "Shows the version.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .apply = apply,
        .prepare = tell_version,
    };
    const char *format = NULL;

    return verb_run(&verb, &format, argc, argv);
}
