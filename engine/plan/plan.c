/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The description of a run: its defaults, and the functions by which a front
 * end fills it in.  Each part is made whole before it is appended, so that a
 * plan never holds half of one, and plan_done() frees a plan in any state.
 *
 * What is wrong with one part by itself is found here, where its text is still
 * at hand; what is wrong between parts is found by plan_check().  Messages
 * name the option that a person would mend, since that is what plans are
 * written with most of the time.
 */
#include "plan.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "plan_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void plan_init(struct plan *plan) {
    *plan = (struct plan){
        .pull = PULL_MISSING,
        .net = NET_BRIDGE,
        .shm_bytes = UINT64_C(64) << 20,
        .oom_score_adj = PLAN_OOM_SCORE_INHERITED,
        .timeout_nsec = CLOCK_NEVER,
        .step_timeout_nsec = CLOCK_NEVER,
        .remember_nsec = 7 * 24 * 3600 * NSEC_PER_SEC,
    };
}

static void volume_done(struct volume *volume) {
    free(volume->source);
    free(volume->target);
}

static void action_done(struct action *action) {
    strv_done(&action->argv);
    free(action->source);
    free(action->target);
}

/* The value, to hand over; what it was taken from then owns nothing. */
static struct volume volume_take(struct volume *volume) {
    struct volume value = *volume;

    *volume = (struct volume){0};
    return value;
}

static struct action action_take(struct action *action) {
    struct action value = *action;

    *action = (struct action){0};
    return value;
}

void plan_done(struct plan *plan) {
    for (size_t i = 0; i < plan->n_volumes; i++)
        volume_done(&plan->volumes[i]);
    for (size_t i = 0; i < plan->n_tmpfs; i++)
        free(plan->tmpfs[i].target);
    for (size_t i = 0; i < plan->n_actions; i++)
        action_done(&plan->actions[i]);
    for (size_t i = 0; i < plan->n_keeps; i++) {
        free(plan->keeps[i].name);
        free(plan->keeps[i].target);
    }
    for (size_t i = 0; i < plan->n_devices; i++) {
        free(plan->devices[i].source);
        free(plan->devices[i].target);
    }
    free(plan->devices);
    free(plan->keeps);
    free(plan->volumes);
    free(plan->tmpfs);
    free(plan->actions);
    strv_done(&plan->env);
    strv_done(&plan->hosts);
    strv_done(&plan->dns);
    strv_done(&plan->dns_search);
    free(plan->image);
    free(plan->name);
    free(plan->hostname);
    free(plan->user);
    free(plan->workdir);
    free(plan->bridge);
    free(plan->network);
    free(plan->ports);
    limits_done(&plan->limits);
    ulimits_done(&plan->ulimits);
    strv_done(&plan->sysctls);
    wishes_done(&plan->wishes);
    free(plan->store);
    confinement_done(&plan->confinement);
    plan_init(plan);
}

/* The option that stands for a kind of action. */
static const char *action_option(enum action_kind kind) {
    switch (kind) {
    case ACTION_WORKDIR:
        return "-W";
    case ACTION_SHELL:
        return "-S";
    case ACTION_EXEC:
        return "-X";
    case ACTION_DOWNLOAD:
        return "-D";
    case ACTION_UPLOAD:
        return "-U";
    case ACTION_COMMIT:
        return "-C";
    }
    return "?";
}

static int fill_argv(struct action *action, const char *const *argv, struct err *err) {
    const char *option = action_option(action->kind);

    if (!argv || !argv[0])
        return err_set(err, -EINVAL, "%s: nothing to run is given", option);
    if (action->kind == ACTION_SHELL) {
        if (argv[1])
            return err_set(err, -EINVAL, "%s takes one command", option);
        if (strv_push(&action->argv, "/bin/sh") < 0 || strv_push(&action->argv, "-c") < 0)
            return err_nomem(err);
    } else if (!argv[0][0]) {
        return err_set(err, -EINVAL, "%s: the program's name is empty", option);
    }
    for (; *argv; argv++)
        if (strv_push(&action->argv, *argv) < 0)
            return err_nomem(err);
    return 0;
}

