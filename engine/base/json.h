/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_JSON_H
#define MAYFLY_JSON_H

#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct json - a JSON text that is being written
 * @buf: the text so far, owned
 * @need_comma: the next value is preceded by a comma
 *
 * A writer alone; texts from outside are read by jansson, in rootfs/.
 * Keys are written with json_key() before each value of an object.
 * Spec: RFC 8259.  Bytes that are not UTF-8 are written as U+FFFD.
 */
struct json {
    struct buf buf;
    bool need_comma;
};

#define JSON_INIT ((struct json){0})

void json_open_object(struct json *json);
void json_close_object(struct json *json);
void json_open_array(struct json *json);
void json_close_array(struct json *json);
void json_key(struct json *json, const char *key);
/** json_string() - @text NULL writes null. */
void json_string(struct json *json, const char *text);
void json_i64(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
/** json_seconds() - nanoseconds as a number of seconds with six digits. */
void json_seconds(struct json *json, uint64_t nsec);
void json_done(struct json *json);

#endif
