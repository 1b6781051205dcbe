/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plan to run(), and a line to standard error for each step that ends.  The
 * exit status is the run's; what happens to the report afterwards does not
 * change it.
 */
#include "run_execute.h"

#include "engine/base/cleanup.h"
#include "engine/matrix/matrix_plan.h"
#include "engine/result.h"
#include "engine/run.h"
#include "progress.h"
#include "report.h"
#include "run_messages.h"

static void emit_log(void *context, enum log_level level, const char *text) {
    console_log(context, level, text);
}

static void action_started(void *context, const struct plan *plan, size_t index) {
    run_messages_started(context, plan, index);
}

static void action_finished(void *context, const struct plan *plan,
                            const struct action_result *action) {
    run_messages_finished(context, plan, action);
}

/* The plan of the one image, with its name in the names that hold it.  Return: the exit status. */
static int run_plan(const struct run_options *options, const struct plan *plan,
                    struct console *console, bool *ret_interrupted) {
    struct progress progress;
    const struct run_hooks hooks = {
        .log = {.emit = emit_log,
                .context = console,
                .debug = console->verbosity == VERBOSITY_DEBUG,
                .progress = console->verbosity == VERBOSITY_QUIET ? NULL : progress_show,
                .progress_context = &progress},
        .action_started = action_started,
        .action_finished = action_finished,
        .protect_program = run_messages_protect,
        .n_shown = run_messages_shown(),
        .context = console,
    };
    __attribute__((cleanup(result_done))) struct result result;
    _cleanup_(json_writer_done) struct json_writer json = JSON_WRITER_INIT;
    struct err err = {0};

    console->n_shown = hooks.n_shown;
    progress_init(&progress, console);
    progress.only_news = true;
    result_init(&result);
    if (run(plan, &hooks, &result, &err) < 0)
        console_error(console, err.message);
    run_messages_ended(console, plan, &result);
    if (options->json) {
        result_to_json(&result, plan, &json);
        buf_puts(&json.buf, "\n");
        if (report_write("--json", options->json, &json.buf, &err) < 0)
            console_error(console, err.message);
    }
    if (ret_interrupted)
        *ret_interrupted = result.outcome == OUTCOME_INTERRUPTED;
    return result.exit_status;
}

static int run_single(const struct run_options *options, struct console *console,
                      bool *ret_interrupted) {
    _cleanup_strv_ struct strv labels = {0};
    struct err err = {0};
    struct plan plan;
    int status = EXIT_ENGINE;

    if (matrix_labels(&options->images, &labels) < 0) {
        err_nomem(&err);
        console_error(console, err.message);
        return EXIT_ENGINE;
    }
    if (matrix_plan_init(&plan, &options->plan, options->images.items[0], labels.items[0], &err) ==
        0)
        status = run_plan(options, &plan, console, ret_interrupted);
    else
        console_error(console, err.message);
    matrix_plan_done(&plan, &options->plan);
    return status;
}

int run_execute(const struct run_options *options, struct console *messages,
                bool *ret_interrupted) {
    struct err err = {0};

    if ((options->json && report_check("--json", options->json, &err) < 0) ||
        (options->junit && report_check("--junit", options->junit, &err) < 0)) {
        console_error(messages, err.message);
        return EXIT_ENGINE;
    }
    if (options->images.n > 1 || options->junit || options->output == OUTPUT_BLOCK ||
        options->output == OUTPUT_PREFIX)
        return matrix_command(options, messages, ret_interrupted);
    return run_single(options, messages, ret_interrupted);
}
