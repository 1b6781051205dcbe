/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands about containers and images have in common: words and
 * options, help from the table, the store, messages, and the exit status, which
 * is that of the one-liner where docker's does not differ: 125 for what could
 * not be done, 128+N after a signal.
 */
#include "verb.h"

#include "container_options.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/result.h"
#include "engine/session.h"
#include "help.h"
#include "progress.h"
#include "protect.h"

#include <errno.h>
#include <limits.h>
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
        if (options->spec->id == COMMON_OPTION_WISH)
            r = wishes_set(&job->wishes, options->spec->name, options->value, err);
        else if (options->spec->id == COMMON_OPTION_DEBUG)
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

static int open_stores(struct verb_job *job, struct err *err) {
    enum verb_store opens = job->verb->opens;
    int r = 0;

    if (opens != VERB_OPENS_IMAGES)
        r = containers_open(&job->containers, NULL, &job->log, err);
    if (r == 0 && opens != VERB_OPENS_CONTAINERS)
        r = images_open(&job->images, NULL, &job->log, err);
    if (r == 0 && opens != VERB_OPENS_CONTAINERS)
        images_heed(&job->images, &job->wishes);
    return r;
}

static int carry_out(struct verb_job *job, const struct look *look) {
    const struct verb *verb = job->verb;
    struct progress progress;
    struct err err = {0};
    int r;

    job->log = (struct log){
        .emit = emit_log,
        .context = &job->messages,
        .debug = look->verbosity == VERBOSITY_DEBUG,
        .progress = job->quiet ? NULL : progress_show,
        .progress_context = &progress,
    };
    progress_init(&progress, &job->messages);
    progress.only_news = !verb->brings;
    r = verb->prepare ? verb->prepare(job, &err) : 0;
    if (r == VERB_DONE)
        return job->status;
    if (r == 0)
        r = open_stores(job, &err);
    if (r == 0)
        r = verb->run(job, &err);
    containers_close(&job->containers);
    images_close(&job->images);
    if (job->images.interrupted)
        return 128 + job->images.interrupted;
    if (r != 0)
        console_error(&job->messages, err.message);
    return r == VERB_USAGE ? EXIT_USAGE : r < 0 ? EXIT_ENGINE : job->status;
}

static void append(struct option_spec *specs, size_t *n, const struct option_spec *more,
                   size_t n_more) {
    for (size_t i = 0; i < n_more; i++)
        specs[(*n)++] = more[i];
}

static size_t all_specs(const struct verb *verb, struct option_spec specs[OPTIONS_MAX]) {
    size_t n = 0;

    append(specs, &n, verb->specs, verb->n_specs);
    if (verb->takes_container_options)
        container_options_append(specs, &n);
    if (verb->brings)
        append(specs, &n, bring_specs, N_ELEMENTS(bring_specs));
    if (verb->asks)
        append(specs, &n, ask_specs, N_ELEMENTS(ask_specs));
    append(specs, &n, common_specs, N_ELEMENTS(common_specs));
    /* Docker's and podman's -h is the host name where a container is described. */
    for (size_t i = 0; verb->takes_container_options && i < n; i++)
        if (str_eq(specs[i].name, "help"))
            specs[i].letter = 0;
        else if (str_eq(specs[i].name, "hostname"))
            specs[i].letter = 'h';
    return n;
}

int verb_run(const struct verb *verb, void *choice, int argc, char **argv) {
    _cleanup_free_ char **words = calloc((size_t)argc + 1, sizeof *words);
    struct verb_job job = {.verb = verb,
                           .choice = choice,
                           .words = words,
                           .containers = CONTAINERS_INIT,
                           .images = IMAGES_INIT};
    struct look look = {.color = COLOR_AUTO, .verbosity = VERBOSITY_NORMAL};
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct option_spec specs[OPTIONS_MAX];
    size_t n_specs = all_specs(verb, specs);
    struct options options;
    struct err err = {0};
    int r = words ? 0 : err_nomem(&err), status;

    options_init(&options, specs, n_specs, argc, argv);
    if (r == 0)
        r = parse(&job, &look, &options, &err);
    if (job.quiet && look.verbosity == VERBOSITY_NORMAL)
        look.verbosity = VERBOSITY_QUIET;
    console_init(&job.out, STDOUT_FILENO, look.color, look.verbosity);
    console_init(&job.messages, STDERR_FILENO, look.color, look.verbosity);
    if (r < 0) {
        console_error(&job.messages, err.message);
        status = EXIT_USAGE;
    } else if (r == PARSE_HELP) {
        help_command_text(&text, verb->name, verb->words, verb->about);
        help_options(&text, specs, n_specs, job.out.color);
        status = console_print(&job.out, &text);
    } else {
        status = carry_out(&job, &look);
    }
    wishes_done(&job.wishes);
    return status;
}

void verb_print(struct verb_job *job, const char *format, ...) {
    va_list args;
    int status;

    va_start(args, format);
    status = console_print_line(&job->out, format, args);
    va_end(args);
    if (job->status == 0)
        job->status = status;
}

bool verb_complain(struct verb_job *job, const struct err *err) {
    if (job->images.interrupted)
        return false;
    console_error(&job->messages, err->message);
    job->status = EXIT_ENGINE;
    return true;
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

bool verb_confirm(const struct verb_job *job, const char *question) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    char answer[16] = "";

    buf_printf(&text, "%s [y/N] ", question);
    (void)console_write(&job->messages, &text);
    return fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

int verb_duration(const char *option, const char *value, int *ret_msec, struct err *err) {
    uint64_t nsec;

    if (clock_parse_duration(value, &nsec) < 0 || nsec / NSEC_PER_MSEC > INT_MAX)
        return err_set(err, -EINVAL, "--%s '%s' is not a length of time; write 10, 90s or 10m",
                       option, value);
    *ret_msec = (int)(nsec / NSEC_PER_MSEC);
    return 0;
}

void verb_protect(const struct verb_job *job) {
    if (!session_exposes_program(&job->containers.map))
        return;
    protect_program();
    log_warning(&job->log,
                "the container could change this program's own file: install it as another user's");
}
