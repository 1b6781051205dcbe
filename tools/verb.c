/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands about containers have in common: words and options, help
 * from the table, the store, messages, and the exit status, which is that of the
 * one-liner where docker's does not differ.
 */
#include "verb.h"

#include "container_options.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/result.h"
#include "help.h"
#include "progress.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* The options that all have; the commands' own ids are from 0 on. */
enum common_option {
    COMMON_OPTION_DEBUG = 1000,
    COMMON_OPTION_COLOR,
    COMMON_OPTION_HELP,
};

static const struct option_spec common_specs[] = {
    {"debug", 0, NULL, "Messages", "also say what is done on the way", COMMON_OPTION_DEBUG},
    {"color", 0, "WHEN", "Messages",
     "auto (default), always or never; auto heeds NO_COLOR and TERM=dumb", COMMON_OPTION_COLOR},
    {"help", 0, NULL, "Messages", "show this help", COMMON_OPTION_HELP},
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

static int check_words(const struct verb_job *job, struct err *err) {
    const struct verb *verb = job->verb;

    if (job->n_words > verb->n_words_max && verb->n_words_max == 0)
        return err_set(err, -EINVAL, "'mayfly %s' takes no words; leave out '%s'", verb->name,
                       job->words[0]);
    if (job->n_words > verb->n_words_max)
        return err_set(err, -EINVAL, "'%s' is too much: mayfly %s %s",
                       job->words[verb->n_words_max], verb->name, verb->words);
    if (job->n_words < verb->n_words_min)
        return err_set(err, -EINVAL, "something is missing: mayfly %s %s", verb->name, verb->words);
    return 0;
}

static void take_word(struct verb_job *job, struct options *options) {
    job->words[job->n_words++] = (char *)options->value;
    options_take_word(options);
    if (job->n_words != job->verb->options_end)
        return;
    for (char **rest = options_rest(options); *rest; rest++)
        job->words[job->n_words++] = *rest;
}

static int parse(struct verb_job *job, struct look *look, struct options *options,
                 struct err *err) {
    int r;

    while ((r = options_next(options, err)) == 0 || r == OPTIONS_WORD) {
        if (r == OPTIONS_WORD) {
            take_word(job, options);
            continue;
        }
        if (options->spec->id == COMMON_OPTION_HELP)
            return PARSE_HELP;
        if (options->spec->id == COMMON_OPTION_DEBUG)
            look->verbosity = VERBOSITY_DEBUG;
        else if (options->spec->id == COMMON_OPTION_COLOR)
            r = console_parse_color(options->value, &look->color, err);
        else
            r = job->verb->apply(job, options, err);
        if (r < 0)
            return r;
    }
    return r < 0 ? r : check_words(job, err);
}

static int carry_out(struct verb_job *job, const struct look *look) {
    struct progress progress;
    struct err err = {0};
    int r;

    progress_init(&progress, &job->messages);
    progress.only_news = true;
    job->log = (struct log){.emit = emit_log,
                            .context = &job->messages,
                            .debug = look->verbosity == VERBOSITY_DEBUG,
                            .progress = progress_show,
                            .progress_context = &progress};
    r = containers_open(&job->containers, NULL, &job->log, &err);
    if (r == 0)
        r = job->verb->run(job, &err);
    containers_close(&job->containers);
    if (r != 0)
        console_error(&job->messages, err.message);
    return r == VERB_USAGE ? EXIT_USAGE : r < 0 ? EXIT_ENGINE : job->status;
}

static size_t all_specs(const struct verb *verb, struct option_spec specs[OPTIONS_MAX]) {
    size_t n = 0;

    for (size_t i = 0; i < verb->n_specs; i++)
        specs[n++] = verb->specs[i];
    if (verb->takes_container_options)
        container_options_append(specs, &n);
    for (size_t i = 0; i < N_ELEMENTS(common_specs); i++)
        specs[n++] = common_specs[i];
    return n;
}

int verb_run(const struct verb *verb, void *choice, int argc, char **argv) {
    _cleanup_free_ char **words = calloc((size_t)argc + 1, sizeof *words);
    struct verb_job job = {
        .verb = verb, .choice = choice, .words = words, .containers = CONTAINERS_INIT};
    struct look look = {.color = COLOR_AUTO, .verbosity = VERBOSITY_NORMAL};
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct option_spec specs[OPTIONS_MAX];
    size_t n_specs = all_specs(verb, specs);
    struct options options;
    struct err err = {0};
    int r = words ? 0 : err_nomem(&err);

    options_init(&options, specs, n_specs, argc, argv);
    if (r == 0)
        r = parse(&job, &look, &options, &err);
    console_init(&job.out, STDOUT_FILENO, look.color, look.verbosity);
    console_init(&job.messages, STDERR_FILENO, look.color, look.verbosity);
    if (r < 0) {
        console_error(&job.messages, err.message);
        return EXIT_USAGE;
    }
    if (r == PARSE_HELP) {
        help_command_text(&text, verb->name, verb->words, verb->about);
        help_options(&text, specs, n_specs, job.out.color);
        return console_print(&job.out, &text);
    }
    return carry_out(&job, &look);
}

void verb_print(struct verb_job *job, const char *format, ...) {
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

void verb_complain(struct verb_job *job, const struct err *err) {
    console_error(&job->messages, err->message);
    job->status = EXIT_ENGINE;
}

int verb_for_each(struct verb_job *job, size_t from,
                  int (*act)(struct verb_job *job, struct kept *kept, struct err *err), bool print,
                  struct err *err) {
    for (size_t i = from; i < job->n_words; i++) {
        _cleanup_kept_ struct kept kept = KEPT_INIT;
        int r = containers_find(&job->containers, job->words[i], &kept, err);

        if (r == 0)
            r = act(job, &kept, err);
        if (r < 0)
            verb_complain(job, err);
        else if (print)
            verb_print(job, "%s", job->words[i]);
    }
    return 0;
}

int verb_duration(const char *option, const char *value, int *ret_msec, struct err *err) {
    uint64_t nsec;

    if (clock_parse_duration(value, &nsec) < 0 || nsec / NSEC_PER_MSEC > INT_MAX)
        return err_set(err, -EINVAL, "--%s '%s' is not a length of time; write 10, 90s or 10m",
                       option, value);
    *ret_msec = (int)(nsec / NSEC_PER_MSEC);
    return 0;
}
