/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly ps" and "inspect": containers as people and scripts want to see them. */
#include "commands.h"
#include "describe.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "template.h"
#include "text.h"
#include "verb.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

struct ps_choice {
    struct strv filters;
    const char *format;
    bool all;
    bool quiet;
    bool full;
    bool no_heading;
    uint64_t last; /* 0: no limit */
};

enum ps_option {
    PS_OPTION_ALL,
    PS_OPTION_QUIET,
    PS_OPTION_FILTER,
    PS_OPTION_FORMAT,
    PS_OPTION_NO_TRUNC,
    PS_OPTION_NO_HEADING,
    PS_OPTION_LATEST,
    PS_OPTION_LAST,
};

static const char *const filter_names[] = {"id",     "name",   "label",    "status",
                                           "exited", "health", "ancestor", NULL};

static int add_filter(struct ps_choice *choice, const char *value, struct err *err) {
    size_t n = strcspn(value, "=");

    for (size_t i = 0; filter_names[i]; i++)
        if (value[n] && strlen(filter_names[i]) == n && strncmp(filter_names[i], value, n) == 0)
            return strv_push(&choice->filters, value) < 0 ? err_nomem(err) : 0;
    return err_set(
        err, -EINVAL,
        "--filter '%s' is not NAME=VALUE with a name of id, name, label, status, exited, "
        "health and ancestor",
        value);
}

static int apply_ps(struct verb_job *job, const struct options *options, struct err *err) {
    struct ps_choice *choice = job->choice;

    switch ((enum ps_option)options->spec->id) {
    case PS_OPTION_ALL:
        choice->all = true;
        return 0;
    case PS_OPTION_QUIET:
        choice->quiet = true;
        return 0;
    case PS_OPTION_FILTER:
        return add_filter(choice, options->value, err);
    case PS_OPTION_FORMAT:
        choice->format = options->value;
        return 0;
    case PS_OPTION_NO_TRUNC:
        choice->full = true;
        return 0;
    case PS_OPTION_NO_HEADING:
        choice->no_heading = true;
        return 0;
    case PS_OPTION_LATEST:
        choice->all = true;
        choice->last = 1;
        return 0;
    case PS_OPTION_LAST:
        choice->all = true;
        if (str_to_u64(options->value, INT32_MAX, &choice->last) < 0)
            return err_set(err, -EINVAL, "--last '%s' is no number", options->value);
        return 0;
    }
    return 0;
}

static bool has_label(const struct life *life, const char *wanted) {
    size_t n = strlen(wanted);

    for (size_t i = 0; i < life->labels.n; i++) {
        const char *label = life->labels.items[i];

        if (str_eq(label, wanted) ||
            (!strchr(wanted, '=') && strncmp(label, wanted, n) == 0 && label[n] == '='))
            return true;
    }
    return false;
}

static bool matches(const struct kept *kept, const struct life *life, const char *filter) {
    const char *value = strchr(filter, '=') + 1;

    if (str_after(filter, "id="))
        return str_after(kept->id, value) != NULL;
    if (str_after(filter, "name="))
        return strstr(kept->name, value) || (*value == '^' && str_after(kept->name, value + 1)) ||
               (*value == '^' && strlen(value) == strlen(kept->name) + 2 &&
                value[strlen(value) - 1] == '$' &&
                strncmp(value + 1, kept->name, strlen(kept->name)) == 0);
    if (str_after(filter, "label="))
        return has_label(life, value);
    if (str_after(filter, "status="))
        return str_eq(kept_status_name(kept->state.status), value);
    if (str_after(filter, "exited="))
        return kept->state.status == KEPT_EXITED && atoi(value) == kept->state.exit_code;
    if (str_after(filter, "health="))
        return str_eq(health_name(kept->state.health), value);
    return str_eq(life->plan.image, value);
}

/* Filters of one name are alternatives, different names all have to hold, as in docker. */
static bool is_wanted(const struct ps_choice *choice, const struct kept *kept,
                      const struct life *life) {
    bool has_status = false;

    for (size_t i = 0; i < choice->filters.n; i++) {
        const char *filter = choice->filters.items[i];
        size_t n = strcspn(filter, "=") + 1;
        bool any = false;

        has_status |= str_after(filter, "status=") || str_after(filter, "exited=");
        for (size_t j = 0; j < choice->filters.n; j++)
            if (strncmp(choice->filters.items[j], filter, n) == 0)
                any |= matches(kept, life, choice->filters.items[j]);
        if (!any)
            return false;
    }
    return choice->all || has_status || kept_is_live(kept);
}

/* The rows that are wanted, as a list. */
static int collect_rows(struct verb_job *job, struct value *rows, struct err *err) {
    const struct ps_choice *choice = job->choice;
    struct kept *kept = NULL;
    size_t n = 0;
    int r = containers_list(&job->containers, &kept, &n, err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        _cleanup_life_ struct life life;
        struct err ignored;

        life_init(&life);
        /* One that is removed at this moment is none. */
        if (kept_life(&kept[i], &life, &ignored) < 0 || !is_wanted(choice, &kept[i], &life))
            continue;
        if (choice->last > 0 && rows->n_items >= choice->last)
            break;
        if (!value_add(rows, NULL, describe_row(&kept[i], &life, choice->full, clock_realtime())))
            r = err_nomem(err);
    }
    kept_list_done(kept, n);
    return r;
}

static const struct column {
    const char *heading;
    const char *key;
} columns[] = {
    {"CONTAINER ID", "ID"}, {"IMAGE", "Image"}, {"COMMAND", "Command"}, {"CREATED", "RunningFor"},
    {"STATUS", "Status"},   {"PORTS", "Ports"}, {"NAMES", "Names"},
};

