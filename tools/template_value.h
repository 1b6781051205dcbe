/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEMPLATE_VALUE_H
#define MAYFLY_TEMPLATE_VALUE_H

#include "engine/base/buf.h"
#include "value.h"

/** enum template_function - the functions of template.h, by their names */
enum template_function {
    TEMPLATE_NONE,
    TEMPLATE_JSON,
    TEMPLATE_UPPER,
    TEMPLATE_LOWER,
    TEMPLATE_INDEX,
    TEMPLATE_JOIN,
    TEMPLATE_LEN,
    TEMPLATE_PRINTLN,
    TEMPLATE_EQ,
    TEMPLATE_NE,
};

/** template_make() - a new value that @made, a list, owns; NULL without memory. */
struct value *template_make(struct value *made, enum value_kind kind);

/** template_make_text() - the same of a text of @size bytes. */
const struct value *template_make_text(struct value *made, const char *text, size_t size);

/** template_put() - append a value as Go prints it. */
void template_put(struct buf *buf, const struct value *value);

/** template_is_true() - whether {{if}} takes a value for true. */
bool template_is_true(const struct value *value);

/**
 * template_apply() - call a function
 * @arguments: as many as it has, NULL for those that were not found
 * @made: owns what it makes
 * @buf: where what it shows goes; NULL: nowhere
 *
 * Pure. Return: a value, NULL without memory.
 */
const struct value *template_apply(enum template_function function,
                                   const struct value *const *arguments, struct value *made,
                                   struct buf *buf);

#endif
