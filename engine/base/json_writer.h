/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_JSON_WRITER_H
#define MAYFLY_JSON_WRITER_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct json_writer - a JSON text that is being written
 * @buf: the text so far, owned
 * @need_comma: the next value is preceded by a comma
 *
 * A writer alone; texts from outside are read by jansson, in rootfs/.
 * Keys are written with json_writer_key() before each value of an object.
 * Spec: RFC 8259.  Bytes that are not UTF-8 are written as U+FFFD.
 */
struct json_writer {
    struct buf buf;
    bool need_comma;
};

#define JSON_WRITER_INIT ((struct json_writer){0})

void json_writer_open_object(struct json_writer *json);
void json_writer_close_object(struct json_writer *json);
void json_writer_open_array(struct json_writer *json);
void json_writer_close_array(struct json_writer *json);
void json_writer_key(struct json_writer *json, const char *key);
/** json_writer_string() - @text NULL writes null. */
void json_writer_string(struct json_writer *json, const char *text);
/** json_writer_is_text() - whether @size bytes, a NUL behind them, are UTF-8 and hold no NUL. */
bool json_writer_is_text(const char *data, size_t size);
void json_writer_i64(struct json_writer *json, int64_t value);
void json_writer_bool(struct json_writer *json, bool value);
/** json_writer_seconds() - nanoseconds as a number of seconds with six digits. */
void json_writer_seconds(struct json_writer *json, uint64_t nsec);
void json_writer_done(struct json_writer *json);

#endif