static void put_cell(struct buf *buf, const char *text, size_t width, bool is_last) {
    size_t n = text_append_line(buf, text, SIZE_MAX);

    while (!is_last && n++ < width + 2)
        buf_puts(buf, " ");
}

static void put_table(struct buf *buf, const struct value *rows, bool has_heading) {
    size_t widths[N_ELEMENTS(columns)];

    for (size_t c = 0; c < N_ELEMENTS(columns); c++) {
        widths[c] = has_heading ? strlen(columns[c].heading) : 0;
        for (size_t i = 0; i < rows->n_items; i++) {
            _cleanup_buf_ struct buf cell = BUF_INIT;
            size_t n =
                text_append_line(&cell, value_find(rows->items[i], columns[c].key)->text, SIZE_MAX);

            widths[c] = n > widths[c] ? n : widths[c];
        }
    }
    for (size_t i = 0; i < rows->n_items + has_heading; i++) {
        for (size_t c = 0; c < N_ELEMENTS(columns); c++)
            put_cell(buf,
                     has_heading && i == 0
                         ? columns[c].heading
                         : value_find(rows->items[i - has_heading], columns[c].key)->text,
                     widths[c], c + 1 == N_ELEMENTS(columns));
        buf_puts(buf, "\n");
    }
}

static void put_json(struct buf *buf, const struct value *value) {
    struct json_writer json = JSON_WRITER_INIT;

    value_json(value, &json);
    buf_append(buf, json.buf.data, json.buf.size);
    buf_puts(buf, "\n");
    json_writer_done(&json);
}

static int put_templates(struct buf *buf, const char *template, const struct value *rows,
                         struct err *err) {
    const char *table = str_after(template, "table ");
    int r = 0;

    for (size_t i = 0; r == 0 && i < rows->n_items; i++) {
        r = template_format(table ? table : template, rows->items[i], buf, err);
        buf_puts(buf, "\n");
    }
    return r;
}

static int run_ps(struct verb_job *job, struct err *err) {
    const struct ps_choice *choice = job->choice;
    _cleanup_value_ struct value *rows = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = rows ? collect_rows(job, rows, err) : err_nomem(err);

    if (r == 0 && choice->quiet)
        r = put_templates(&text, "{{.ID}}", rows, err);
    else if (r == 0 && choice->format && str_eq(choice->format, "json"))
        put_json(&text, rows);
    else if (r == 0 && choice->format)
        r = put_templates(&text, choice->format, rows, err);
    else if (r == 0)
        put_table(&text, rows, !choice->no_heading);
    if (r == 0 && text.size > 0)
        job->status = console_print(&job->out, &text);
    return r;
}

int ps_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"all", 'a', NULL, "Options", "also those that do not run", PS_OPTION_ALL},
        {"quiet", 'q', NULL, "Options", "ids alone", PS_OPTION_QUIET},
        {"filter", 'f', "NAME=VALUE", "Options",
         "those alone of which it is so: id, name, label, status, exited, health, ancestor",
         PS_OPTION_FILTER},
        {"format", 0, "FORM", "Options",
         "json, or a line for each by a template: {{.ID}} {{.Names}} {{.Status}} {{json .}}",
         PS_OPTION_FORMAT},
        {"no-trunc", 0, NULL, "Options", "ids and commands in full", PS_OPTION_NO_TRUNC},
        {"noheading", 0, NULL, "Options", "no heading", PS_OPTION_NO_HEADING},
        {"latest", 'l', NULL, "Options", "the newest", PS_OPTION_LATEST},
        {"last", 'n', "N", "Options", "the newest N", PS_OPTION_LAST},
    };
    static const struct verb verb = {
        .name = "ps",
        .words = "",
        .about = "Lists containers that live longer than a command: those that run, the newest "
                 "first.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .apply = apply_ps,
        .run = run_ps,
    };
    struct ps_choice choice = {0};
    int status = verb_run(&verb, &choice, argc, argv);

    strv_done(&choice.filters);
    return status;
}

/* --- inspect ------------------------------------------------------------------ */

static int apply_inspect(struct verb_job *job, const struct options *options, struct err *err) {
    const char **format = job->choice;

    (void)err;
    if (options->value)
        *format = options->value;
    return 0;
}

static int run_inspect(struct verb_job *job, struct err *err) {
    const char **format = job->choice;
    _cleanup_value_ struct value *list = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = list ? 0 : err_nomem(err), status = 0;

    for (size_t i = 0; r == 0 && i < job->n_words; i++) {
        _cleanup_kept_ struct kept kept = KEPT_INIT;
        _cleanup_life_ struct life life;

        life_init(&life);
        r = containers_find(&job->containers, job->words[i], &kept, err);
        if (r == 0)
            r = kept_life(&kept, &life, err);
        if (r == 0 && !value_add(list, NULL, describe_whole(&kept, &life)))
            r = err_nomem(err);
        if (r < 0) {
            verb_complain(job, err);
            status = job->status;
            r = 0;
        }
    }
    if (*format && !str_eq(*format, "json"))
        r = put_templates(&text, *format, list, err);
    else
        put_json(&text, list);
    if (r == 0 && text.size > 0)
        job->status = console_print(&job->out, &text);
    if (status)
        job->status = status;
    return r;
}

int inspect_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"format", 'f', "FORM", "Options",
         "json (default), or a template: {{.State.Status}} {{json .Config}}", 0},
        {"type", 0, "container", "Options", "for docker's sake", 1},
    };
    static const struct verb verb = {
        .name = "inspect",
        .words = "CONTAINER...",
        .about = "Shows all that is known of containers, as JSON or through a template.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply_inspect,
        .run = run_inspect,
    };
    const char *format = NULL;

    return verb_run(&verb, &format, argc, argv);
}
