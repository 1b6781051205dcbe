/* SPDX-License-Identifier: Apache-2.0 */
/* A JSON writer: commas and escapes, nothing else. */
#include "json_writer.h"

#include <inttypes.h>
#include <stddef.h>

static void before_value(struct json_writer *json) {
    if (json->need_comma)
        buf_puts(&json->buf, ",");
    json->need_comma = true;
}

static void open_group(struct json_writer *json, const char *bracket) {
    before_value(json);
    buf_puts(&json->buf, bracket);
    json->need_comma = false;
}

static void close_group(struct json_writer *json, const char *bracket) {
    buf_puts(&json->buf, bracket);
    json->need_comma = true;
}

void json_writer_open_object(struct json_writer *json) {
    open_group(json, "{");
}

void json_writer_close_object(struct json_writer *json) {
    close_group(json, "}");
}

void json_writer_open_array(struct json_writer *json) {
    open_group(json, "[");
}

void json_writer_close_array(struct json_writer *json) {
    close_group(json, "]");
}

/* The length of the well-formed UTF-8 sequence at @p, or 0 (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *p) {
    size_t n = p[0] < 0x80   ? 1
               : p[0] < 0xc2 ? 0
               : p[0] < 0xe0 ? 2
               : p[0] < 0xf0 ? 3
               : p[0] < 0xf5 ? 4
                             : 0;

    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if (n == 3 && ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f)))
        return 0;
    if (n == 4 && ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f)))
        return 0;
    return n;
}

bool json_writer_is_text(const char *data, size_t size) {
    const unsigned char *p = (const unsigned char *)data;

    /* A NUL follows the bytes, so that no sequence reaches behind it. */
    for (size_t i = 0, n; i < size; i += n) {
        n = p[i] ? utf8_length(p + i) : 0;
        if (n == 0)
            return false;
    }
    return true;
}

static void put_quoted(struct buf *buf, const char *text) {
    const unsigned char *p = (const unsigned char *)text;

    buf_puts(buf, "\"");
    while (*p) {
        size_t n = utf8_length(p);

        if (n == 0)
            buf_puts(buf, "\xef\xbf\xbd");
        else if (*p == '"' || *p == '\\')
            buf_printf(buf, "\\%c", *p);
        else if (*p == '\n')
            buf_puts(buf, "\\n");
        else if (*p < ' ' || *p == 0x7f)
            buf_printf(buf, "\\u%04x", *p);
        else
            buf_append(buf, p, n);
        p += n ? n : 1;
    }
    buf_puts(buf, "\"");
}

void json_writer_key(struct json_writer *json, const char *key) {
    before_value(json);
    put_quoted(&json->buf, key);
    buf_puts(&json->buf, ":");
    json->need_comma = false;
}

void json_writer_string(struct json_writer *json, const char *text) {
    before_value(json);
    if (text)
        put_quoted(&json->buf, text);
    else
        buf_puts(&json->buf, "null");
}

void json_writer_i64(struct json_writer *json, int64_t value) {
    before_value(json);
    buf_printf(&json->buf, "%" PRId64, value);
}

void json_writer_bool(struct json_writer *json, bool value) {
    before_value(json);
    buf_puts(&json->buf, value ? "true" : "false");
}

void json_writer_seconds(struct json_writer *json, uint64_t nsec) {
    before_value(json);
    buf_printf(&json->buf, "%" PRIu64 ".%06" PRIu64, nsec / 1000000000, nsec % 1000000000 / 1000);
}

void json_writer_done(struct json_writer *json) {
    buf_done(&json->buf);
    *json = JSON_WRITER_INIT;
}
