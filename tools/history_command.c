/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly history": the steps that an image was made in. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "image_table.h"
#include "rows.h"
#include "text.h"
#include "verb.h"

#define CREATED_BY_COLUMNS 45

struct history {
    const char *format; /* NULL: a table */
    bool full;
    bool only_ids;
    bool no_heading;
    const char *id; /* of the image, until a line has it */
    int64_t now;
    struct value *rows;
};

enum history_option {
    HISTORY_OPTION_FORMAT,
    HISTORY_OPTION_FULL,
    HISTORY_OPTION_IDS,
    HISTORY_OPTION_NO_HEADING,
};

static const struct option_spec specs[] = {
    {"format", 0, "FORM", "Options",
     "table (default), json, or a line for each by a template: {{.ID}} {{.CreatedBy}}",
     HISTORY_OPTION_FORMAT},
    {"no-trunc", 0, NULL, "Options", "texts and ids in full", HISTORY_OPTION_FULL},
    {"noheading", 0, NULL, "Options", "no titles", HISTORY_OPTION_NO_HEADING},
    {"quiet", 'q', NULL, "Options", "ids alone", HISTORY_OPTION_IDS},
};

static const struct rows_column columns[] = {
    {"IMAGE", "ID"},  {"CREATED", "CreatedSince"}, {"CREATED BY", "CreatedBy"},
    {"SIZE", "Size"}, {"COMMENT", "Comment"},
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct history *history = job->choice;

    switch ((enum history_option)options->spec->id) {
    case HISTORY_OPTION_FORMAT:
        history->format = str_eq(options->value, "table") ? NULL : options->value;
        return rows_check_format(options->value, err);
    case HISTORY_OPTION_FULL:
        history->full = true;
        break;
    case HISTORY_OPTION_IDS:
        history->only_ids = true;
        break;
    case HISTORY_OPTION_NO_HEADING:
        history->no_heading = true;
        break;
    }
    return 0;
}

static void add_buf(struct value *row, const char *key, struct buf *text) {
    value_add_text(row, key, text->data ? text->data : "");
    buf_done(text);
}

static void add_created_by(struct value *row, const struct history *history, const char *text) {
    struct buf cut = BUF_INIT;

    if (history->full) {
        value_add_text(row, "CreatedBy", text);
        return;
    }
    (void)text_append_line(&cut, text, CREATED_BY_COLUMNS);
    add_buf(row, "CreatedBy", &cut);
}

/* The image's own id stands at its latest step; those before are none here. */
static int add_line(void *context, const struct image_history_line *line) {
    struct history *history = context;
    struct value *row = value_add(history->rows, NULL, value_new(VALUE_OBJECT));
    struct buf text = BUF_INIT;
    int64_t created;

    if (history->id)
        image_table_id(&text, history->id, history->full);
    else
        buf_puts(&text, "<missing>");
    history->id = NULL;
    add_buf(row, "ID", &text);
    if (line->created && image_table_parse_time(line->created, &created) == 0) {
        image_table_age(&text, history->now - created);
        buf_puts(&text, " ago");
    } else {
        buf_puts(&text, "N/A");
    }
    add_buf(row, "CreatedSince", &text);
    value_add_text(row, "CreatedAt", line->created ? line->created : "N/A");
    add_created_by(row, history, line->created_by ? line->created_by : "");
    image_table_size(&text, line->bytes);
    add_buf(row, "Size", &text);
    value_add_text(row, "Comment", line->comment ? line->comment : "");
    return row ? 0 : -1;
}

static int run(struct verb_job *job, struct err *err) {
    struct history *history = job->choice;
    __attribute__((cleanup(image_done))) struct image image = IMAGE_INIT;
    _cleanup_value_ struct value *rows = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = images_find(&job->images, job->words[0], &image, err);

    history->id = image.id;
    history->rows = rows;
    history->now = (int64_t)(clock_realtime() / NSEC_PER_SEC);
    if (r == 0)
        r = images_history(&job->images, job->words[0], add_line, history, err);
    if (r == 0 && (history->only_ids || history->format))
        r = rows_format(&text, history->only_ids ? "{{.ID}}" : history->format, columns,
                        N_ELEMENTS(columns), rows, err);
    else if (r == 0)
        rows_table(&text, columns, N_ELEMENTS(columns), rows, !history->no_heading);
    if (r == 0)
        job->status = console_print(&job->out, &text);
    return r;
}

int history_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "history",
        .words = "IMAGE",
        .about = "Shows the steps that an image was made in, the latest first, with the sizes of "
                 "the layers that they left.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = 1,
        .apply = apply,
        .run = run,
    };
    struct history history = {0};

    return verb_run(&verb, &history, argc, argv);
}
