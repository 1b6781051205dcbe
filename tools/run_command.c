/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one-liner: command line to plan, plan to run(), and a line to standard
 * error for each step that ends.  The exit status is the run's; what happens
 * to the report afterwards does not change it.
 */
#include "commands.h"
#include "console.h"
#include "engine/result.h"
#include "engine/run.h"
#include "help.h"
#include "protect.h"
#include "report.h"
#include "run_options.h"
#include "step_line.h"

#include <stdlib.h>
#include <unistd.h>

static void emit_log(void *context, enum log_level level, const char *text) {
    console_log(context, level, text);
}

static void action_started(void *context, const struct plan *plan, size_t index) {
    const struct console *console = context;
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (console->verbosity != VERBOSITY_DEBUG)
        return;
    step_line_started(&line, plan, index);
    if (!buf_failed(&line))
        console_log(console, LOG_LEVEL_DEBUG, line.data);
}

static void action_finished(void *context, const struct plan *plan,
                            const struct action_result *action) {
    struct console *console = context;
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (console->verbosity == VERBOSITY_QUIET)
        return;
    /* An error has a line of its own at the end, and a change of directory is nothing to time. */
    if (console->verbosity != VERBOSITY_DEBUG &&
        (action->outcome == OUTCOME_ERROR ||
         (action->outcome == OUTCOME_OK && plan->actions[action->index].kind == ACTION_WORKDIR)))
        return;
    if (console->columns > 0) /* the window may have another width by now */
        console_update_columns(console);
    step_line_format(
        &line, plan, action,
        &(struct step_line_style){.columns = console->columns, .color = console->color});
    (void)console_write(console, &line);
}

static void start_anew(void *context) {
    (void)context;
    protect_program();
}

static void print_usage(const struct console *console, const struct limits *limits,
                        const struct result *result) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (console->verbosity == VERBOSITY_QUIET || !result->has_usage || !limits_any(limits))
        return;
    step_line_usage(&line, limits, &result->usage, console->color);
    if (line.size > 0)
        (void)console_write(console, &line);
}

/* Returns the exit status. */
static int carry_out(struct run_options *options, struct console *console) {
    struct run_hooks hooks = {
        .log = {.emit = emit_log,
                .context = console,
                .debug = console->verbosity == VERBOSITY_DEBUG},
        .action_started = action_started,
        .action_finished = action_finished,
        .protect_program = start_anew,
        .context = console,
    };
    __attribute__((cleanup(result_done))) struct result result;
    struct err err = {0};
    int status;

    result_init(&result);
    if (options->json && report_check(options->json, &err) < 0) {
        console_error(console, err.message);
        return EXIT_ENGINE;
    }
    if (run(&options->plan, &hooks, &result, &err) < 0)
        console_error(console, err.message);
    status = result.exit_status;
    print_usage(console, &options->plan.limits, &result);
    if (options->json && report_write(options->json, &result, &options->plan, &err) < 0)
        console_error(console, err.message);
    return status;
}

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
        return carry_out(&options, &messages);
    console_init(&out, STDOUT_FILENO, options.color, options.verbosity);
    if (r == RUN_OPTIONS_HELP)
        help_full(&text, out.color);
    else
        help_version(&text);
    return console_print(&out, &text);
}
