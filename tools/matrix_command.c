/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one-liner for several images: what their runs say, each in its place; a
 * table at the end; reports of them all.
 */
#include "engine/base/cleanup.h"
#include "engine/matrix/matrix.h"
#include "engine/matrix/matrix_json.h"
#include "junit.h"
#include "matrix_output.h"
#include "matrix_table.h"
#include "progress.h"
#include "protect.h"
#include "report.h"
#include "run_execute.h"
#include "run_messages.h"

/** struct matrix_context - of the hooks */
struct matrix_context {
    const struct run_options *options;
    struct matrix matrix;
    struct matrix_output output;
    char **tails; /* for --junit */
    struct progress *progress;
};

static void emit_log(void *context, enum log_level level, const char *text) {
    struct matrix_context *c = context;

    console_log(&c->output.messages, level, text);
}

static void say_image(struct matrix_context *c, size_t run) {
    struct console *console = matrix_output_console(&c->output, run);
    _cleanup_buf_ struct buf line = BUF_INIT;

    if (c->matrix.n_runs == 1 || c->output.mode == OUTPUT_PREFIX ||
        console->verbosity == VERBOSITY_QUIET)
        return;
    buf_puts(&line, "mayfly: ");
    console_style(&line, console->color, STYLE_BOLD);
    buf_printf(&line, "image %zu/%zu: %s", run + 1, c->matrix.n_runs,
               c->matrix.runs[run].plan.image);
    console_style(&line, console->color, STYLE_PLAIN);
    buf_puts(&line, "\n");
    (void)console_write(console, &line);
}

static void begun(void *context, size_t run) {
    say_image(context, run);
}

static void message(void *context, size_t run, enum log_level level, const char *text) {
    struct matrix_context *c = context;

    console_log(matrix_output_console(&c->output, run), level, text);
}

/* Of runs side by side, or whose output is kept, lines. */
static void show_progress(void *context, size_t run, const struct log_progress *step) {
    struct matrix_context *c = context;
    struct progress *progress = &c->progress[run];

    if (!progress->console) {
        progress_init(progress, matrix_output_console(&c->output, run));
        progress->only_news = true;
        progress->bars &= c->output.mode == OUTPUT_LIVE;
    }
    progress_show(progress, step);
}

static void action_started(void *context, size_t run, size_t index) {
    struct matrix_context *c = context;

    run_messages_started(matrix_output_console(&c->output, run), &c->matrix.runs[run].plan, index);
}

static void action_finished(void *context, size_t run, const struct action_result *action) {
    struct matrix_context *c = context;

    if (action->outcome != OUTCOME_OK && !c->tails[run])
        c->tails[run] = matrix_output_tail(&c->output, run);
    matrix_output_mark(&c->output, run);
    run_messages_finished(matrix_output_console(&c->output, run), &c->matrix.runs[run].plan,
                          action);
}

static bool output(void *context, size_t run, int stream, const char *data, size_t size) {
    struct matrix_context *c = context;

    return matrix_output_put(&c->output, run, stream, data, size);
}

static void ended(void *context, size_t run) {
    struct matrix_context *c = context;
    const struct result *result = &c->matrix.runs[run].result;

    if (result->outcome == OUTCOME_ERROR)
        console_error(matrix_output_console(&c->output, run), result->error.message);
    run_messages_ended(matrix_output_console(&c->output, run), &c->matrix.runs[run].plan, result);
    matrix_output_end(&c->output, run);
}

static void print_table(const struct matrix_context *c) {
    struct console console = c->output.messages;
    _cleanup_buf_ struct buf table = BUF_INIT;

    if (c->matrix.n_runs == 1 || console.verbosity == VERBOSITY_QUIET)
        return;
    if (console.columns > 0)
        console_update_columns(&console);
    buf_puts(&table, "\n");
    matrix_table_format(
        &table, &c->matrix,
        &(struct step_line_style){.columns = console.columns, .color = console.color});
    (void)console_write(&console, &table);
}

static void write_reports(const struct matrix_context *c) {
    const struct run_options *options = c->options;
    _cleanup_(json_writer_done) struct json_writer json = JSON_WRITER_INIT;
    _cleanup_buf_ struct buf junit = BUF_INIT;
    struct err err;

    if (options->json) {
        if (c->matrix.n_runs == 1)
            result_to_json(&c->matrix.runs[0].result, &c->matrix.runs[0].plan, &json);
        else
            matrix_to_json(&c->matrix, &json);
        buf_puts(&json.buf, "\n");
        if (report_write("--json", options->json, &json.buf, &err) < 0)
            console_error(&c->output.messages, err.message);
    }
    if (options->junit) {
        junit_format(&junit, &c->matrix, c->tails);
        if (report_write("--junit", options->junit, &junit, &err) < 0)
            console_error(&c->output.messages, err.message);
    }
}

static enum output_mode choose_mode(const struct matrix_context *c) {
    if (c->options->output != OUTPUT_AUTO)
        return c->options->output;
    return c->matrix.jobs > 1 && c->matrix.n_runs > 1 ? OUTPUT_BLOCK : OUTPUT_LIVE;
}

/* Before the first run. */
static void protect(void *context) {
    (void)context;
    protect_program();
}

/* Returns the exit status. */
static int execute(struct matrix_context *c, struct err *err) {
    const struct run_options *options = c->options;
    const struct matrix_hooks hooks = {
        .log = {.emit = emit_log, .context = c, .debug = options->verbosity == VERBOSITY_DEBUG},
        .begun = begun,
        .message = message,
        .progress = options->verbosity == VERBOSITY_QUIET ? NULL : show_progress,
        .action_started = action_started,
        .action_finished = action_finished,
        .output = output,
        .ended = ended,
        .protect_program = protect,
        .context = c,
    };
    int r = matrix_output_init(&c->output, &c->matrix, choose_mode(c), options->color,
                               options->verbosity, err);

    c->tails = calloc(c->matrix.n_runs + 1, sizeof *c->tails);
    c->progress = calloc(c->matrix.n_runs + 1, sizeof *c->progress);
    if (r == 0 && (!c->tails || !c->progress))
        r = err_nomem(err);
    if (r < 0)
        return EXIT_ENGINE;
    c->matrix.captured = c->output.mode != OUTPUT_LIVE || options->junit;
    c->matrix.keep_going = options->keep_going;
    r = matrix_execute(&c->matrix, &hooks, err);
    print_table(c);
    write_reports(c);
    return r < 0 ? EXIT_ENGINE : matrix_exit_status(&c->matrix);
}

int matrix_command(const struct run_options *options, struct console *messages,
                   bool *ret_interrupted) {
    struct matrix_context context = {.options = options};
    struct err err = {0};
    int status = EXIT_USAGE;

    if (matrix_init(&context.matrix, &options->plan, &options->images, options->jobs, &err) == 0)
        status = execute(&context, &err);
    if (ret_interrupted)
        *ret_interrupted = context.matrix.interrupted != 0;
    for (size_t i = 0; context.tails && i < context.matrix.n_runs; i++)
        free(context.tails[i]);
    free(context.tails);
    free(context.progress);
    if (context.output.matrix)
        matrix_output_done(&context.output);
    matrix_done(&context.matrix);
    if (err.code < 0)
        console_error(messages, err.message);
    return status;
}
