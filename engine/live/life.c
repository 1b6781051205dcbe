/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that lives longer is described by words alone, names and values,
 * which are kept as they were given and read again at each start: what a new
 * option needs is a row here, or in plan_option.c, and nothing else.
 */
#include "life.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/plan/plan_option.h"
#include "engine/plan/plan_spec.h"
#include "engine/signal_name.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>

#define STOP_TIMEOUT_NSEC (10 * NSEC_PER_SEC)
#define LOG_MAX_BYTES (UINT64_C(64) << 20)
#define LOG_MIN_BYTES (UINT64_C(4) << 10)

void life_init(struct life *life) {
    *life = (struct life){
        .stop_timeout_nsec = STOP_TIMEOUT_NSEC,
        .log_max_bytes = LOG_MAX_BYTES,
        .health = {.interval_nsec = 30 * NSEC_PER_SEC,
                   .timeout_nsec = 30 * NSEC_PER_SEC,
                   .retries = 3},
    };
    plan_init(&life->plan);
    life->plan.limits.wanted = true; /* for pause and stats */
}

void life_done(struct life *life) {
    plan_done(&life->plan);
    strv_done(&life->entrypoint);
    strv_done(&life->command);
    strv_done(&life->labels);
    strv_done(&life->annotations);
    strv_done(&life->words);
    free(life->health.command);
    free(life->pid_file);
    life_init(life);
}

static int push(struct strv *strv, const char *value, struct err *err) {
    return strv_push(strv, value) < 0 ? err_nomem(err) : 0;
}

/* A path that an image's reference ends with, relative to the current directory; else NULL. */
static const char *relative_path(const char *reference) {
    static const char *const transports[] = {
        "rootfs:", "tar:", "oci:", "oci-archive:", "docker-archive:"};

    for (size_t i = 0; i < N_ELEMENTS(transports); i++) {
        const char *path = str_after(reference, transports[i]);

        if (path)
            return *path == '/' || str_eq(path, "-") ? NULL : path;
    }
    if (*reference == '.' || (*reference != '/' && access(reference, F_OK) == 0))
        return reference;
    return NULL;
}

static char *lasting_image(const char *reference) {
    const char *path = relative_path(reference);
    _cleanup_free_ char *cwd = path ? getcwd(NULL, 0) : NULL;

    if (!cwd)
        return strdup(reference);
    return str_printf("%.*s%s/%s", (int)(path - reference), reference, cwd, path);
}

static int set_image(struct life *life, const char *value, struct err *err) {
    /* The supervisor that starts it once more has another directory. */
    free(life->plan.image);
    life->plan.image = lasting_image(value);
    return life->plan.image ? 0 : err_nomem(err);
}

static int set_workdir(struct life *life, const char *value, struct err *err) {
    if (*value != '/')
        return err_set(err, -EINVAL, "--workdir '%s' has to begin with '/'", value);
    return str_set(&life->plan.workdir, value, err);
}

static int add_argument(struct life *life, const char *value, struct err *err) {
    return push(&life->command, value, err);
}

static int add_entrypoint(struct life *life, const char *value, struct err *err) {
    life->has_entrypoint = true;
    return *value ? push(&life->entrypoint, value, err) : 0;
}

static int set_terminal(struct life *life, const char *value, struct err *err) {
    (void)value;
    (void)err;
    life->terminal = true;
    return 0;
}

static int set_interactive(struct life *life, const char *value, struct err *err) {
    (void)value;
    (void)err;
    life->keep_stdin = true;
    return 0;
}

static int set_remove(struct life *life, const char *value, struct err *err) {
    (void)value;
    (void)err;
    life->remove = true;
    return 0;
}

static int set_init_system(struct life *life, const char *value, struct err *err) {
    (void)value;
    (void)err;
    life->plan.init_system = true;
    return 0;
}

static int set_lifetime(struct life *life, const char *value, struct err *err) {
    life->dies_with_owner = str_eq(value, "owner");
    if (!life->dies_with_owner && !str_eq(value, "permanent"))
        return err_set(err, -EINVAL, "--lifetime '%s' is neither 'owner' nor 'permanent'", value);
    return 0;
}

static int set_restart(struct life *life, const char *value, struct err *err) {
    const char *max = str_after(value, "on-failure:");
    uint64_t n = 0;

    if (str_eq(value, "on-failure") || (max && str_to_u64(max, INT_MAX, &n) == 0 && n > 0))
        life->restart = RESTART_ON_FAILURE;
    else if (str_eq(value, "always") || str_eq(value, "unless-stopped"))
        life->restart = RESTART_ALWAYS;
    else if (str_eq(value, "no"))
        life->restart = RESTART_NO;
    else
        return err_set(err, -EINVAL, "--restart '%s' is none of no, on-failure[:N] and always",
                       value);
    life->restart_max = (unsigned)n;
    return 0;
}

