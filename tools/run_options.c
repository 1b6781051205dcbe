/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the one-liner's command line to a plan.  Options may stand anywhere and
 * the last of a kind wins; actions keep their order, which is the order in
 * which getopt hands them over.  Nothing is looked at but the words: whether a
 * volume or an image exists is found out by the run.
 */
#include "run_options.h"

#include "brace.h"
#include "container_options.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/plan/plan_option.h"
#include "run_file.h"

#include <errno.h>
#include <fcntl.h>

#define JOBS_MAX 1024
#define FILE_BYTES_MAX (1 << 20)
/* Of files of options that name each other. */
#define FILE_DEPTH_MAX 10

void run_options_done(struct run_options *run) {
    plan_done(&run->plan);
    strv_done(&run->images);
    strv_done(&run->file_images);
    strv_done(&run->watched);
    free(run->file);
    free(run->json);
    free(run->junit);
}

/** struct source - where options are read from */
struct source {
    const char *directory; /* of a file; NULL: the command line */
    unsigned depth;        /* of files named in files */
};

/* An image, or a list of them in braces; those of the command line count alone if it has any. */
static int add_images(struct run_options *run, const char *value, const struct source *source,
                      struct err *err) {
    struct strv *images = source->directory ? &run->file_images : &run->images;
    _cleanup_strv_ struct strv words = {0};

    if (brace_expand(value, &words, err) < 0)
        return err_wrap(err, "-i '%s'", value);
    for (size_t i = 0; i < words.n; i++) {
        char *image = source->directory
                          ? run_file_rebase("image", words.items[i], source->directory)
                          : strdup(words.items[i]);

        if (strv_push_take(images, image) < 0)
            return err_nomem(err);
    }
    return 0;
}

static int set_jobs(struct run_options *run, const char *value, struct err *err) {
    uint64_t jobs = 0;

    if (!str_eq(value, "auto") && str_to_u64(value, JOBS_MAX, &jobs) < 0)
        return err_set(err, -EINVAL, "-j '%s' is not a number from 0 to %d, or auto", value,
                       JOBS_MAX);
    run->jobs = (size_t)jobs;
    return 0;
}

/* -X PROG ARG... ; */
static int add_exec(struct run_options *run, struct options *options, struct err *err) {
    _cleanup_free_ const char **words = NULL;
    char **rest;
    size_t n;

    if (str_eq(options->value, ";"))
        return err_set(err, -EINVAL, "-X: no program before the ';'; give -X PROG ARG... ';'");
    rest = options_take_words(options, ";", &n);
    words = calloc(n + 2, sizeof *words);
    if (!words)
        return err_nomem(err);
    words[0] = options->value;
    for (size_t i = 0; i < n; i++)
        words[i + 1] = rest[i];
    return plan_add_action(&run->plan, ACTION_EXEC, words, NULL, err);
}

static int set_report(const char *option, const char *value, char **place, struct err *err) {
    if (str_eq(value, "-"))
        return err_set(err, -EINVAL, "%s -: standard output carries the steps' output; name a file",
                       option);
    if (!*value)
        return err_set(err, -EINVAL, "%s: the file's name is empty", option);
    return str_set(place, value, err);
}

