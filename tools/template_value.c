/* SPDX-License-Identifier: Apache-2.0 */
/* What templates do with values, wherever these stand in them: show them, and call functions. */
#include "template_value.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct value *template_make(struct value *made, enum value_kind kind) {
    return value_add(made, NULL, value_new(kind));
}

const struct value *template_make_text(struct value *made, const char *text, size_t size) {
    struct value *value = template_make(made, VALUE_TEXT);

    if (value)
        value->text = strndup(text, size);
    return value;
}

void template_put(struct buf *buf, const struct value *value) {
    struct json_writer json = JSON_WRITER_INIT;

    if (!value)
        return;
    if (value->kind == VALUE_TEXT) {
        buf_puts(buf, value->text);
    } else if (value->kind == VALUE_NUMBER) {
        buf_printf(buf, "%" PRIi64, value->number);
    } else if (value->kind == VALUE_LIST) {
        buf_puts(buf, "[");
        for (size_t i = 0; i < value->n_items; i++) {
            buf_puts(buf, i ? " " : "");
            template_put(buf, value->items[i]);
        }
        buf_puts(buf, "]");
    } else if (value->kind == VALUE_OBJECT) {
        buf_puts(buf, "map[");
        for (size_t i = 0; i < value->n_items; i++) {
            buf_printf(buf, "%s%s:", i ? " " : "", value->items[i]->key);
            template_put(buf, value->items[i]);
        }
        buf_puts(buf, "]");
    } else if (value->kind == VALUE_NULL) {
        buf_puts(buf, "<no value>");
    } else {
        value_json(value, &json);
        buf_append(buf, json.buf.data, json.buf.size);
    }
    json_writer_done(&json);
}

bool template_is_true(const struct value *value) {
    switch (value ? value->kind : VALUE_NULL) {
    case VALUE_BOOL:
        return value->boolean;
    case VALUE_NUMBER:
        return value->number != 0;
    case VALUE_TEXT:
        return *value->text;
    case VALUE_LIST:
    case VALUE_OBJECT:
        return value->n_items > 0;
    default:
        return false;
    }
}

static const struct value *as_json(struct value *made, const struct value *value) {
    struct json_writer json = JSON_WRITER_INIT;
    const struct value *text;

    value_json(value, &json);
    text = template_make_text(made, json.buf.data ? json.buf.data : "", json.buf.size);
    json_writer_done(&json);
    return text;
}

static const struct value *in_case(struct value *made, const struct value *value,
                                   int (*fold)(int)) {
    struct value *text = template_make(made, VALUE_TEXT);

    if (!text)
        return NULL;
    text->text = strdup(value && value->kind == VALUE_TEXT ? value->text : "");
    for (char *p = text->text; p && *p; p++)
        *p = (char)fold((unsigned char)*p);
    return text;
}

static const struct value *lookup(const struct value *map, const struct value *key) {
    static struct value nothing = {.kind = VALUE_NULL};
    const struct value *found = NULL;

    if (map && map->kind == VALUE_LIST && key && key->kind == VALUE_NUMBER && key->number >= 0 &&
        (uint64_t)key->number < map->n_items)
        found = map->items[key->number];
    if (map && map->kind == VALUE_OBJECT && key && key->kind == VALUE_TEXT)
        found = value_find(map, key->text);
    return found ? found : &nothing;
}

static const struct value *join(struct value *made, const struct value *list,
                                const struct value *between) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->n_items; i++) {
        if (i > 0)
            template_put(&text, between);
        template_put(&text, list->items[i]);
    }
    return template_make_text(made, text.data ? text.data : "", text.size);
}

static const struct value *length(struct value *made, const struct value *value) {
    struct value *number = template_make(made, VALUE_NUMBER);

    if (number)
        number->number = !value                      ? 0
                         : value->kind == VALUE_TEXT ? (int64_t)strlen(value->text)
                                                     : (int64_t)value->n_items;
    return number;
}

static const struct value *equality(struct value *made, const struct value *a,
                                    const struct value *b, bool wanted) {
    struct value *result = template_make(made, VALUE_BOOL);
    bool is_equal = a && b && a->kind == b->kind &&
                    (a->kind == VALUE_TEXT     ? str_eq(a->text, b->text)
                     : a->kind == VALUE_NUMBER ? a->number == b->number
                     : a->kind == VALUE_BOOL   ? a->boolean == b->boolean
                                               : a->kind == VALUE_NULL);

    if (result)
        result->boolean = is_equal == wanted;
    return result;
}

const struct value *template_apply(enum template_function function, const struct value *const *a,
                                   struct value *made, struct buf *buf) {
    static const struct value newline = {.kind = VALUE_TEXT, .text = (char *)"\n"};

    switch (function) {
    case TEMPLATE_JSON:
        return as_json(made, a[0]);
    case TEMPLATE_UPPER:
        return in_case(made, a[0], toupper);
    case TEMPLATE_LOWER:
        return in_case(made, a[0], tolower);
    case TEMPLATE_INDEX:
        return lookup(a[0], a[1]);
    case TEMPLATE_JOIN:
        return join(made, a[0], a[1]);
    case TEMPLATE_LEN:
        return length(made, a[0]);
    case TEMPLATE_EQ:
    case TEMPLATE_NE:
        return equality(made, a[0], a[1], function == TEMPLATE_EQ);
    case TEMPLATE_PRINTLN:
        if (buf)
            template_put(buf, a[0]);
        return &newline;
    case TEMPLATE_NONE:
        break;
    }
    return a[0];
}
