/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer whose errors stick, for writers that check once at the end. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_done(struct buf *buf) {
    free(buf->data);
    *buf = BUF_INIT;
}

/* Makes room for @more bytes and a NUL. */
static int reserve(struct buf *buf, size_t more) {
    size_t want = buf->size + more + 1, capacity = buf->capacity ? buf->capacity : 64;
    char *data;

    if (buf->failed)
        return -1;
    if (want <= buf->capacity)
        return 0;
    while (capacity < want)
        capacity *= 2;
    data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = 1;
        return -1;
    }
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

void buf_append(struct buf *buf, const void *data, size_t size) {
    if (reserve(buf, size) < 0)
        return;
    if (size)
        memcpy(buf->data + buf->size, data, size);
    buf->size += size;
    buf->data[buf->size] = '\0';
}

void buf_puts(struct buf *buf, const char *text) {
    buf_append(buf, text, strlen(text));
}

void buf_printf(struct buf *buf, const char *format, ...) {
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || reserve(buf, (size_t)n) < 0)
        return;
    va_start(args, format);
    vsnprintf(buf->data + buf->size, (size_t)n + 1, format, args);
    va_end(args);
    buf->size += (size_t)n;
}

char *buf_take(struct buf *buf) {
    char *data = NULL;

    if (reserve(buf, 0) == 0) {
        buf->data[buf->size] = '\0';
        data = buf->data;
        buf->data = NULL;
    }
    buf_done(buf);
    return data;
}
