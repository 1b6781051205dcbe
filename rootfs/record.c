/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as the store keeps it: lines of a word and a value, so that a run
 * reads it without a JSON parser.  Newlines and backslashes in values are
 * written "\n" and "\\".  The first line names the form; the last says that
 * the record is whole.
 */
#include "record.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>

#define RECORD_FIRST "mayfly image 1"
#define RECORD_LAST "end"

/* One word of a record and the place of its value or values in an image. */
struct field {
    const char *word;
    size_t offset;
    bool is_list;
};

#define LIST(word, member)                                                                         \
    { word, offsetof(struct image, member), true }
#define TEXT(word, member)                                                                         \
    { word, offsetof(struct image, member), false }

static const struct field fields[] = {
    LIST("layer", layers),
    LIST("hidden", hidden),
    LIST("env", config.env),
    LIST("entrypoint", config.entrypoint),
    LIST("cmd", config.cmd),
    LIST("volume", config.volumes),
    LIST("port", config.exposed_ports),
    LIST("label", config.labels),
    TEXT("created", created),
    TEXT("architecture", architecture),
    TEXT("workdir", config.working_dir),
    TEXT("user", config.user),
    TEXT("stopsignal", config.stop_signal),
};

static void put_line(struct buf *buf, const char *word, const char *value) {
    buf_printf(buf, "%s ", word);
    for (; *value; value++)
        if (*value == '\n')
            buf_puts(buf, "\\n");
        else if (*value == '\\')
            buf_puts(buf, "\\\\");
        else
            buf_append(buf, value, 1);
    buf_puts(buf, "\n");
}

void record_encode(const struct image *image, struct buf *buf) {
    buf_puts(buf, RECORD_FIRST "\n");
    for (size_t i = 0; i < N_ELEMENTS(fields); i++) {
        const void *place = (const char *)image + fields[i].offset;

        if (fields[i].is_list) {
            const struct strv *list = place;

            for (size_t k = 0; k < list->n; k++)
                put_line(buf, fields[i].word, list->items[k]);
        } else if (*(char *const *)place)
            put_line(buf, fields[i].word, *(char *const *)place);
    }
    buf_puts(buf, RECORD_LAST "\n");
}

/* Undoes the escapes in place. */
static int unescape(char *text) {
    char *out = text;

    for (const char *p = text; *p; p++) {
        if (*p == '\\') {
            p++;
            if (*p != 'n' && *p != '\\')
                return -EBADMSG;
            *out++ = *p == 'n' ? '\n' : '\\';
        } else
            *out++ = *p;
    }
    *out = '\0';
    return 0;
}

static int take_value(const struct field *field, const char *value, struct image *image) {
    void *place = (char *)image + field->offset;

    if (field->offset == offsetof(struct image, layers) ||
        field->offset == offsetof(struct image, hidden)) {
        if (!*value || value[strspn(value, "0123456789abcdef")])
            return -EBADMSG;
        return strv_push_take(place, str_printf("layers/%s", value));
    }
    if (field->is_list)
        return strv_push(place, value);
    if (*(char **)place)
        return -EBADMSG;
    *(char **)place = strdup(value);
    return *(char **)place ? 0 : -ENOMEM;
}

static int take_line(char *line, struct image *image) {
    char *value = strchr(line, ' ');

    if (!value)
        return -EBADMSG;
    *value++ = '\0';
    for (size_t i = 0; i < N_ELEMENTS(fields); i++)
        if (str_eq(line, fields[i].word))
            return unescape(value) < 0 ? -EBADMSG : take_value(&fields[i], value, image);
    return -EBADMSG;
}

int record_decode(char *text, size_t size, struct image *ret_image) {
    struct image image = {.in_store = true};
    bool first = true;
    int r = -EBADMSG;

    if (strlen(text) != size)
        return -EBADMSG;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        if (first)
            r = str_eq(line, RECORD_FIRST) ? 0 : -EBADMSG;
        else if (str_eq(line, RECORD_LAST)) {
            if (end[1] || image.layers.n == 0)
                break;
            *ret_image = image;
            return 0;
        } else
            r = take_line(line, &image);
        first = false;
        if (r < 0)
            break;
    }
    image_done(&image);
    return r < 0 ? r : -EBADMSG;
}
