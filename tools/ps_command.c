/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly ps": containers as people and scripts want to see them. */
#include "commands.h"
#include "describe.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/live/kept_labels.h"
#include "rows.h"
#include "verb.h"

#include <ctype.h>
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
        choice->format = str_eq(options->value, "table") ? NULL : options->value;
        return rows_check_format(options->value, err);
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
        return life_has_label(life, value);
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

/*
 * Whether labels are asked for, by a filter or by a format that names them or all there is: those
 * of images take a look at the image of each container.
 */
static bool wants_labels(const struct ps_choice *choice) {
    const char *p = choice->quiet ? NULL : choice->format;

    for (size_t i = 0; i < choice->filters.n; i++)
        if (str_after(choice->filters.items[i], "label="))
            return true;
    if (!p)
        return false;
    if (str_eq(p, "json") || strcasestr(p, "label"))
        return true;
    while ((p = strchr(p, '.')))
        if (!isalpha((unsigned char)*++p))
            return true;
    return false;
}

/* One whose program is the image's has to be looked up there, too.  @life: for life_done() anyway.
 */
static int read_life(struct verb_job *job, const struct kept *kept, bool with_labels,
                     struct life *life) {
    const struct ps_choice *choice = job->choice;
    struct err err = {0};
    int r = 0;

    life_init(life);
    if (!with_labels) {
        r = kept_life(kept, life, &err);
        if (r == 0 && (choice->quiet || life->command.n > 0 || life->has_entrypoint))
            return 0;
        life_done(life);
    }
    if (r == 0)
        r = kept_labels(&job->containers, kept, life, &err);
    /* One that is removed at this moment is none. */
    if (r < 0 && r != -ENOENT)
        log_warning(&job->log, "%s; 'mayfly rm' removes it", err.message);
    return r;
}

/* The rows that are wanted, as a list. */
static int collect_rows(struct verb_job *job, struct value *rows, struct err *err) {
    const struct ps_choice *choice = job->choice;
    bool with_labels = wants_labels(choice);
    struct kept *kept = NULL;
    size_t n = 0;
    int r = containers_list(&job->containers, &kept, &n, err);

    for (size_t i = 0; r == 0 && i < n; i++) {
        _cleanup_life_ struct life life;

        if (read_life(job, &kept[i], with_labels, &life) < 0 || !is_wanted(choice, &kept[i], &life))
            continue;
        if (choice->last > 0 && rows->n_items >= choice->last)
            break;
        if (!value_add(rows, NULL, describe_row(&kept[i], &life, choice->full, clock_realtime())))
            r = err_nomem(err);
    }
    kept_list_done(kept, n);
    return r;
}

static const struct rows_column columns[] = {
    {"CONTAINER ID", "ID"}, {"IMAGE", "Image"}, {"COMMAND", "Command"}, {"CREATED", "RunningFor"},
    {"STATUS", "Status"},   {"PORTS", "Ports"}, {"NAMES", "Names"},
};

static int run_ps(struct verb_job *job, struct err *err) {
    const struct ps_choice *choice = job->choice;
    _cleanup_value_ struct value *rows = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = rows ? collect_rows(job, rows, err) : err_nomem(err);

    if (r == 0 && (choice->quiet || choice->format))
        r = rows_format(&text, choice->quiet ? "{{.ID}}" : choice->format, columns,
                        N_ELEMENTS(columns), rows, err);
    else if (r == 0)
        rows_table(&text, columns, N_ELEMENTS(columns), rows, !choice->no_heading);
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
