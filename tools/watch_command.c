/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --watch.  Looking begins before the first run, so that what changes while a
 * run lasts is not missed: it makes the next one follow at once.  Where an
 * earlier run's steps are remembered, running all again is starting with the
 * first step that the change touches.
 */
#include "watch_command.h"

#include "engine/base/cleanup.h"
#include "engine/matrix/matrix_plan.h"
#include "engine/result.h"
#include "engine/signals.h"
#include "engine/watch.h"
#include "run_execute.h"

#include <limits.h>
#include <sys/stat.h>

#define STATUS_BY_CTRL_C (128 + SIGINT)

static void watch_freep(struct watch **watch) {
    watch_free(*watch);
}

/* Where a download of @image's ends up: its target, or its own name in it. */
static int ignore_download(struct watch *watch, const struct action *action) {
    const char *target = action->target ? action->target : ".";
    size_t n = strlen(target), n_source = strlen(action->source);
    const char *base = action->source + n_source;
    _cleanup_free_ char *path = NULL;
    struct stat st;

    while (n_source > 0 && action->source[n_source - 1] == '/')
        n_source--;
    for (base = action->source + n_source; base > action->source && base[-1] != '/';)
        base--;
    if (target[n - 1] != '/' && !(stat(target, &st) == 0 && S_ISDIR(st.st_mode)))
        return watch_ignore(watch, target);
    path = str_printf("%s/%.*s", target, (int)(action->source + n_source - base), base);
    return path ? watch_ignore(watch, path) : -ENOMEM;
}

/* What the runs write themselves. */
static int ignore_outputs(struct watch *watch, const struct run_options *options, struct err *err) {
    _cleanup_strv_ struct strv labels = {0};
    int r = matrix_labels(&options->images, &labels);

    for (size_t i = 0; r == 0 && i < options->images.n; i++) {
        struct plan plan;

        r = matrix_plan_init(&plan, &options->plan, options->images.items[i], labels.items[i], err);
        for (size_t j = 0; r == 0 && j < plan.n_actions; j++)
            if (plan.actions[j].kind == ACTION_DOWNLOAD)
                r = ignore_download(watch, &plan.actions[j]);
        matrix_plan_done(&plan, &options->plan);
    }
    if (r == 0 && options->json)
        r = watch_ignore(watch, options->json);
    if (r == 0 && options->junit)
        r = watch_ignore(watch, options->junit);
    for (size_t i = 0; r == 0 && i < options->plan.n_volumes; i++)
        if (options->plan.volumes[i].mode == VOLUME_RW)
            r = watch_add_writable(watch, options->plan.volumes[i].source);
    return r < 0 ? err_nomem(err) : 0;
}

/* The path as a person in the current directory would write it; borrowed. */
static const char *shown(const char *path) {
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    const char *rest = cwd ? str_after(path, cwd) : NULL;

    return rest && *rest == '/' ? rest + 1 : path;
}

static void say_change(const struct console *messages, struct watch_change *change) {
    struct err text;

    if (change->n == 1)
        err_set(&text, 0, "changed: %s", shown(change->path));
    else
        err_set(&text, 0, "changed: %s and more", shown(change->path));
    console_log(messages, LOG_LEVEL_INFO, text.message);
    free(change->path);
    change->path = NULL;
}

/* One run and the wait for the next.  Return: 0 to go on, 1 with the exit status, -errno. */
static int run_once(struct watch *watch, const struct run_options *options, int signal_fd,
                    struct console *messages, int *ret_status, struct err *err) {
    struct watch_change change = {0};
    bool interrupted = false;
    int r;

    *ret_status = run_execute(options, messages, &interrupted);
    /* On a terminal Ctrl-C is the step's, and means the whole. */
    if (interrupted || (*ret_status == STATUS_BY_CTRL_C && isatty(STDIN_FILENO)))
        return 1;
    r = watch_run_ended(watch, &change, err);
    if (r == 0 && change.n == 0) {
        console_log(messages, LOG_LEVEL_INFO, "watching for changes; Ctrl-C ends it");
        r = watch_wait(watch, signal_fd, &change, err);
    }
    if (r == WATCH_SIGNALLED) {
        free(change.path);
        *ret_status = 128 + signals_next(signal_fd);
        return 1;
    }
    if (r == 0)
        say_change(messages, &change);
    return r;
}

int watch_command(const struct run_options *options, struct console *messages) {
    _cleanup_(watch_freep) struct watch *watch = NULL;
    _cleanup_(signals_release) struct signals signals = SIGNALS_INIT;
    _cleanup_close_ int ends = -1;
    struct err err = {0};
    int r = watch_new(&watch, &options->watched, &err), status = EXIT_ENGINE;

    if (r == 0)
        r = ignore_outputs(watch, options, &err);
    /* Blocked from here on: one that comes between two runs waits to be seen. */
    if (r == 0)
        r = signals_take(&signals, &err);
    if (r == 0) {
        ends = signals_open_ends(&err);
        r = ends < 0 ? ends : 0;
    }
    while (r == 0)
        r = run_once(watch, options, ends, messages, &status, &err);
    if (r > 0)
        return status;
    console_error(messages, err.message);
    return EXIT_ENGINE;
}
