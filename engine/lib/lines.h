/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LINES_H
#define MAYFLY_LINES_H

#include <stdbool.h>
#include <stdint.h>

/** struct lines - what a child has to tell (library_call()), a field each line; changed by reading
 */
struct lines {
    char *rest;
};

static inline void lines_init(struct lines *lines, char *text) {
    lines->rest = text;
}

static inline bool lines_end(const struct lines *lines) {
    return !*lines->rest;
}

/**
 * lines_text() - the next line
 * @ret_text: to free(3); NULL for an empty one
 *
 * Return: false when memory is short, or there is none.
 */
bool lines_text(struct lines *lines, char **ret_text);

/** lines_number() - the next line as a number.  Return: false when it is none. */
bool lines_number(struct lines *lines, uint64_t *ret_number);

#endif
