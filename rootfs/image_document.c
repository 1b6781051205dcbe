/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's configuration as a document.  It is kept word for word, since an
 * image's id is the digest of it; and when an image is made of another one,
 * what we do not know of in the old document stays in the new one.
 */
#include "image_document.h"

#include "blob.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "manifest_json.h"

#include <stdio.h>

/* Each of these takes @value over; an object that is no object, or no memory, is an error. */
static int set(json_t *object, const char *key, json_t *value) {
    return object && value && lazy_jansson(NULL)->json_object_set_new(object, key, value) == 0
               ? 0
               : -ENOMEM;
}

static int set_text(json_t *object, const char *key, const char *text) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);

    if (text)
        return set(object, key, ja->json_string(text));
    (void)ja->json_object_del(object, key);
    return 0;
}

static int set_texts(json_t *object, const char *key, const struct strv *list) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);
    json_t *array;

    if (list->n == 0)
        return set_text(object, key, NULL);
    array = ja->json_array();
    for (size_t i = 0; array && i < list->n; i++)
        if (ja->json_array_append_new(array, ja->json_string(list->items[i])) < 0) {
            ja->json_delete(array);
            return -ENOMEM;
        }
    return set(object, key, array);
}

/* The keys of an object; with @pairs KEY=VALUE, else with {} for values. */
static int set_keys(json_t *object, const char *key, const struct strv *list, bool pairs) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);
    json_t *members;
    int r = 0;

    if (list->n == 0)
        return set_text(object, key, NULL);
    members = ja->json_object();
    for (size_t i = 0; members && r == 0 && i < list->n; i++) {
        const char *item = list->items[i], *equals = pairs ? strchr(item, '=') : NULL;
        _cleanup_free_ char *name = equals ? strndup(item, (size_t)(equals - item)) : strdup(item);

        r = name ? set(members, name, equals ? ja->json_string(equals + 1) : ja->json_object())
                 : -ENOMEM;
    }
    if (r < 0) {
        ja->json_delete(members);
        return r;
    }
    return set(object, key, members);
}

static int set_config(json_t *object, const struct image_config *config) {
    int r = set_texts(object, "Env", &config->env);

    if (r == 0)
        r = set_texts(object, "Entrypoint", &config->entrypoint);
    if (r == 0)
        r = set_texts(object, "Cmd", &config->cmd);
    if (r == 0)
        r = set_keys(object, "Volumes", &config->volumes, false);
    if (r == 0)
        r = set_keys(object, "ExposedPorts", &config->exposed_ports, false);
    if (r == 0)
        r = set_keys(object, "Labels", &config->labels, true);
    if (r == 0)
        r = set_text(object, "WorkingDir", config->working_dir);
    if (r == 0)
        r = set_text(object, "User", config->user);
    return r < 0 ? r : set_text(object, "StopSignal", config->stop_signal);
}

/* An object's member of that type, made when it is not there; lent, or NULL. */
static json_t *demand(json_t *object, const char *key, json_type type) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);
    json_t *value = ja->json_object_get(object, key);

    if (value && json_typeof(value) == type)
        return value;
    value = type == JSON_ARRAY ? ja->json_array() : ja->json_object();
    return set(object, key, value) < 0 ? NULL : value;
}

static int set_layers(json_t *root, const struct image_change *change) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);
    json_t *rootfs = demand(root, "rootfs", JSON_OBJECT), *array = ja->json_array();
    char text[DIGEST_TEXT_BYTES];

    for (size_t i = 0; array && i < change->n_diff_ids; i++)
        if (ja->json_array_append_new(
                array, ja->json_string(digest_format(&change->diff_ids[i], text))) < 0) {
            ja->json_delete(array);
            return -ENOMEM;
        }
    return set(rootfs, "type", ja->json_string("layers")) < 0 ? -ENOMEM
                                                              : set(rootfs, "diff_ids", array);
}

