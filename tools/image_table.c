/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of images, in the columns and the figures that docker(1) prints, and
 * as JSON with the names of podman's fields.
 */
#include "image_table.h"

#include "engine/base/cleanup.h"
#include "engine/base/json_writer.h"
#include "engine/base/str.h"
#include "rows.h"
#include "value.h"

#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ID_DIGITS 12
#define GAP 3

#define MINUTE 60
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)

const char *image_table_name(const char *name) {
    const char *rest = str_after(name, "docker.io/"), *library;

    if (!rest)
        return name;
    library = str_after(rest, "library/");
    return library && !strchr(library, '/') ? library : rest;
}

const char *image_table_tag(const char *name) {
    const char *slash = strrchr(name, '/');

    return strchr(name, '@') ? NULL : strchr(slash ? slash : name, ':');
}

static bool matches(const char *name, const char *pattern) {
    const char *tag = image_table_tag(name);
    _cleanup_free_ char *repository = strndup(name, tag ? (size_t)(tag - name) : strlen(name));

    return fnmatch(pattern, name, FNM_PATHNAME) == 0 ||
           (repository && fnmatch(pattern, repository, FNM_PATHNAME) == 0);
}

bool image_table_matches(const char *name, const char *pattern) {
    return matches(name, pattern) || matches(image_table_name(name), pattern);
}

void image_table_id(struct buf *buf, const char *id, bool full) {
    if (full)
        buf_printf(buf, "%s%s", strspn(id, "0123456789abcdef") == 64 ? "sha256:" : "", id);
    else
        buf_printf(buf, "%.*s", ID_DIGITS, id);
}

void image_table_size(struct buf *buf, uint64_t bytes) {
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes;
    size_t unit = 0;

    /* What three digits would round up to a thousand has one in the next unit. */
    while (size >= 999.5 && unit + 1 < N_ELEMENTS(units)) {
        size /= 1000;
        unit++;
    }
    buf_printf(buf, "%.3g%s", size, units[unit]);
}

int image_table_parse_time(const char *text, int64_t *ret_seconds) {
    struct tm tm = {0};
    char sign = 'Z', t;
    int n = 0, hours = 0, minutes = 0;

    if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &t,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 7 ||
        !strchr("Tt ", t) || tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31)
        return -EINVAL;
    text += n;
    if (*text == '.')
        text += 1 + strspn(text + 1, "0123456789");
    if (!str_eq(text, "Z") && !str_eq(text, "z") &&
        (sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3 || !strchr("+-", sign)))
        return -EINVAL;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *ret_seconds =
        timegm(&tm) - (int64_t)(sign == '-' ? -1 : 1) * (hours * HOUR + minutes * MINUTE);
    return 0;
}

void image_table_age(struct buf *buf, int64_t seconds) {
    /* Each unit from its first to its last number of seconds. */
    static const struct {
        int64_t below;
        int64_t unit;
        const char *name;
    } steps[] = {
        {MINUTE, 1, "seconds"},          {HOUR, MINUTE, "minutes"},
        {2 * DAY, HOUR, "hours"},        {14 * DAY, DAY, "days"},
        {60 * DAY, 7 * DAY, "weeks"},    {730 * DAY, 30 * DAY, "months"},
        {INT64_MAX, 365 * DAY, "years"},
    };
    size_t i = 0;

    if (seconds < 1)
        buf_puts(buf, "Less than a second");
    else if (seconds == 1)
        buf_puts(buf, "1 second");
    else if (seconds >= MINUTE && seconds < 2 * MINUTE)
        buf_puts(buf, "About a minute");
    else if (seconds >= HOUR && seconds < 2 * HOUR)
        buf_puts(buf, "About an hour");
    else {
        while (seconds >= steps[i].below)
            i++;
        buf_printf(buf, "%" PRId64 " %s", seconds / steps[i].unit, steps[i].name);
    }
}

