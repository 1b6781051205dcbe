/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_VALUE_H
#define MAYFLY_VALUE_H

#include "engine/base/json_writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum value_kind {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_NUMBER,
    VALUE_TEXT,
    VALUE_LIST,
    VALUE_OBJECT,
};

/**
 * struct value - what there is to be shown, as JSON or through a template
 * @key: its name in the object that it belongs to; NULL elsewhere
 * @items: of a list or an object, @n_items, owned
 */
struct value {
    enum value_kind kind;
    char *key;
    bool boolean;
    int64_t number;
    char *text;
    struct value **items;
    size_t n_items;
};

/** value_new() - a value of a kind; NULL without memory, which all functions below take. */
struct value *value_new(enum value_kind kind);
void value_free(struct value *value);

static inline void value_free_p(struct value **value) {
    value_free(*value);
}

#define _cleanup_value_ __attribute__((cleanup(value_free_p)))

/**
 * value_add() - append an item, handed over, to a list (@key NULL) or an object
 * Return: the item, NULL when memory has run out.
 */
struct value *value_add(struct value *parent, const char *key, struct value *item);

/** value_add_text() and its kin - the same with a new value; a text that is NULL is null. */
void value_add_text(struct value *parent, const char *key, const char *text);
void value_add_number(struct value *parent, const char *key, int64_t number);
void value_add_bool(struct value *parent, const char *key, bool boolean);

/** value_find() - an object's value of a key, whatever its letters' case; NULL: none. */
const struct value *value_find(const struct value *value, const char *key);

/** value_json() - write it as JSON. */
void value_json(const struct value *value, struct json_writer *json);

#endif