static int set_stop_signal(struct life *life, const char *value, struct err *err) {
    int signal = signal_name_parse(value, err);

    if (signal < 0)
        return err_wrap(err, "--stop-signal");
    life->stop_signal = signal;
    return 0;
}

static int set_stop_timeout(struct life *life, const char *value, struct err *err) {
    if (str_eq(value, "-1")) {
        life->stop_timeout_nsec = CLOCK_NEVER;
        return 0;
    }
    return plan_spec_duration("stop-timeout", value, &life->stop_timeout_nsec, err);
}

static int set_health_command(struct life *life, const char *value, struct err *err) {
    if (!*value || str_eq(value, "none")) {
        free(life->health.command);
        life->health.command = NULL;
        return 0;
    }
    return str_set(&life->health.command, value, err);
}

static int set_health_interval(struct life *life, const char *value, struct err *err) {
    int r = plan_spec_duration("health-interval", value, &life->health.interval_nsec, err);

    if (r == 0 && life->health.interval_nsec == 0)
        return err_set(err, -EINVAL, "--health-interval 0 leaves no time between two looks");
    return r;
}

static int set_health_timeout(struct life *life, const char *value, struct err *err) {
    return plan_spec_duration("health-timeout", value, &life->health.timeout_nsec, err);
}

static int set_health_start_period(struct life *life, const char *value, struct err *err) {
    return plan_spec_duration("health-start-period", value, &life->health.start_period_nsec, err);
}

static int set_health_retries(struct life *life, const char *value, struct err *err) {
    uint64_t n;

    if (str_to_u64(value, INT_MAX, &n) < 0 || n == 0)
        return err_set(err, -EINVAL, "--health-retries '%s' is no number from 1 on", value);
    life->health.retries = (unsigned)n;
    return 0;
}

static int add_pair(struct strv *strv, const char *option, const char *value, struct err *err) {
    _cleanup_free_ char *pair = NULL;

    if (*value == '=' || !*value)
        return err_set(err, -EINVAL, "--%s '%s' is not NAME[=VALUE]", option, value);
    pair = strchr(value, '=') ? strdup(value) : str_printf("%s=", value);
    return !pair || strv_set_env(strv, pair) < 0 ? err_nomem(err) : 0;
}

static int add_label(struct life *life, const char *value, struct err *err) {
    return add_pair(&life->labels, "label", value, err);
}

static int add_annotation(struct life *life, const char *value, struct err *err) {
    return add_pair(&life->annotations, "annotation", value, err);
}

static int set_log_driver(struct life *life, const char *value, struct err *err) {
    static const char *const files[] = {"file", "json-file", "k8s-file", "local"};

    life->log_off = str_eq(value, "none");
    for (size_t i = 0; i < N_ELEMENTS(files); i++)
        if (str_eq(value, files[i]))
            return 0;
    if (!life->log_off)
        return err_set(err, -EINVAL, "--log-driver '%s' is neither 'file' nor 'none'", value);
    return 0;
}

static int set_log_option(struct life *life, const char *value, struct err *err) {
    const char *size = str_after(value, "max-size=");

    if (!size)
        return err_set(err, -EINVAL, "--log-opt '%s' is not max-size=SIZE", value);
    if (plan_parse_size(size, &life->log_max_bytes) < 0 || life->log_max_bytes < LOG_MIN_BYTES)
        return err_set(err, -EINVAL, "--log-opt max-size=%s is not a size of 4k or more", size);
    return 0;
}

static int set_pid_file(struct life *life, const char *value, struct err *err) {
    return str_set(&life->pid_file, value, err);
}

static const struct life_option {
    const char *name;
    int (*apply)(struct life *life, const char *value, struct err *err);
} life_options[] = {
    {"image", set_image},
    {"argument", add_argument},
    {"entrypoint", add_entrypoint},
    {"workdir", set_workdir},
    {"tty", set_terminal},
    {"interactive", set_interactive},
    {"rm", set_remove},
    {"init-system", set_init_system},
    {"lifetime", set_lifetime},
    {"restart", set_restart},
    {"stop-signal", set_stop_signal},
    {"stop-timeout", set_stop_timeout},
    {"health-cmd", set_health_command},
    {"health-interval", set_health_interval},
    {"health-timeout", set_health_timeout},
    {"health-start-period", set_health_start_period},
    {"health-retries", set_health_retries},
    {"label", add_label},
    {"annotation", add_annotation},
    {"log-driver", set_log_driver},
    {"log-opt", set_log_option},
    {"pidfile", set_pid_file},
};

static const struct life_option *find_option(const char *name) {
    for (size_t i = 0; i < N_ELEMENTS(life_options); i++)
        if (str_eq(life_options[i].name, name))
            return &life_options[i];
    return NULL;
}

bool life_is_lasting(const char *name) {
    return find_option(name) && !str_eq(name, "image") && !str_eq(name, "workdir");
}

