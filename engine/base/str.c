/* SPDX-License-Identifier: Apache-2.0 */
/* Strings and lists of strings: only what the C library lacks. */
#include "str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

const char *str_after(const char *text, const char *prefix) {
    size_t n = strlen(prefix);

    return strncmp(text, prefix, n) == 0 ? text + n : NULL;
}

char *str_printf(const char *format, ...) {
    char *text = NULL;
    va_list args;

    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return text;
}

int str_set(char **place, const char *value, struct err *err) {
    char *copy = strdup(value);

    if (!copy)
        return err_nomem(err);
    free(*place);
    *place = copy;
    return 0;
}

int str_to_u64(const char *text, uint64_t max, uint64_t *ret_value) {
    uint64_t value = 0;

    if (!*text)
        return -EINVAL;
    for (const char *p = text; *p; p++)
        if (*p < '0' || *p > '9')
            return -EINVAL;
    for (const char *p = text; *p; p++) {
        uint64_t digit = (uint64_t)(*p - '0');

        if (value > (UINT64_MAX - digit) / 10)
            return -ERANGE;
        value = value * 10 + digit;
    }
    if (value > max)
        return -ERANGE;
    *ret_value = value;
    return 0;
}

int strv_push_take(struct strv *strv, char *text) {
    char **items;

    if (!text)
        return -ENOMEM;
    items = realloc(strv->items, (strv->n + 2) * sizeof *items);
    if (!items) {
        free(text);
        return -ENOMEM;
    }
    strv->items = items;
    items[strv->n++] = text;
    items[strv->n] = NULL;
    return 0;
}

void str_unescape_octal(char *text) {
    char *out = text;

    for (const char *p = text; *p; p++) {
        if (p[0] == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
            p[3] >= '0' && p[3] <= '7') {
            *out++ = (char)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
            p += 3;
        } else {
            *out++ = *p;
        }
    }
    *out = '\0';
}

int strv_push(struct strv *strv, const char *text) {
    return strv_push_take(strv, strdup(text));
}

/* The place of NAME in the list, NAME being @length bytes; the list's end when absent. */
static size_t find_env(const struct strv *strv, const char *name, size_t length) {
    size_t i;

    for (i = 0; i < strv->n; i++)
        if (strncmp(strv->items[i], name, length) == 0 && strv->items[i][length] == '=')
            break;
    return i;
}

int strv_set_env(struct strv *strv, const char *assignment) {
    size_t i = find_env(strv, assignment, strcspn(assignment, "="));
    char *copy;

    if (i == strv->n)
        return strv_push(strv, assignment);
    copy = strdup(assignment);
    if (!copy)
        return -ENOMEM;
    free(strv->items[i]);
    strv->items[i] = copy;
    return 0;
}

const char *strv_get_env(const struct strv *strv, const char *name) {
    size_t length = strlen(name), i = find_env(strv, name, length);

    return i < strv->n ? strv->items[i] + length + 1 : NULL;
}

void strv_done(struct strv *strv) {
    for (size_t i = 0; i < strv->n; i++)
        free(strv->items[i]);
    free(strv->items);
    *strv = (struct strv){0};
}