/* What a list has of each image; the titles are docker's, the fields those of its templates. */
enum column {
    COLUMN_REPOSITORY,
    COLUMN_TAG,
    COLUMN_DIGEST,
    COLUMN_ID,
    COLUMN_SINCE,
    COLUMN_SIZE,
    N_COLUMNS,
};

static const struct rows_column columns[] = {
    [COLUMN_REPOSITORY] = {"REPOSITORY", "Repository"},
    [COLUMN_TAG] = {"TAG", "Tag"},
    [COLUMN_DIGEST] = {"DIGEST", "Digest"},
    [COLUMN_ID] = {"IMAGE ID", "ID"},
    [COLUMN_SINCE] = {"CREATED", "CreatedSince"},
    [COLUMN_SIZE] = {"SIZE", "Size"},
};

static bool is_shown(const struct image_table_look *look, size_t column) {
    return column != COLUMN_DIGEST || look->digests;
}

static void put_cell(struct buf *buf, const struct image_entry *e, size_t column,
                     const struct image_table_look *look) {
    const char *name = e->name ? image_table_name(e->name) : NULL;
    const char *tag = name ? image_table_tag(name) : NULL;
    int64_t created;

    switch ((enum column)column) {
    case COLUMN_REPOSITORY:
        buf_printf(buf, "%.*s", tag ? (int)(tag - name) : (int)strlen(name ? name : "<none>"),
                   name ? name : "<none>");
        break;
    case COLUMN_TAG:
        buf_puts(buf, tag ? tag + 1 : "<none>");
        break;
    case COLUMN_DIGEST:
        buf_puts(buf, e->digest ? e->digest : "<none>");
        break;
    case COLUMN_ID:
        image_table_id(buf, e->id, look->full);
        break;
    case COLUMN_SINCE:
        if (!e->created || image_table_parse_time(e->created, &created) < 0) {
            buf_puts(buf, "N/A");
            break;
        }
        image_table_age(buf, look->now - created);
        buf_puts(buf, " ago");
        break;
    case COLUMN_SIZE:
    case N_COLUMNS:
        image_table_size(buf, e->size_bytes);
    }
}

static size_t widest(const struct image_entries *entries, size_t column,
                     const struct image_table_look *look) {
    size_t width = look->no_heading ? 0 : strlen(columns[column].heading);

    for (size_t i = 0; i < entries->n; i++) {
        _cleanup_buf_ struct buf cell = BUF_INIT;

        put_cell(&cell, &entries->items[i], column, look);
        if (cell.size > width)
            width = cell.size;
    }
    return width;
}

/* Appends a cell and fills it up to the next column. */
static void put_padded(struct buf *buf, const struct buf *cell, size_t width, bool is_last) {
    buf_append(buf, cell->data ? cell->data : "", cell->size);
    buf->failed |= cell->failed;
    if (is_last)
        buf_puts(buf, "\n");
    else
        buf_printf(buf, "%*s", (int)(width - cell->size + GAP), "");
}

static void format_ids(struct buf *buf, const struct image_entries *entries, bool full) {
    for (size_t i = 0; i < entries->n; i++) {
        size_t k = 0;

        while (!str_eq(entries->items[k].id, entries->items[i].id))
            k++;
        if (k < i)
            continue;
        image_table_id(buf, entries->items[i].id, full);
        buf_puts(buf, "\n");
    }
}

void image_table_format(struct buf *buf, const struct image_entries *entries,
                        const struct image_table_look *look) {
    size_t widths[N_COLUMNS];

    if (look->only_ids) {
        format_ids(buf, entries, look->full);
        return;
    }
    for (size_t column = 0; column < N_COLUMNS; column++) {
        _cleanup_buf_ struct buf cell = BUF_INIT;

        widths[column] = widest(entries, column, look);
        buf_puts(&cell, columns[column].heading);
        if (is_shown(look, column) && !look->no_heading)
            put_padded(buf, &cell, widths[column], column + 1 == N_COLUMNS);
    }
    for (size_t i = 0; i < entries->n; i++)
        for (size_t column = 0; column < N_COLUMNS; column++) {
            _cleanup_buf_ struct buf cell = BUF_INIT;

            put_cell(&cell, &entries->items[i], column, look);
            if (is_shown(look, column))
                put_padded(buf, &cell, widths[column], column + 1 == N_COLUMNS);
        }
}

