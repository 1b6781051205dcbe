/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands about images have in common: words and options in any
 * order, help from the table, the store, messages, and the exit status, which
 * is that of the one-liner: 125 for what could not be done, 128+N after a signal.
 */
#include "image_command.h"

#include "engine/base/cleanup.h"
#include "engine/result.h"
#include "help.h"
#include "progress.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The options that all have; the commands' own ids are from 0 on. */
enum common_option {
    COMMON_OPTION_WISH = 1000,
    COMMON_OPTION_DEBUG,
    COMMON_OPTION_COLOR,
    COMMON_OPTION_HELP,
};

static const struct option_spec common_specs[] = {
    {"debug", 0, NULL, "Messages", "also say what is done on the way", COMMON_OPTION_DEBUG},
    {"color", 0, "WHEN", "Messages",
     "auto (default), always or never; auto heeds NO_COLOR and TERM=dumb", COMMON_OPTION_COLOR},
    {"help", 'h', NULL, "Messages", "show this help", COMMON_OPTION_HELP},
};

/* Of those that bring images; the names are wishes_set()'s. */
static const struct option_spec bring_specs[] = {
    {"platform", 0, "OS/ARCH", "Options",
     "the image for that platform instead of this machine's: linux/arm64, linux/arm/v7",
     COMMON_OPTION_WISH},
    {"max-image-size", 0, "SIZE", "Options",
     "an image that unpacks to more is refused (64g unless set)", COMMON_OPTION_WISH},
};

static const struct option_spec ask_specs[] = {
    {"insecure-registry", 0, "HOST[:PORT]", "Options",
     "a registry that may be spoken to without TLS; may be given several times",
     COMMON_OPTION_WISH},
};

/* Of parse(): the help is wanted. */
#define PARSE_HELP 1

struct look {
    enum color_when color;
    enum verbosity verbosity;
};

static void emit_log(void *context, enum log_level level, const char *text) {
    console_log(context, level, text);
}

static int check_words(const struct image_command *command, const struct image_job *job,
                       struct err *err) {
    if (job->n_words > command->n_words_max && command->n_words_max == 0)
        return err_set(err, -EINVAL, "'mayfly %s' takes no words; leave out '%s'", command->name,
                       job->words[0]);
    if (job->n_words > command->n_words_max)
        return err_set(err, -EINVAL, "'%s' is too much: mayfly %s %s",
                       job->words[command->n_words_max], command->name, command->words);
    if (job->n_words < command->n_words_min)
        return err_set(err, -EINVAL, "something is missing: mayfly %s %s", command->name,
                       command->words);
    return 0;
}

static int parse(const struct image_command *command, struct image_job *job, struct look *look,
                 struct options *options, struct err *err) {
    int r;

    while ((r = options_next(options, err)) == 0 || r == OPTIONS_WORD) {
        if (r == OPTIONS_WORD) {
            job->words[job->n_words++] = options->value;
            options_take_word(options);
            continue;
        }
        if (options->spec->id == COMMON_OPTION_HELP)
            return PARSE_HELP;
        if (options->spec->id == COMMON_OPTION_WISH)
            r = wishes_set(&job->wishes, options->spec->name, options->value, err);
        else if (options->spec->id == COMMON_OPTION_DEBUG)
            look->verbosity = VERBOSITY_DEBUG;
        else if (options->spec->id == COMMON_OPTION_COLOR)
            r = console_parse_color(options->value, &look->color, err);
        else
            r = command->apply(job, options->spec->id, options->value, err);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : check_words(command, job, err);
}

static int carry_out(const struct image_command *command, struct image_job *job,
                     const struct look *look) {
    struct progress progress;
    const struct log log = {.emit = emit_log,
                            .context = &job->messages,
                            .debug = look->verbosity == VERBOSITY_DEBUG,
                            .progress = command->brings && !job->quiet ? progress_show : NULL,
                            .progress_context = &progress};
    struct err err = {0};
    int r;

    progress_init(&progress, &job->messages);
    r = command->prepare ? command->prepare(job, &err) : 0;

    if (r == 0)
        r = images_open(&job->images, NULL, &log, &err);
    if (r == 0)
        images_heed(&job->images, &job->wishes);
    if (r == 0)
        r = command->run(job, &err);
    images_close(&job->images);
    if (job->images.interrupted)
        return 128 + job->images.interrupted;
    if (r < 0) {
        console_error(&job->messages, err.message);
        return EXIT_ENGINE;
    }
    return job->status;
}

int image_command_run(const struct image_command *command, void *choice, int argc, char **argv) {
    _cleanup_free_ const char **words = calloc((size_t)argc, sizeof *words);
    struct image_job job = {.choice = choice, .words = words, .images = IMAGES_INIT};
    struct look look = {.color = COLOR_AUTO, .verbosity = VERBOSITY_NORMAL};
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct option_spec specs[OPTIONS_MAX];
    size_t n_specs = 0;
    struct options options;
    struct err err = {0};
    int r = words ? 0 : err_nomem(&err), status;

    for (size_t i = 0; i < command->n_specs; i++)
        specs[n_specs++] = command->specs[i];
    for (size_t i = 0; command->brings && i < N_ELEMENTS(bring_specs); i++)
        specs[n_specs++] = bring_specs[i];
    for (size_t i = 0; command->asks && i < N_ELEMENTS(ask_specs); i++)
        specs[n_specs++] = ask_specs[i];
    for (size_t i = 0; i < N_ELEMENTS(common_specs); i++)
        specs[n_specs++] = common_specs[i];
    options_init(&options, specs, n_specs, argc, argv);
    if (r == 0)
        r = parse(command, &job, &look, &options, &err);
    console_init(&job.out, STDOUT_FILENO, look.color, look.verbosity);
    console_init(&job.messages, STDERR_FILENO, look.color, look.verbosity);
    if (r < 0) {
        console_error(&job.messages, err.message);
        return EXIT_USAGE;
    }
    if (r == PARSE_HELP) {
        help_command_text(&text, command->name, command->words, command->about);
        help_options(&text, specs, n_specs, job.out.color);
        return console_print(&job.out, &text);
    }
    status = carry_out(command, &job, &look);
    wishes_done(&job.wishes);
    return status;
}

void image_command_print(struct image_job *job, const char *format, ...) {
    _cleanup_buf_ struct buf line = BUF_INIT;
    _cleanup_free_ char *text = NULL;
    va_list args;
    int n, status;

    va_start(args, format);
    n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        text = NULL;
    buf_puts(&line, text ? text : "");
    buf_puts(&line, "\n");
    line.failed |= n < 0;
    status = console_print(&job->out, &line);
    if (job->status == 0)
        job->status = status;
}

bool image_command_complain(struct image_job *job, const struct err *err) {
    if (job->images.interrupted)
        return false;
    console_error(&job->messages, err->message);
    job->status = EXIT_ENGINE;
    return true;
}
