/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says of its programs, as the container that it is made of, or its maker, has it. */
#include "kept_change.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/plan/plan_spec.h"
#include "engine/signal_name.h"
#include "rootfs/manifest_json.h"

#include <ctype.h>
#include <errno.h>
#include <strings.h>

static int copy(struct strv *to, const struct strv *from) {
    int r = 0;

    strv_done(to);
    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = strv_push(to, from->items[i]);
    return r;
}

static int merge(struct strv *to, const struct strv *pairs) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < pairs->n; i++)
        r = strv_set_env(to, pairs->items[i]);
    return r;
}

int kept_change_config(const struct life *life, struct image_config *config, struct err *err) {
    const struct plan *plan = &life->plan;
    int r = merge(&config->env, &plan->env);

    if (r == 0)
        r = merge(&config->labels, &life->labels);
    if (r == 0 && life->has_entrypoint)
        r = copy(&config->entrypoint, &life->entrypoint);
    /* Another entrypoint drops the image's command. */
    if (r == 0 && (life->has_entrypoint || life->command.n > 0))
        r = copy(&config->cmd, &life->command);
    if (r == 0 && plan->user)
        r = str_set(&config->user, plan->user, NULL);
    if (r == 0 && plan->workdir)
        r = str_set(&config->working_dir, plan->workdir, NULL);
    return r < 0 ? err_nomem(err) : 0;
}

/* --- lines of a Dockerfile ---------------------------------------------------- */

/* The next word of a line, its quotes taken away; NULL at the end, or without memory. */
static char *next_word(const char **line) {
    struct buf word = BUF_INIT;
    const char *p = *line + strspn(*line, " \t");
    char quote = '\0';

    if (!*p)
        return NULL;
    for (; *p && (quote || !isblank((unsigned char)*p)); p++) {
        if (quote ? *p == quote : *p == '"' || *p == '\'')
            quote = quote ? '\0' : *p;
        else
            buf_append(&word, *p == '\\' && p[1] ? ++p : p, 1);
    }
    *line = p;
    buf_puts(&word, "");
    return buf_take(&word);
}

static int take_words(struct strv *strv, const char *text, struct err *err) {
    char *word;

    while ((word = next_word(&text)))
        if (strv_push_take(strv, word) < 0)
            return err_nomem(err);
    return 0;
}

/* A list in brackets, or else a line for a shell. */
static int set_program(struct strv *program, const char *text, struct err *err) {
    _cleanup_json_document_ json_t *list = NULL;

    strv_done(program);
    if (*text == '[') {
        int r = json_parse(text, strlen(text), JSON_ARRAY, &list, err);

        return r < 0 ? r : json_texts(list, program, err);
    }
    if (strv_push(program, "/bin/sh") < 0 || strv_push(program, "-c") < 0 ||
        strv_push(program, text) < 0)
        return err_nomem(err);
    return 0;
}

static int set_command(struct image_config *config, const char *text, struct err *err) {
    return set_program(&config->cmd, text, err);
}

static int set_entrypoint(struct image_config *config, const char *text, struct err *err) {
    return set_program(&config->entrypoint, text, err);
}

/* NAME=VALUE..., or the older NAME VALUE of one. */
static int add_pairs(struct strv *pairs, const char *text, struct err *err) {
    _cleanup_strv_ struct strv words = {0};
    int r = take_words(&words, text, err);

    if (r == 0 && words.n > 0 && !strchr(words.items[0], '=')) {
        const char *value = text + strcspn(text, " \t");
        _cleanup_free_ char *pair =
            str_printf("%s=%s", words.items[0], value + strspn(value, " \t"));

        return !pair || strv_set_env(pairs, pair) < 0 ? err_nomem(err) : 0;
    }
    for (size_t i = 0; r == 0 && i < words.n; i++) {
        if (!strchr(words.items[i], '=') || *words.items[i] == '=')
            return err_set(err, -EINVAL, "'%s' is not NAME=VALUE", words.items[i]);
        r = strv_set_env(pairs, words.items[i]) < 0 ? err_nomem(err) : 0;
    }
    return r;
}

static int add_env(struct image_config *config, const char *text, struct err *err) {
    return add_pairs(&config->env, text, err);
}

