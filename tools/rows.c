/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of objects as people and scripts want them: a table, JSON, or a line
 * for each by a template.  What comes from containers is made safe to show.
 */
#include "rows.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "template.h"
#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define GAP 2

void rows_json(struct buf *buf, const struct value *value) {
    struct json_writer json = JSON_WRITER_INIT;

    value_json(value, &json);
    buf_append(buf, json.buf.data ? json.buf.data : "", json.buf.size);
    buf->failed |= buf_failed(&json.buf);
    buf_puts(buf, "\n");
    json_writer_done(&json);
}

/* Appends lines whose cells have tabs between them, as columns. */
static void put_aligned(struct buf *buf, const struct strv *lines) {
    size_t widths[64] = {0};

    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < lines->n; i++) {
            const char *p = lines->items[i];

            for (size_t c = 0;; c++) {
                size_t n = strcspn(p, "\t"), *width = &widths[c < 63 ? c : 63];
                _cleanup_free_ char *cell = strndup(p, n);
                _cleanup_buf_ struct buf safe = BUF_INIT;
                size_t shown = text_append_line(&safe, cell ? cell : "", SIZE_MAX);

                p += n;
                if (round == 0 && shown > *width)
                    *width = shown;
                if (round == 1) {
                    buf_append(buf, safe.data ? safe.data : "", safe.size);
                    if (*p)
                        buf_printf(buf, "%*s", (int)(*width - shown + GAP), "");
                }
                if (!*p)
                    break;
                p++;
            }
            if (round == 1)
                buf_puts(buf, "\n");
        }
}

static const char *cell_text(const struct value *row, const char *key, char number[24]) {
    const struct value *value = value_find(row, key);

    if (!value || value->kind == VALUE_TEXT)
        return value ? value->text : "";
    snprintf(number, 24, "%" PRId64, value->number);
    return number;
}

/* A line as put_aligned() takes it; @row NULL: the headings. */
static char *line_of(const struct rows_column *columns, size_t n_columns, const struct value *row) {
    _cleanup_buf_ struct buf line = BUF_INIT;

    for (size_t c = 0; c < n_columns; c++) {
        _cleanup_buf_ struct buf safe = BUF_INIT;
        char number[24];

        (void)text_append_line(
            &safe, row ? cell_text(row, columns[c].key, number) : columns[c].heading, SIZE_MAX);
        buf_printf(&line, "%s%s", c > 0 ? "\t" : "", safe.data ? safe.data : "");
    }
    return buf_take(&line);
}

void rows_table(struct buf *buf, const struct rows_column *columns, size_t n_columns,
                const struct value *rows, bool has_heading) {
    _cleanup_strv_ struct strv lines = {0};

    if (has_heading && strv_push_take(&lines, line_of(columns, n_columns, NULL)) < 0)
        buf->failed = true;
    for (size_t i = 0; i < rows->n_items; i++)
        if (strv_push_take(&lines, line_of(columns, n_columns, rows->items[i])) < 0)
            buf->failed = true;
    put_aligned(buf, &lines);
}

int rows_check_format(const char *format, struct err *err) {
    if (str_eq(format, "json") || str_eq(format, "table") || strstr(format, "{{"))
        return 0;
    return err_set(err, -EINVAL,
                   "--format '%s' is not one of table, json, or a template such as {{.ID}}",
                   format);
}

/* An object of headings, for the template of a table. */
static struct value *headings(const struct rows_column *columns, size_t n_columns,
                              const struct value *rows) {
    const struct value *first = rows->n_items > 0 ? rows->items[0] : NULL;
    struct value *object = value_new(VALUE_OBJECT);

    for (size_t c = 0; c < n_columns; c++)
        value_add_text(object, columns[c].key, columns[c].heading);
    for (size_t i = 0; first && i < first->n_items; i++) {
        _cleanup_free_ char *key = strdup(first->items[i]->key);

        for (char *p = key; p && *p; p++)
            *p = (char)toupper((unsigned char)*p);
        if (key && !value_find(object, key))
            value_add_text(object, first->items[i]->key, key);
    }
    return object;
}

static int push_line(struct strv *lines, const char *template, const struct value *row,
                     struct err *err) {
    _cleanup_buf_ struct buf line = BUF_INIT;
    int r = template_format(template, row, &line, err);

    if (r == 0 && strv_push(lines, line.data ? line.data : "") < 0)
        r = err_nomem(err);
    return r;
}

int rows_format(struct buf *buf, const char *format, const struct rows_column *columns,
                size_t n_columns, const struct value *rows, struct err *err) {
    const char *table = str_after(format, "table ");
    _cleanup_value_ struct value *heading = table ? headings(columns, n_columns, rows) : NULL;
    _cleanup_strv_ struct strv lines = {0};
    int r = 0;

    if (str_eq(format, "json")) {
        rows_json(buf, rows);
        return 0;
    }
    if (table)
        r = push_line(&lines, table, heading, err);
    for (size_t i = 0; r == 0 && i < rows->n_items; i++)
        r = push_line(&lines, table ? table : format, rows->items[i], err);
    if (table)
        put_aligned(buf, &lines);
    for (size_t i = 0; !table && i < lines.n; i++) {
        buf_puts(buf, lines.items[i]);
        buf_puts(buf, "\n");
    }
    return r;
}
