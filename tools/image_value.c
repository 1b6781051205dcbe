/* SPDX-License-Identifier: Apache-2.0 */
/* Images in the words that docker and podman have for them, as values; pure. */
#include "image_value.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <stdlib.h>
#include <string.h>

static void add_list(struct value *object, const char *key, const struct strv *list) {
    struct value *items = value_add(object, key, value_new(VALUE_LIST));

    for (size_t i = 0; i < list->n; i++)
        value_add_text(items, NULL, list->items[i]);
}

/* A set, as docker writes it: an object of empty objects. */
static void add_set(struct value *object, const char *key, const struct strv *list) {
    struct value *items = value_add(object, key, value_new(VALUE_OBJECT));

    for (size_t i = 0; i < list->n; i++)
        (void)value_add(items, list->items[i], value_new(VALUE_OBJECT));
}

static void add_labels(struct value *object, const struct strv *labels) {
    struct value *items = value_add(object, "Labels", value_new(VALUE_OBJECT));

    for (size_t i = 0; i < labels->n; i++) {
        const char *equals = strchrnul(labels->items[i], '=');
        _cleanup_free_ char *name = strndup(labels->items[i], (size_t)(equals - labels->items[i]));

        if (name)
            value_add_text(items, name, *equals ? equals + 1 : "");
    }
}

static void add_config(struct value *whole, const struct image_config *config) {
    struct value *object = value_add(whole, "Config", value_new(VALUE_OBJECT));

    value_add_text(object, "User", config->user ? config->user : "");
    add_set(object, "ExposedPorts", &config->exposed_ports);
    add_list(object, "Env", &config->env);
    add_list(object, "Entrypoint", &config->entrypoint);
    add_list(object, "Cmd", &config->cmd);
    add_set(object, "Volumes", &config->volumes);
    value_add_text(object, "WorkingDir", config->working_dir ? config->working_dir : "");
    add_labels(object, &config->labels);
    value_add_text(object, "StopSignal", config->stop_signal ? config->stop_signal : "");
}

struct value *image_value_whole(const struct image *image, const struct image_entries *entries) {
    struct value *whole = value_new(VALUE_OBJECT), *names;
    _cleanup_buf_ struct buf id = BUF_INIT;
    uint64_t size_bytes = 0;

    image_table_id(&id, image->id ? image->id : "", true);
    value_add_text(whole, "Id", id.data ? id.data : "");
    names = value_add(whole, "RepoTags", value_new(VALUE_LIST));
    for (size_t i = 0; i < entries->n; i++) {
        const struct image_entry *e = &entries->items[i];

        if (!image->id || !str_eq(e->id, image->id))
            continue;
        size_bytes = e->size_bytes;
        if (e->name)
            value_add_text(names, NULL, image_table_name(e->name));
    }
    value_add_text(whole, "Created", image->created ? image->created : "");
    value_add_text(whole, "Architecture", image->architecture ? image->architecture : "");
    value_add_text(whole, "Os", "linux");
    value_add_number(whole, "Size", (int64_t)size_bytes);
    add_config(whole, &image->config);
    return whole;
}
