/* SPDX-License-Identifier: Apache-2.0 */
/* Trees of values: built once, then shown. */
#include "value.h"

#include "engine/base/cleanup.h"

#include <string.h>
#include <strings.h>

struct value *value_new(enum value_kind kind) {
    struct value *value = calloc(1, sizeof *value);

    if (value)
        value->kind = kind;
    return value;
}

void value_free(struct value *value) {
    if (!value)
        return;
    for (size_t i = 0; i < value->n_items; i++)
        value_free(value->items[i]);
    free(value->items);
    free(value->key);
    free(value->text);
    free(value);
}

struct value *value_add(struct value *parent, const char *key, struct value *item) {
    struct value **items;

    if (!parent || !item) {
        value_free(item);
        return NULL;
    }
    items = reallocarray(parent->items, parent->n_items + 1, sizeof(struct value *));
    if (items)
        parent->items = items;
    if (key)
        item->key = strdup(key);
    if (!items || (key && !item->key)) {
        value_free(item);
        return NULL;
    }
    items[parent->n_items++] = item;
    return item;
}

void value_add_text(struct value *parent, const char *key, const char *text) {
    struct value *value = value_new(text ? VALUE_TEXT : VALUE_NULL);

    if (value && text)
        value->text = strdup(text);
    (void)value_add(parent, key, value);
}

void value_add_number(struct value *parent, const char *key, int64_t number) {
    struct value *value = value_new(VALUE_NUMBER);

    if (value)
        value->number = number;
    (void)value_add(parent, key, value);
}

void value_add_bool(struct value *parent, const char *key, bool boolean) {
    struct value *value = value_new(VALUE_BOOL);

    if (value)
        value->boolean = boolean;
    (void)value_add(parent, key, value);
}

const struct value *value_find(const struct value *value, const char *key) {
    for (size_t i = 0; value && value->kind == VALUE_OBJECT && i < value->n_items; i++)
        if (strcasecmp(value->items[i]->key, key) == 0)
            return value->items[i];
    return NULL;
}

void value_json(const struct value *value, struct json_writer *json) {
    bool is_object = value && value->kind == VALUE_OBJECT;

    switch (value ? value->kind : VALUE_NULL) {
    case VALUE_NULL:
        json_writer_string(json, NULL);
        return;
    case VALUE_BOOL:
        json_writer_bool(json, value->boolean);
        return;
    case VALUE_NUMBER:
        json_writer_i64(json, value->number);
        return;
    case VALUE_TEXT:
        json_writer_string(json, value->text);
        return;
    case VALUE_LIST:
    case VALUE_OBJECT:
        break;
    }
    if (is_object)
        json_writer_open_object(json);
    else
        json_writer_open_array(json);
    for (size_t i = 0; i < value->n_items; i++) {
        if (is_object)
            json_writer_key(json, value->items[i]->key);
        value_json(value->items[i], json);
    }
    if (is_object)
        json_writer_close_object(json);
    else
        json_writer_close_array(json);
}