static int apply(struct life *life, const char *name, const char *value, struct err *err) {
    const struct life_option *option = find_option(name);

    return option ? option->apply(life, value, err) : plan_option(&life->plan, name, value, err);
}

static void append_escaped(struct buf *buf, const char *text) {
    for (; *text; text++) {
        if (*text == ':' || *text == '\\')
            buf_puts(buf, "\\");
        buf_append(buf, text, 1);
    }
}

/* A value that will mean the same to another process, at another time; NULL: nothing is set. */
static char *lasting_value(const struct life *life, const char *name, const char *value) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    const struct volume *volume;

    if (str_eq(name, "env") && !strchr(value, '=')) {
        const char *found = getenv(value);

        return found ? str_printf("%s=%s", value, found) : NULL;
    }
    if (str_eq(name, "image"))
        return strdup(life->plan.image);
    if (!str_eq(name, "volume") || *value == '/')
        return strdup(value);
    volume = &life->plan.volumes[life->plan.n_volumes - 1];
    append_escaped(&text, volume->source);
    buf_puts(&text, ":");
    append_escaped(&text, volume->target);
    buf_puts(&text, volume->mode == VOLUME_RO    ? ":ro"
                    : volume->mode == VOLUME_COW ? ":cow"
                                                 : ":rw");
    if (volume->label != VOLUME_LABEL_OWN)
        buf_puts(&text, volume->label == VOLUME_LABEL_SHARED ? ",z" : ",Z");
    return buf_take(&text);
}

int life_set(struct life *life, const char *name, const char *value, struct err *err) {
    bool is_unset_env = value && str_eq(name, "env") && !strchr(value, '=') && !getenv(value);
    int r = apply(life, name, value, err);

    if (r < 0 || is_unset_env)
        return r;
    if (strv_push(&life->words, name) < 0 ||
        strv_push_take(&life->words, value ? lasting_value(life, name, value) : strdup("")) < 0)
        return err_nomem(err);
    return 0;
}

void life_write(const struct life *life, struct buf *buf) {
    for (size_t i = 0; i < life->words.n; i++)
        buf_append(buf, life->words.items[i], strlen(life->words.items[i]) + 1);
}

int life_read(struct life *life, const char *data, size_t size, struct err *err) {
    const char *p = data, *end = data + size;
    bool is_whole = size > 0 && end[-1] == '\0';
    int r = 0;

    while (r == 0 && is_whole && p < end) {
        const char *value = p + strlen(p) + 1;

        is_whole = value < end;
        r = is_whole ? life_set(life, p, value, err) : 0;
        p = is_whole ? value + strlen(value) + 1 : end;
    }
    if (!is_whole)
        return err_set(err, -EINVAL, "the container's description is damaged: it is cut short");
    return r < 0 ? err_wrap(err, "the container's description is damaged") : 0;
}

int life_check(const struct life *life, struct err *err) {
    if (life->remove && life->restart != RESTART_NO)
        return err_set(err, -EINVAL, "--rm and --restart exclude each other");
    if (life->plan.init_system && life->plan.user)
        return err_set(err, -EINVAL,
                       "--init-system and -u exclude each other: the image's init runs as root");
    return plan_check(&life->plan, err);
}

static int append(struct strv *to, const struct strv *from) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = strv_push(to, from->items[i]);
    return r;
}

int life_argv(const struct life *life, const struct image_config *config, struct strv *ret_argv,
              struct err *err) {
    bool own_command = life->command.n > 0 || life->has_entrypoint;
    int r = 0;

    if (life->plan.init_system && !own_command)
        return push(ret_argv, "/sbin/init", err);
    if (life->has_entrypoint)
        r = append(ret_argv, &life->entrypoint);
    else if (!life->plan.init_system)
        r = append(ret_argv, &config->entrypoint);
    if (r == 0)
        r = append(ret_argv, own_command ? &life->command : &config->cmd);
    if (r < 0)
        return err_nomem(err);
    if (ret_argv->n == 0 || !*ret_argv->items[0])
        return err_set(err, -EINVAL, "the image %s says no program to run: name one after it",
                       life->plan.image);
    return 0;
}

bool life_has_label(const struct life *life, const char *wanted) {
    size_t n = strlen(wanted);

    for (size_t i = 0; i < life->labels.n; i++) {
        const char *label = life->labels.items[i];

        if (str_eq(label, wanted) ||
            (!strchr(wanted, '=') && strncmp(label, wanted, n) == 0 && label[n] == '='))
            return true;
    }
    return false;
}

int life_stop_signal(const struct life *life, const struct image_config *config) {
    int signal = config->stop_signal ? signal_name_parse(config->stop_signal, NULL) : -1;

    return life->stop_signal ? life->stop_signal : signal > 0 ? signal : SIGTERM;
}