/* Options about the run, its messages and the container, the actions being dealt with. */
static int apply_run_option(struct run_options *run, const struct options *options,
                            struct err *err) {
    const char *value = options->value;

    switch ((enum run_option)options->spec->id) {
    case RUN_OPTION_REMEMBER:
    case RUN_OPTION_REMEMBER_FOR:
    case RUN_OPTION_TIMEOUT:
    case RUN_OPTION_STEP_TIMEOUT:
        return plan_run_option(&run->plan, options->spec->name, value, err);
    case RUN_OPTION_NO_REMEMBER:
        run->next_is_transient = true;
        return 0;
    case RUN_OPTION_FORGET:
        run->next_is_forgotten = true;
        return 0;
    case RUN_OPTION_ON_FAILURE:
        if (!str_eq(value, "shell"))
            return err_set(err, -EINVAL, "--on-failure '%s': 'shell' is all that it can be", value);
        run->plan.on_failure_shell = true;
        return 0;
    case RUN_OPTION_JSON:
        return set_report("--json", value, &run->json, err);
    case RUN_OPTION_JUNIT:
        return set_report("--junit", value, &run->junit, err);
    case RUN_OPTION_JOBS:
        return set_jobs(run, value, err);
    case RUN_OPTION_KEEP_GOING:
        run->keep_going = true;
        return 0;
    case RUN_OPTION_OUTPUT:
        return matrix_output_parse_mode(value, &run->output, err);
    case RUN_OPTION_QUIET:
        run->verbosity = VERBOSITY_QUIET;
        return 0;
    case RUN_OPTION_DEBUG:
        run->verbosity = VERBOSITY_DEBUG;
        return 0;
    case RUN_OPTION_COLOR:
        return console_parse_color(value, &run->color, err);
    case RUN_OPTION_HELP:
        return RUN_OPTIONS_HELP;
    case RUN_OPTION_VERSION:
        return RUN_OPTIONS_VERSION;
    default:
        return container_options_apply(&run->plan, options, err);
    }
}

/* --no-remember and --forget are about the step after them. */
static void mark_step(struct run_options *run, size_t n_before) {
    struct action *action = &run->plan.actions[n_before];

    if (run->plan.n_actions == n_before || !action_is_remembered(action))
        return;
    action->transient = run->next_is_transient;
    action->forget = run->next_is_forgotten;
    run->next_is_transient = run->next_is_forgotten = false;
}

/* --watch PATH..., up to the next option. */
static int add_watched(struct run_options *run, struct options *options, struct err *err) {
    const char *path = options->value;

    do {
        if (!*path)
            return err_set(err, -EINVAL, "--watch: the path is empty");
        if (strv_push(&run->watched, path) < 0)
            return err_nomem(err);
        path = options_next_word(options) && options->value[0] != '-' ? options->value : NULL;
        if (path)
            options_take_word(options);
    } while (path);
    return 0;
}

static int parse_file(struct run_options *run, const char *path, unsigned depth, struct err *err);

/* An option of the run's: @options->value is its argument, the paths in it as they are. */
static int apply_rebased(struct run_options *run, struct options *options,
                         const struct source *source, struct err *err) {
    struct plan *plan = &run->plan;
    const char *value = options->value;
    const char *command[] = {value, NULL};

    switch ((enum run_option)options->spec->id) {
    case RUN_OPTION_IMAGE:
        return add_images(run, value, source, err);
    case RUN_OPTION_FILE:
        return parse_file(run, value, source->depth + 1, err);
    case RUN_OPTION_WATCH:
        return add_watched(run, options, err);
    case RUN_OPTION_WORKDIR:
        return plan_add_action(plan, ACTION_WORKDIR, NULL, value, err);
    case RUN_OPTION_SHELLCMD:
        return plan_add_action(plan, ACTION_SHELL, command, NULL, err);
    case RUN_OPTION_EXEC:
        return add_exec(run, options, err);
    case RUN_OPTION_DOWNLOAD:
        return plan_add_action(plan, ACTION_DOWNLOAD, NULL, value, err);
    case RUN_OPTION_UPLOAD:
        return plan_add_action(plan, ACTION_UPLOAD, NULL, value, err);
    case RUN_OPTION_COMMIT:
        return plan_add_action(plan, ACTION_COMMIT, NULL, value, err);
    default:
        return apply_run_option(run, options, err);
    }
}

static int apply(struct run_options *run, struct options *options, const struct source *source,
                 struct err *err) {
    _cleanup_free_ char *value = NULL;
    size_t n_before = run->plan.n_actions;
    int r;

    if (source->directory && options->value && options->spec->id != RUN_OPTION_IMAGE) {
        value = run_file_rebase(options->spec->name, options->value, source->directory);
        if (!value)
            return err_nomem(err);
        options->value = value;
    }
    r = apply_rebased(run, options, source, err);
    if (r == 0)
        mark_step(run, n_before);
    return r;
}

