/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STR_H
#define MAYFLY_STR_H

#include "err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool str_eq(const char *a, const char *b) {
    return strcmp(a, b) == 0;
}

/** str_is_dots() - whether @name is "." or "..". */
static inline bool str_is_dots(const char *name) {
    return str_eq(name, ".") || str_eq(name, "..");
}

/** str_after() - what follows @prefix in @text, or NULL when @text does not begin with it. */
const char *str_after(const char *text, const char *prefix);

/** str_printf() - formatted text in memory of its own; NULL when that ran out. */
char *str_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * str_set() - replace the string at @place, which is freed, by a copy of @value
 *
 * Return: 0, or -ENOMEM with a text; it is as it was then.
 */
int str_set(char **place, const char *value, struct err *err);

/**
 * str_to_u64() - a whole decimal number
 * @text: digits alone, no sign, no space
 * @max: the largest value allowed
 *
 * Return: 0, -EINVAL when @text is not such a number, -ERANGE above @max.
 */
int str_to_u64(const char *text, uint64_t max, uint64_t *ret_value);

/**
 * str_unescape_octal() - undo, in place, what /proc writes for blanks, newlines and backslashes
 *
 * Spec: proc(5), fstab(5): a backslash and three octal digits.
 */
void str_unescape_octal(char *text);

/**
 * struct strv - a list of strings, as execve(2) wants it
 * @items: @n owned strings and a NULL; NULL while empty
 */
struct strv {
    char **items;
    size_t n;
};

/** strv_push() - append a copy of @text.  Return: 0 or -ENOMEM. */
int strv_push(struct strv *strv, const char *text);

/** strv_push_take() - append @text itself, also freed on failure.  Return: 0 or -ENOMEM (also for
 * NULL). */
int strv_push_take(struct strv *strv, char *text);

/**
 * strv_set_env() - set a variable in a list of NAME=VALUE
 * @assignment: NAME=VALUE; replaces an earlier one of the same name
 *
 * Return: 0 or -ENOMEM.
 */
int strv_set_env(struct strv *strv, const char *assignment);

/** strv_get_env() - the value of NAME in a list of NAME=VALUE, or NULL; borrowed. */
const char *strv_get_env(const struct strv *strv, const char *name);

/** strv_done() - free everything and return to the empty state. */
void strv_done(struct strv *strv);

#define _cleanup_strv_ __attribute__((cleanup(strv_done)))

#endif