static size_t count_layers(const json_t *history) {
    size_t n = 0;

    for (size_t i = 0; i < json_length(history); i++)
        n += !json_member(json_item(history, i), "empty_layer", JSON_TRUE);
    return n;
}

/* What was typed may be no UTF-8, which JSON is; then it is told without what is not ASCII. */
static int set_typed(json_t *object, const char *key, const char *text) {
    _cleanup_free_ char *plain = NULL;

    if (set_text(object, key, text) == 0)
        return 0;
    plain = strdup(text);
    for (char *p = plain; p && *p; p++)
        if (*p & 0x80)
            *p = '?';
    return plain ? set_text(object, key, plain) : -ENOMEM;
}

/* Each layer has its line; tools compare the numbers.  What was done made the uppermost. */
static int add_history(json_t *root, const struct image_change *change) {
    const struct lazy_jansson *ja = lazy_jansson(NULL);
    json_t *history = demand(root, "history", JSON_ARRAY);

    if (!history)
        return -ENOMEM;
    for (size_t n = count_layers(history); n < change->n_diff_ids; n++) {
        bool is_new = n + 1 == change->n_diff_ids;
        json_t *line = ja->json_object();
        int r = line ? 0 : -ENOMEM;

        if (r == 0 && change->created)
            r = set_text(line, "created", change->created);
        if (r == 0 && is_new && change->created_by)
            r = set_typed(line, "created_by", change->created_by);
        if (r == 0 && is_new && change->author)
            r = set_typed(line, "author", change->author);
        if (r == 0 && is_new && change->comment)
            r = set_typed(line, "comment", change->comment);
        if (r < 0 || ja->json_array_append_new(history, line) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int change_root(json_t *root, const struct image_change *change) {
    int r = 0;

    if (!json_text(root, "architecture"))
        r = set_text(root, "architecture", change->architecture);
    if (r == 0 && !json_text(root, "os"))
        r = set_text(root, "os", "linux");
    if (r == 0 && change->created)
        r = set_text(root, "created", change->created);
    if (r == 0 && change->author)
        r = set_text(root, "author", change->author);
    if (r == 0 && change->config)
        r = set_config(demand(root, "config", JSON_OBJECT), change->config);
    if (r == 0)
        r = set_layers(root, change);
    return r < 0 ? r : add_history(root, change);
}

int image_document_change(const char *text, const struct image_change *change, char **ret_text,
                          struct err *err) {
    _cleanup_json_document_ json_t *root = NULL;
    const char *source = text ? text : "{}";
    int r = json_parse(source, strlen(source), JSON_OBJECT, &root, err);

    if (r < 0)
        return r;
    if (change_root(root, change) < 0)
        return err_set(err, -EINVAL,
                       "the configuration cannot be written: memory ran out, or something in it is "
                       "not UTF-8");
    *ret_text = lazy_jansson(NULL)->json_dumps(root, JSON_COMPACT);
    return *ret_text ? 0 : err_nomem(err);
}

int image_document_read(const struct store *store, const char *id, char **ret_text,
                        size_t *ret_size, struct err *err) {
    char path[64 + NAME_MAX];
    int r;

    snprintf(path, sizeof path, "recipes/%s" IMAGE_DOCUMENT_SUFFIX, id);
    r = fd_read_file(store->fd, path, BLOB_DOCUMENT_BYTES_MAX, ret_text, ret_size);
    if (r == -ENOENT)
        return r;
    return r < 0 ? err_set(err, r, "cannot read the image's configuration: %s", strerror(-r)) : 0;
}

void image_document_owner(const char *name, char *ret_path, size_t size) {
    size_t n = strlen(name), n_suffix = strlen(IMAGE_DOCUMENT_SUFFIX);

    if (n > n_suffix && str_eq(name + n - n_suffix, IMAGE_DOCUMENT_SUFFIX))
        snprintf(ret_path, size, "images/%.*s", (int)(n - n_suffix), name);
    else
        snprintf(ret_path, size, "layers/%s", name);
}