static int fill_copy(struct action *action, const char *spec, struct err *err) {
    const char *option = action_option(action->kind);
    _cleanup_strv_ struct strv fields = {0};

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    if (fields.n > 2)
        return err_set(err, -EINVAL,
                       "%s '%s': more than SRC:DEST; write a colon of a name as '\\:'", option,
                       spec);
    if (!fields.items[0][0] || (fields.n == 2 && !fields.items[1][0]))
        return err_set(err, -EINVAL, "%s '%s': an empty path; give %s SRC or %s SRC:DEST", option,
                       spec, option, option);
    if (fields.n == 1 && !plan_spec_has_base_name(fields.items[0]))
        return err_set(err, -EINVAL, "%s '%s': the copy needs a name; give %s %s:DEST", option,
                       spec, option, spec);
    action->source = take_ptr(fields.items[0]);
    if (fields.n == 2)
        action->target = take_ptr(fields.items[1]);
    return 0;
}

/* Makes room for one more element of @size bytes; the array stays as it was on failure. */
static int grow(void *array_p, size_t n, size_t size, struct err *err) {
    void *array = reallocarray(*(void **)array_p, n + 1, size);

    if (!array)
        return err_nomem(err);
    *(void **)array_p = array;
    return 0;
}

int plan_add_action(struct plan *plan, enum action_kind kind, const char *const *argv,
                    const char *spec, struct err *err) {
    _cleanup_(action_done) struct action action = {.kind = kind};
    int r = 0;

    switch (kind) {
    case ACTION_SHELL:
    case ACTION_EXEC:
        r = fill_argv(&action, argv, err);
        break;
    case ACTION_WORKDIR:
        if (!spec || !*spec)
            return err_set(err, -EINVAL, "-W: the directory's name is empty");
        r = str_set(&action.target, spec, err);
        break;
    case ACTION_DOWNLOAD:
    case ACTION_UPLOAD:
        r = fill_copy(&action, spec ? spec : "", err);
        break;
    case ACTION_COMMIT:
        if (!spec || !*spec)
            return err_set(err, -EINVAL, "-C: the image's name is empty");
        r = str_set(&action.target, spec, err);
        break;
    }
    if (r < 0)
        return r;
    r = grow(&plan->actions, plan->n_actions, sizeof action, err);
    if (r < 0)
        return r;
    plan->actions[plan->n_actions++] = action_take(&action);
    return 0;
}

int plan_set_arguments(struct plan *plan, const struct strv *words, struct err *err) {
    for (size_t i = 0; i < plan->n_actions; i++)
        for (size_t j = 0; plan->actions[i].kind == ACTION_SHELL && j < words->n; j++)
            if (strv_push(&plan->actions[i].argv, words->items[j]) < 0)
                return err_nomem(err);
    return 0;
}

/* @source as an absolute path; links and ".." in it are left for the kernel to follow. */
static int make_absolute(const char *source, char **ret_path, struct err *err) {
    _cleanup_free_ char *cwd = NULL;
    const char *rest = source;

    if (source[0] == '/')
        return str_set(ret_path, source, err);
    cwd = getcwd(NULL, 0);
    if (!cwd)
        return err_errno(err, "-v '%s': the current directory", source);
    while (rest[0] == '.' && (rest[1] == '/' || !rest[1]))
        rest += 1 + strspn(rest + 1, "/");
    *ret_path = *rest ? str_printf("%s/%s", str_eq(cwd, "/") ? "" : cwd, rest) : take_ptr(cwd);
    return *ret_path ? 0 : err_nomem(err);
}

/*
 * Words between commas, one mode at most; O is podman's cow.  Return: NULL, or the word that is
 * wrong.
 */
static const char *parse_volume_options(char *text, struct volume *volume) {
    static const struct {
        const char *word;
        enum volume_mode mode;
    } modes[] = {{"rw", VOLUME_RW}, {"ro", VOLUME_RO}, {"cow", VOLUME_COW}, {"O", VOLUME_COW}};
    bool has_mode = false;
    char *word;

    while ((word = strsep(&text, ","))) {
        size_t i = 0;

        if (str_eq(word, "z") || str_eq(word, "Z")) {
            volume->label = *word == 'z' ? VOLUME_LABEL_SHARED : VOLUME_LABEL_PRIVATE;
            continue;
        }
        while (i < N_ELEMENTS(modes) && !str_eq(word, modes[i].word))
            i++;
        if (i == N_ELEMENTS(modes) || has_mode)
            return word;
        volume->mode = modes[i].mode;
        has_mode = true;
    }
    return NULL;
}

