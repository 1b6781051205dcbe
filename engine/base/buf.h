/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BUF_H
#define MAYFLY_BUF_H

#include <stddef.h>

/**
 * struct buf - bytes that grow
 * @data: owned; NUL-terminated whenever it is not NULL
 * @size: bytes used, the terminating NUL not counted
 * @capacity: bytes allocated
 * @failed: an allocation failed; everything after it was ignored
 *
 * Errors stick, so that a writer checks once, at the end (buf_failed()).
 */
struct buf {
    char *data;
    size_t size;
    size_t capacity;
    int failed;
};

#define BUF_INIT ((struct buf){0})

/** buf_done() - free the bytes and return to the initial state. */
void buf_done(struct buf *buf);

/** buf_append() - add @size bytes. */
void buf_append(struct buf *buf, const void *data, size_t size);

/** buf_puts() - add a string. */
void buf_puts(struct buf *buf, const char *text);

/** buf_printf() - add formatted text. */
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** buf_take() - hand the bytes over (a string to free(3)); NULL when an allocation failed. */
char *buf_take(struct buf *buf);

static inline int buf_failed(const struct buf *buf) {
    return buf->failed;
}

#define _cleanup_buf_ __attribute__((cleanup(buf_done)))

#endif
