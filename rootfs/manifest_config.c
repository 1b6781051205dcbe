/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's configuration.  OCI's and Docker's are the same where it matters:
 * "config" says how programs are started, "rootfs" names the layers by the
 * digests of their uncompressed tars.
 */
#include "engine/base/cleanup.h"
#include "manifest.h"
#include "manifest_json.h"

void image_description_done(struct image_description *description) {
    struct image image = {.config = description->config};

    image_done(&image);
    free(description->diff_ids);
    free(description->created);
    free(description->text);
    *description = IMAGE_DESCRIPTION_INIT;
}

/* Whether a path has a part "..". */
static bool goes_up(const char *path) {
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");

        if (n == 2 && p[0] == '.' && p[1] == '.')
            return true;
        p += n + strspn(p + n, "/");
    }
    return false;
}

static int check_paths(const struct image_config *config, struct err *err) {
    if (config->working_dir && goes_up(config->working_dir))
        return err_set(err, -EBADMSG, "its WorkingDir '%.100s' goes up", config->working_dir);
    for (size_t i = 0; i < config->volumes.n; i++)
        if (goes_up(config->volumes.items[i]))
            return err_set(err, -EBADMSG, "its volume '%.100s' goes up", config->volumes.items[i]);
    return 0;
}

/* A string that is there and not empty. */
static int read_text(const json_t *object, const char *name, char **place, struct err *err) {
    const char *text = json_text(object, name);

    if (!text || !*text)
        return 0;
    *place = strdup(text);
    return *place ? 0 : err_nomem(err);
}

static int read_lists(const json_t *value, struct image_config *config, struct err *err) {
    int r = json_texts(json_member(value, "Env", JSON_ARRAY), &config->env, err);

    for (size_t i = 0; r == 0 && i < config->env.n; i++)
        if (config->env.items[i][0] == '=' || !strchr(config->env.items[i], '='))
            return err_set(err, -EBADMSG, "its Env holds '%.100s', which is no NAME=VALUE",
                           config->env.items[i]);
    if (r == 0)
        r = json_texts(json_member(value, "Entrypoint", JSON_ARRAY), &config->entrypoint, err);
    if (r == 0)
        r = json_texts(json_member(value, "Cmd", JSON_ARRAY), &config->cmd, err);
    if (r == 0)
        r = json_keys(json_member(value, "Volumes", JSON_OBJECT), &config->volumes, err);
    if (r == 0)
        r = json_keys(json_member(value, "ExposedPorts", JSON_OBJECT), &config->exposed_ports, err);
    if (r == 0)
        r = json_pairs(json_member(value, "Labels", JSON_OBJECT), &config->labels, err);
    return r;
}

static int read_config(const json_t *value, struct image_config *config, struct err *err) {
    int r = read_lists(value, config, err);

    if (r == 0)
        r = read_text(value, "WorkingDir", &config->working_dir, err);
    if (r == 0)
        r = read_text(value, "User", &config->user, err);
    if (r == 0)
        r = read_text(value, "StopSignal", &config->stop_signal, err);
    return r < 0 ? r : check_paths(config, err);
}

static int read_diff_ids(const json_t *rootfs, struct image_description *d, struct err *err) {
    const json_t *array = json_member(rootfs, "diff_ids", JSON_ARRAY);
    size_t n = json_length(array);

    if (n > MANIFEST_LAYERS_MAX)
        return err_set(err, -EBADMSG, "it lists %zu layers; at most %d are taken", n,
                       MANIFEST_LAYERS_MAX);
    d->diff_ids = calloc(n + 1, sizeof *d->diff_ids);
    if (!d->diff_ids)
        return err_nomem(err);
    for (; d->n_diff_ids < n; d->n_diff_ids++) {
        const json_t *item = json_item(array, d->n_diff_ids);

        if (json_typeof(item) != JSON_STRING ||
            digest_parse(lazy_jansson(NULL)->json_string_value(item), &d->diff_ids[d->n_diff_ids]) <
                0)
            return err_set(err, -EBADMSG, "one of its diff_ids is no digest");
    }
    return 0;
}

int manifest_parse_config(const char *text, size_t size, struct image_description *ret_description,
                          struct err *err) {
    struct image_description d = IMAGE_DESCRIPTION_INIT;
    _cleanup_json_document_ json_t *root = NULL;
    const char *os, *architecture, *variant;
    int r = json_parse(text, size, JSON_OBJECT, &root, err);

    if (r < 0)
        return r;
    os = json_text(root, "os");
    architecture = json_text(root, "architecture");
    variant = json_text(root, "variant");
    snprintf(d.platform.os, sizeof d.platform.os, "%s", os ? os : "");
    snprintf(d.platform.architecture, sizeof d.platform.architecture, "%s",
             architecture ? architecture : "");
    snprintf(d.platform.variant, sizeof d.platform.variant, "%s", variant ? variant : "");
    r = read_config(json_member(root, "config", JSON_OBJECT), &d.config, err);
    if (r == 0)
        r = read_diff_ids(json_member(root, "rootfs", JSON_OBJECT), &d, err);
    if (r == 0)
        r = read_text(root, "created", &d.created, err);
    /* There is no NUL in it, or it would be no JSON. */
    if (r == 0 && !(d.text = strndup(text, size)))
        r = err_nomem(err);
    if (r < 0) {
        image_description_done(&d);
        return r;
    }
    *ret_description = d;
    return 0;
}
