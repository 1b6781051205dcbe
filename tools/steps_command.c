/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly steps": what is remembered of earlier runs, and what they keep. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/json_writer.h"
#include "engine/base/str.h"
#include "engine/manage/remembered.h"
#include "image_table.h"
#include "text.h"
#include "verb.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define KEY_DIGITS 12
#define COLUMNS_OF_STEP 40
#define COLUMNS_OF_REASON 48

enum steps_option {
    STEPS_OPTION_FORMAT,
    STEPS_OPTION_FULL,
    STEPS_OPTION_KEYS,
};

struct look {
    bool json;
    bool full;
    bool keys;
    uint64_t now_nsec;
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct look *look = job->choice;
    const char *value = options->value;

    switch ((enum steps_option)options->spec->id) {
    case STEPS_OPTION_FORMAT:
        if (!str_eq(value, "json") && !str_eq(value, "table"))
            return err_set(err, -EINVAL, "--format '%s' is not one of table, json", value);
        look->json = str_eq(value, "json");
        break;
    case STEPS_OPTION_FULL:
        look->full = true;
        break;
    case STEPS_OPTION_KEYS:
        look->keys = true;
        break;
    }
    return 0;
}

/* A moment as a length of time from now; nothing for those that are no more, or not yet. */
static void put_time(struct buf *text, uint64_t from_nsec, uint64_t to_nsec) {
    if (to_nsec > from_nsec)
        image_table_age(text, (int64_t)((to_nsec - from_nsec) / NSEC_PER_SEC));
    else
        buf_puts(text, "-");
}

static void pad(struct buf *text, size_t begin, size_t columns) {
    while (text->size - begin < columns)
        buf_puts(text, " ");
    buf_puts(text, "  ");
}

static void put_column(struct buf *text, const char *value, size_t columns, bool full) {
    _cleanup_buf_ struct buf cell = BUF_INIT;
    size_t used = text_append_line(&cell, value ? value : "", full ? SIZE_MAX : columns);

    buf_puts(text, cell.data ? cell.data : "");
    for (; used < columns; used++)
        buf_puts(text, " ");
    buf_puts(text, "  ");
}

static void put_step(struct buf *text, const struct step_entry *entry, const struct look *look) {
    const struct step_record *record = &entry->step.record;
    size_t begin = text->size;
    char number[24];

    buf_printf(text, "%.*s", look->full ? SHA256_HEX_BYTES : KEY_DIGITS, entry->step.key);
    pad(text, begin, KEY_DIGITS);
    snprintf(number, sizeof number, "%" PRIu64, record->number);
    put_column(text, number, 4, true);
    put_column(text, record->title, COLUMNS_OF_STEP, look->full);
    begin = text->size;
    image_table_size(text, record->size_bytes);
    pad(text, begin, 7);
    begin = text->size;
    put_time(text, record->created_nsec, look->now_nsec);
    pad(text, begin, 22);
    begin = text->size;
    if (entry->in_use)
        buf_puts(text, "in use");
    else
        put_time(text, look->now_nsec, entry->step.expires_nsec);
    pad(text, begin, 10);
    put_column(text, record->reason, 0, true);
    while (text->size > 0 && text->data[text->size - 1] == ' ')
        text->data[--text->size] = '\0';
    buf_puts(text, "\n");
}

static void put_keep(struct buf *text, const struct keep_entry *entry, const struct look *look) {
    size_t begin;

    put_column(text, entry->name, 30, true);
    begin = text->size;
    image_table_size(text, entry->size_bytes);
    pad(text, begin, 7);
    if (entry->in_use)
        buf_puts(text, "in use");
    else {
        put_time(text, entry->used_nsec, look->now_nsec);
        buf_puts(text, " ago");
    }
    buf_puts(text, "\n");
}