static int add_labels(struct image_config *config, const char *text, struct err *err) {
    return add_pairs(&config->labels, text, err);
}

static int add_ports(struct image_config *config, const char *text, struct err *err) {
    _cleanup_strv_ struct strv words = {0};
    int r = take_words(&words, text, err);

    for (size_t i = 0; r == 0 && i < words.n; i++) {
        size_t n = strcspn(words.items[i], "/");
        _cleanup_free_ char *digits = strndup(words.items[i], n);
        const char *protocol = words.items[i] + n;
        uint64_t port;

        if (!digits)
            return err_nomem(err);
        if (str_to_u64(digits, 65535, &port) < 0 || port == 0 ||
            (*protocol && !str_eq(protocol, "/tcp") && !str_eq(protocol, "/udp")))
            return err_set(err, -EINVAL, "'%s' is not PORT[/tcp|/udp]", words.items[i]);
        r = strv_push_take(&config->exposed_ports,
                           str_printf("%s%s", digits, *protocol ? protocol : "/tcp"));
    }
    return r == -ENOMEM ? err_nomem(err) : r;
}

static int add_volumes(struct image_config *config, const char *text, struct err *err) {
    _cleanup_json_document_ json_t *list = NULL;
    _cleanup_strv_ struct strv words = {0};
    int r = *text == '[' ? json_parse(text, strlen(text), JSON_ARRAY, &list, err) : 0;

    if (r == 0)
        r = list ? json_texts(list, &words, err) : take_words(&words, text, err);
    for (size_t i = 0; r == 0 && i < words.n; i++) {
        char *path = NULL;

        r = plan_spec_target(words.items[i], &path, err);
        if (r == 0 && strv_push_take(&config->volumes, path) < 0)
            r = err_nomem(err);
    }
    return r;
}

static int set_user(struct image_config *config, const char *text, struct err *err) {
    return str_set(&config->user, text, err);
}

static int set_workdir(struct image_config *config, const char *text, struct err *err) {
    _cleanup_free_ char *path = plan_workdir(config->working_dir ? config->working_dir : "/", text);

    return path ? str_set(&config->working_dir, path, err) : err_nomem(err);
}

static int set_stop_signal(struct image_config *config, const char *text, struct err *err) {
    int r = signal_name_parse(text, err);

    return r < 0 ? r : str_set(&config->stop_signal, text, err);
}

static const struct {
    const char *word;
    int (*apply)(struct image_config *config, const char *text, struct err *err);
} instructions[] = {
    {"CMD", set_command},  {"ENTRYPOINT", set_entrypoint}, {"ENV", add_env},
    {"EXPOSE", add_ports}, {"LABEL", add_labels},          {"STOPSIGNAL", set_stop_signal},
    {"USER", set_user},    {"VOLUME", add_volumes},        {"WORKDIR", set_workdir},
};

static int apply(struct image_config *config, const char *line, struct err *err) {
    size_t n = strcspn(line, " \t=");
    const char *text = line + n + strspn(line + n, " \t=");
    int r;

    for (size_t i = 0; i < N_ELEMENTS(instructions); i++) {
        if (strlen(instructions[i].word) != n || strncasecmp(instructions[i].word, line, n) != 0)
            continue;
        if (!*text)
            return err_set(err, -EINVAL, "--change '%s': something is missing after %s", line,
                           instructions[i].word);
        r = instructions[i].apply(config, text, err);
        return r < 0 ? err_wrap(err, "--change '%s'", line) : 0;
    }
    return err_set(err, -EINVAL,
                   "--change '%s' is none of CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, STOPSIGNAL, "
                   "USER, VOLUME and WORKDIR",
                   line);
}

static bool has_line(const struct strv *lines, const char *word) {
    for (size_t i = 0; i < lines->n; i++)
        if (strncasecmp(lines->items[i], word, strlen(word)) == 0)
            return true;
    return false;
}

int kept_change_apply(struct image_config *config, const struct strv *lines, struct err *err) {
    int r = 0;

    /* The words behind another program were none for this one. */
    if (has_line(lines, "ENTRYPOINT") && !has_line(lines, "CMD"))
        strv_done(&config->cmd);
    for (size_t i = 0; r == 0 && i < lines->n; i++)
        r = apply(config, lines->items[i], err);
    return r;
}
