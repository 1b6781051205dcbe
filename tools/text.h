/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEXT_H
#define MAYFLY_TEXT_H

#include "engine/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/**
 * text_decode() - one character of UTF-8
 * @text: NUL-terminated
 *
 * Spec: RFC 3629, section 4.
 * Return: its bytes; 0 when @text does not begin with one.
 */
size_t text_decode(const char *text, uint32_t *ret_code);

/**
 * text_append_line() - append a text as one line that is safe to show
 * @max_columns: what does not fit is cut, "..." in its place; SIZE_MAX: no limit
 *
 * White space, newlines among it, becomes single spaces; control characters, characters that turn
 * the direction of writing, and bytes that are not UTF-8 become '?'.
 * Return: columns appended, as a terminal counts them.
 */
size_t text_append_line(struct buf *buf, const char *text, size_t max_columns);

/** text_append_wrapped() - append words, broken into lines of at most @columns behind @indent. */
void text_append_wrapped(struct buf *buf, const char *text, size_t indent, size_t columns);

#endif