/* An image as an object: the cells of its row under their fields' names, and more. */
static struct value *make_row(const struct image_entry *e, const struct image_table_look *look) {
    struct value *row = value_new(VALUE_OBJECT);
    struct value *labels = value_new(VALUE_OBJECT), *names = value_new(VALUE_LIST);
    int64_t created;

    for (size_t column = 0; column < N_COLUMNS; column++) {
        _cleanup_buf_ struct buf cell = BUF_INIT;

        put_cell(&cell, e, column, look);
        value_add_text(row, columns[column].key, cell.data);
    }
    if (e->created && image_table_parse_time(e->created, &created) == 0)
        value_add_number(row, "Created", created);
    value_add_text(row, "CreatedAt", e->created ? e->created : "N/A");
    value_add_text(row, "Architecture", e->architecture);
    for (size_t i = 0; i < e->labels.n; i++) {
        char *label = e->labels.items[i], *equals = strchr(label, '=');
        _cleanup_free_ char *key = equals ? strndup(label, (size_t)(equals - label)) : NULL;

        if (key)
            value_add_text(labels, key, equals + 1);
    }
    value_add(row, "Labels", labels);
    if (e->name)
        value_add_text(names, NULL, e->name);
    value_add(row, "Names", names);
    return row;
}

int image_table_template(struct buf *buf, const struct image_entries *entries,
                         const struct image_table_look *look, const char *format, struct err *err) {
    _cleanup_value_ struct value *rows = value_new(VALUE_LIST);

    for (size_t i = 0; i < entries->n; i++)
        if (!value_add(rows, NULL, make_row(&entries->items[i], look)))
            return err_nomem(err);
    return rows ? rows_format(buf, format, columns, N_COLUMNS, rows, err) : err_nomem(err);
}

/* An object for the image of entry @first, with the names of all entries that have its id. */
static void put_json(struct json_writer *json, const struct image_entries *entries, size_t first) {
    const struct image_entry *e = &entries->items[first];
    int64_t created;

    json_writer_open_object(json);
    json_writer_key(json, "Id");
    json_writer_string(json, e->id);
    json_writer_key(json, "Names");
    json_writer_open_array(json);
    for (size_t i = first; i < entries->n; i++)
        if (entries->items[i].name && str_eq(entries->items[i].id, e->id))
            json_writer_string(json, entries->items[i].name);
    json_writer_close_array(json);
    json_writer_key(json, "Size");
    json_writer_i64(json, (int64_t)e->size_bytes);
    json_writer_key(json, "Created");
    if (e->created && image_table_parse_time(e->created, &created) == 0)
        json_writer_i64(json, created);
    else
        json_writer_string(json, NULL);
    json_writer_key(json, "CreatedAt");
    json_writer_string(json, e->created);
    json_writer_key(json, "Architecture");
    json_writer_string(json, e->architecture);
    json_writer_key(json, "Digest");
    json_writer_string(json, e->digest);
    json_writer_close_object(json);
}

void image_table_json(struct buf *buf, const struct image_entries *entries) {
    _cleanup_(json_writer_done) struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_array(&json);
    for (size_t i = 0; i < entries->n; i++) {
        size_t k = 0;

        while (!str_eq(entries->items[k].id, entries->items[i].id))
            k++;
        if (k == i)
            put_json(&json, entries, i);
    }
    json_writer_close_array(&json);
    buf_append(buf, json.buf.data ? json.buf.data : "", json.buf.size);
    buf->failed |= json.buf.failed;
    buf_puts(buf, "\n");
}