/* The words that belong to no option, behind a file of options. */
static int take_arguments(struct run_options *run, struct options *options, struct err *err) {
    _cleanup_strv_ struct strv words = {0};

    if (!run->file)
        return err_set(err, -EINVAL, "'%s' is no option; a command is given as -S '%s'",
                       options->value, options->value);
    if (strv_push(&words, run->file) < 0)
        return err_nomem(err);
    do {
        if (strv_push(&words, options->value) < 0)
            return err_nomem(err);
        options_take_word(options);
    } while (options_next_word(options));
    return plan_set_arguments(&run->plan, &words, err);
}

/* Return: as run_options_parse(). */
static int parse_words(struct run_options *run, int argc, char **argv, const struct source *source,
                       struct err *err) {
    struct option_spec specs[OPTIONS_MAX];
    struct options options;
    int r;

    options_init(&options, specs, run_options_specs(specs), argc, argv);
    while ((r = options_next(&options, err)) == 0) {
        int place = options_place();

        r = apply(run, &options, source, err);
        if (r != 0)
            return r;
        if (options.spec->id == RUN_OPTION_FILE)
            options_resume(&options, place);
    }
    if (r == OPTIONS_WORD && source->directory)
        return err_set(err, -EINVAL, "'%s' is too much", options.value);
    if (r == OPTIONS_WORD)
        return take_arguments(run, &options, err);
    return r < 0 ? r : 0;
}

static int read_file(const char *path, char **ret_text, size_t *ret_size, struct err *err) {
    _cleanup_close_ int fd = -1;
    int r;

    if (str_eq(path, "-")) {
        r = fd_read_all(STDIN_FILENO, FILE_BYTES_MAX, ret_text, ret_size);
    } else {
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        r = fd < 0 ? -errno : fd_read_all(fd, FILE_BYTES_MAX, ret_text, ret_size);
    }
    if (r == 0)
        return 0;
    errno = -r;
    err_errno(err, "-f %s", path);
    return -EINVAL;
}

static int parse_file(struct run_options *run, const char *path, unsigned depth, struct err *err) {
    const char *slash = strrchr(path, '/');
    _cleanup_free_ char *directory =
        !slash ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    const struct source source = {.directory = directory, .depth = depth};
    _cleanup_(run_file_done) struct run_file file = {0};
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r;

    if (!directory)
        return err_nomem(err);
    if (depth > FILE_DEPTH_MAX)
        return err_set(err, -EINVAL, "-f %s: files name each other %d deep", path, FILE_DEPTH_MAX);
    r = read_file(path, &text, &size, err);
    if (r == 0)
        r = run_file_parse(&file, path, text, size, err);
    if (r == 0 && depth == 1)
        r = str_set(&run->file, path, err);
    for (size_t i = 0; r == 0 && i < file.n_lines; i++) {
        const struct run_file_line *line = &file.lines[i];

        r = parse_words(run, (int)line->words.n, line->words.items, &source, err);
        if (r < 0)
            err_wrap(err, "%s:%u", path, line->number);
    }
    return r;
}

static int check(struct run_options *run, struct err *err) {
    if (run->images.n == 0) {
        run->images = run->file_images;
        run->file_images = (struct strv){0};
    }
    if (run->images.n > 0 && str_set(&run->plan.image, run->images.items[0], err) < 0)
        return -ENOMEM;
    if (run->output == OUTPUT_LIVE && run->jobs != 1 && run->images.n > 1)
        return err_set(err, -EINVAL,
                       "--output live shows one image at a time; leave it out, or -j");
    return plan_check(&run->plan, err);
}

int run_options_parse(struct run_options *run, int argc, char **argv, const char *default_net,
                      struct err *err) {
    const struct source source = {0};
    int r;

    *run = (struct run_options){.jobs = 1, .verbosity = VERBOSITY_NORMAL, .color = COLOR_AUTO};
    plan_init(&run->plan);
    if (default_net && *default_net && plan_set_net(&run->plan, default_net, err) < 0)
        return err_wrap(err, "MAYFLY_NET");
    r = parse_words(run, argc, argv, &source, err);
    if (r == 0 && (run->next_is_transient || run->next_is_forgotten))
        return err_set(err, -EINVAL, "%s stands before the step that it is about; none follows",
                       run->next_is_forgotten ? "--forget" : "--no-remember");
    return r == 0 ? check(run, err) : r;
}
