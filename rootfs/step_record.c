/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A remembered step as the store keeps it: words and values, each ended by a
 * NUL, so that a command may hold anything.  The last value is the digest of all
 * before it: nothing that a crash has left half written is taken for a record.
 */
#include "step_record.h"

#include "engine/base/cleanup.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>

#define FIRST "mayfly step 1"

enum kind { CHARS, TEXT, LIST, NUMBER };

/* One word of a record and the place of its value or values. */
static const struct field {
    const char *word;
    enum kind kind;
    size_t offset;
    size_t size; /* of CHARS */
} fields[] = {
#define FIELD(word, kind, member)                                                                  \
    { word, kind, offsetof(struct step_record, member), sizeof(((struct step_record *)0)->member) }
    FIELD("id", CHARS, id),
    FIELD("boot", CHARS, boot),
    FIELD("tree", CHARS, tree_hex),
    FIELD("output", CHARS, output_hex),
    FIELD("title", TEXT, title),
    FIELD("image", TEXT, image),
    FIELD("reason", TEXT, reason),
    FIELD("fact", LIST, facts),
    FIELD("volume", LIST, volumes),
    FIELD("number", NUMBER, number),
    FIELD("created", NUMBER, created_nsec),
    FIELD("elapsed", NUMBER, elapsed_nsec),
    FIELD("size", NUMBER, size_bytes),
#undef FIELD
};

void step_record_done(struct step_record *record) {
    free(record->title);
    free(record->image);
    free(record->reason);
    strv_done(&record->facts);
    strv_done(&record->volumes);
    *record = STEP_RECORD_INIT;
}

static void put(struct buf *buf, const char *text) {
    buf_append(buf, text, strlen(text) + 1);
}

static void put_field(struct buf *buf, const struct field *field, const void *place) {
    const struct strv *list = place;
    char number[24];

    switch (field->kind) {
    case CHARS:
    case TEXT:
        if (field->kind == TEXT && !*(char *const *)place)
            return;
        put(buf, field->word);
        put(buf, field->kind == CHARS ? place : *(char *const *)place);
        return;
    case LIST:
        for (size_t i = 0; i < list->n; i++) {
            put(buf, field->word);
            put(buf, list->items[i]);
        }
        return;
    case NUMBER:
        snprintf(number, sizeof number, "%" PRIu64, *(const uint64_t *)place);
        put(buf, field->word);
        put(buf, number);
        return;
    }
}

void step_record_encode(const struct step_record *record, struct buf *buf) {
    size_t begin = buf->size;
    char hex[SHA256_HEX_BYTES];
    struct sha256 sha;

    put(buf, FIRST);
    for (size_t i = 0; i < N_ELEMENTS(fields); i++)
        put_field(buf, &fields[i], (const char *)record + fields[i].offset);
    put(buf, "end");
    if (buf_failed(buf))
        return;
    sha256_init(&sha);
    sha256_update(&sha, buf->data + begin, buf->size - begin);
    sha256_final_hex(&sha, hex);
    put(buf, hex);
}

static int take(const struct field *field, void *place, const char *value) {
    switch (field->kind) {
    case CHARS:
        return snprintf(place, field->size, "%s", value) < (int)field->size ? 0 : -EBADMSG;
    case TEXT:
        free(*(char **)place);
        *(char **)place = strdup(value);
        return *(char **)place ? 0 : -ENOMEM;
    case LIST:
        return strv_push(place, value);
    case NUMBER:
        return str_to_u64(value, UINT64_MAX, place) < 0 ? -EBADMSG : 0;
    }
    return -EBADMSG;
}

/* Whether the last text is the digest of what stands before it. */
static bool is_whole(const char *data, size_t size) {
    char hex[SHA256_HEX_BYTES];
    struct sha256 sha;

    if (size < sizeof FIRST + SHA256_HEX_BYTES || data[size - 1])
        return false;
    sha256_init(&sha);
    sha256_update(&sha, data, size - SHA256_HEX_BYTES);
    sha256_final_hex(&sha, hex);
    return memcmp(data + size - SHA256_HEX_BYTES, hex, sizeof hex) == 0 && str_eq(data, FIRST);
}

int step_record_decode(const char *data, size_t size, struct step_record *ret_record) {
    struct step_record record = STEP_RECORD_INIT;
    const char *end = data + size, *word, *value;
    int r = 0;

    if (!is_whole(data, size))
        return -EBADMSG;
    for (word = data + sizeof FIRST; r == 0 && !str_eq(word, "end"); word = value) {
        const struct field *field = NULL;

        value = word + strlen(word) + 1;
        for (size_t i = 0; i < N_ELEMENTS(fields); i++)
            if (str_eq(word, fields[i].word))
                field = &fields[i];
        if (value >= end || !field) {
            r = -EBADMSG;
            break;
        }
        r = take(field, (char *)&record + field->offset, value);
        value += strlen(value) + 1;
        if (r == 0 && value >= end)
            r = -EBADMSG;
    }
    if (r == 0 && !*record.id)
        r = -EBADMSG;
    if (r == 0)
        *ret_record = record;
    else
        step_record_done(&record);
    return r;
}

const char *step_record_fact(const struct step_record *record, const char *label) {
    for (size_t i = 0; i < record->facts.n; i++) {
        const char *rest = str_after(record->facts.items[i], label);

        if (rest && *rest == '\t')
            return rest + 1;
    }
    return NULL;
}