int plan_add_volume(struct plan *plan, const char *spec, struct err *err) {
    _cleanup_(volume_done) struct volume volume = {.mode = VOLUME_RW};
    _cleanup_strv_ struct strv fields = {0};
    const char *wrong;
    int r;

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    if (fields.n < 2 || fields.n > 3 || !fields.items[0][0])
        return err_set(err, -EINVAL,
                       "-v '%s' is not SRC:DST[:ro|rw|cow]; write a colon of a name as '\\:'",
                       spec);
    wrong = fields.n == 3 ? parse_volume_options(fields.items[2], &volume) : NULL;
    if (wrong)
        return err_set(err, -EINVAL, "-v '%s': unknown option '%s'; use ro, rw, cow, z or Z", spec,
                       wrong);
    r = plan_spec_target(fields.items[1], &volume.target, err);
    if (r < 0)
        return err_wrap(err, "-v '%s'", spec);
    r = make_absolute(fields.items[0], &volume.source, err);
    if (r < 0)
        return r;
    r = grow(&plan->volumes, plan->n_volumes, sizeof volume, err);
    if (r < 0)
        return r;
    plan->volumes[plan->n_volumes++] = volume_take(&volume);
    return 0;
}

char *plan_workdir(const char *base, const char *dir) {
    return *dir == '/' ? strdup(dir) : str_printf("%s/%s", str_eq(base, "/") ? "" : base, dir);
}

int plan_add_env(struct plan *plan, const char *spec, struct err *err) {
    _cleanup_free_ char *assignment = NULL;
    const char *value;

    if (!spec[0] || spec[0] == '=')
        return err_set(err, -EINVAL, "-e '%s': the variable's name is empty; give -e NAME=VALUE",
                       spec);
    if (strchr(spec, '='))
        return strv_set_env(&plan->env, spec) < 0 ? err_nomem(err) : 0;
    value = getenv(spec);
    if (!value)
        return 0;
    assignment = str_printf("%s=%s", spec, value);
    return !assignment || strv_set_env(&plan->env, assignment) < 0 ? err_nomem(err) : 0;
}

int plan_parse_pull(const char *text, enum pull_mode *ret_mode, struct err *err) {
    if (str_eq(text, "missing"))
        *ret_mode = PULL_MISSING;
    else if (str_eq(text, "never"))
        *ret_mode = PULL_NEVER;
    else if (str_eq(text, "always"))
        *ret_mode = PULL_ALWAYS;
    else
        return err_set(err, -EINVAL, "'%s' is not one of missing, never, always", text);
    return 0;
}

/* A word as a shell would have to be given it. */
static void append_word(struct buf *buf, const char *word) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_";

    if (*word && !word[strspn(word, plain)]) {
        buf_puts(buf, word);
        return;
    }
    buf_puts(buf, "'");
    for (; *word; word++) {
        if (*word == '\'')
            buf_puts(buf, "'\\''");
        else
            buf_append(buf, word, 1);
    }
    buf_puts(buf, "'");
}

void action_format(const struct action *action, struct buf *buf) {
    switch (action->kind) {
    case ACTION_WORKDIR:
    case ACTION_COMMIT:
        buf_puts(buf, action->target);
        break;
    case ACTION_SHELL:
        buf_puts(buf, action->argv.items[2]);
        break;
    case ACTION_EXEC:
        for (size_t i = 0; i < action->argv.n; i++) {
            buf_puts(buf, i ? " " : "");
            append_word(buf, action->argv.items[i]);
        }
        break;
    case ACTION_DOWNLOAD:
    case ACTION_UPLOAD:
        plan_spec_escape(buf, action->source);
        if (action->target) {
            buf_puts(buf, ":");
            plan_spec_escape(buf, action->target);
        }
        break;
    }
}