static void put_tables(struct buf *text, const struct remembered *all, const struct look *look) {
    if (look->keys) {
        for (size_t i = 0; i < all->steps.n; i++)
            buf_printf(text, "%s\n", all->steps.items[i].step.key);
        return;
    }
    buf_printf(text, "%-12s  %-4s  %-*s  %-7s  %-22s  %-10s  %s\n", "KEY", "STEP", COLUMNS_OF_STEP,
               "COMMAND", "SIZE", "AGE", "KEPT FOR", "WHY IT RAN");
    for (size_t i = 0; i < all->steps.n; i++)
        put_step(text, &all->steps.items[i], look);
    if (all->keeps.n == 0)
        return;
    buf_printf(text, "\n%-30s  %-7s  %s\n", "KEPT DIRECTORY", "SIZE", "LAST USED");
    for (size_t i = 0; i < all->keeps.n; i++)
        put_keep(text, &all->keeps.items[i], look);
}

static void put_json(struct json_writer *json, const struct remembered *all) {
    json_writer_open_object(json);
    json_writer_key(json, "steps");
    json_writer_open_array(json);
    for (size_t i = 0; i < all->steps.n; i++) {
        const struct step_entry *entry = &all->steps.items[i];
        const struct step_record *record = &entry->step.record;

        json_writer_open_object(json);
        json_writer_key(json, "key");
        json_writer_string(json, entry->step.key);
        json_writer_key(json, "step");
        json_writer_i64(json, (int64_t)record->number);
        json_writer_key(json, "command");
        json_writer_string(json, record->title);
        json_writer_key(json, "image");
        json_writer_string(json, record->image);
        json_writer_key(json, "reason");
        json_writer_string(json, record->reason);
        json_writer_key(json, "size_bytes");
        json_writer_i64(json, (int64_t)record->size_bytes);
        json_writer_key(json, "created");
        json_writer_seconds(json, record->created_nsec);
        json_writer_key(json, "expires");
        json_writer_seconds(json, entry->step.expires_nsec);
        json_writer_key(json, "in_use");
        json_writer_bool(json, entry->in_use);
        json_writer_close_object(json);
    }
    json_writer_close_array(json);
    json_writer_key(json, "kept");
    json_writer_open_array(json);
    for (size_t i = 0; i < all->keeps.n; i++) {
        const struct keep_entry *entry = &all->keeps.items[i];

        json_writer_open_object(json);
        json_writer_key(json, "name");
        json_writer_string(json, entry->name);
        json_writer_key(json, "size_bytes");
        json_writer_i64(json, (int64_t)entry->size_bytes);
        json_writer_key(json, "used");
        json_writer_seconds(json, entry->used_nsec);
        json_writer_key(json, "in_use");
        json_writer_bool(json, entry->in_use);
        json_writer_close_object(json);
    }
    json_writer_close_array(json);
    json_writer_close_object(json);
}

static int run_steps(struct verb_job *job, struct err *err) {
    struct look *look = job->choice;
    _cleanup_remembered_ struct remembered all = {0};
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = remembered_list(&job->images, &all, err);

    if (r < 0)
        return r;
    look->now_nsec = clock_realtime();
    if (look->json) {
        struct json_writer json = {0};

        put_json(&json, &all);
        text = json.buf;
        buf_puts(&text, "\n");
    } else
        put_tables(&text, &all, look);
    job->status = console_print(&job->out, &text);
    return 0;
}

int steps_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"format", 0, "FORM", "Options", "table (default) or json", STEPS_OPTION_FORMAT},
        {"no-trunc", 0, NULL, "Options", "keys and commands in full", STEPS_OPTION_FULL},
        {"quiet", 'q', NULL, "Options", "the steps' keys alone", STEPS_OPTION_KEYS},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "steps",
        .words = "",
        .about = "Lists the steps that are remembered (-r), the newest last, with the reason "
                 "why each ran, and the directories that are kept (-k).",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .apply = apply,
        .run = run_steps,
    };
    struct look look = {0};

    return verb_run(&verb, &look, argc, argv);
}
