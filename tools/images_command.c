/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly images", "mayfly image exists": the list, chosen by words and filters, as a table or as
 * JSON. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "image_table.h"
#include "rows.h"
#include "verb.h"

#include <errno.h>
#include <stdlib.h>

enum images_option {
    IMAGES_OPTION_ALL,
    IMAGES_OPTION_DIGESTS,
    IMAGES_OPTION_FILTER,
    IMAGES_OPTION_FORMAT,
    IMAGES_OPTION_FULL,
    IMAGES_OPTION_IDS,
    IMAGES_OPTION_NO_HEADING,
};

static const struct option_spec specs[] = {
    {"all", 'a', NULL, "Options", "for habit: those without a name are listed anyway",
     IMAGES_OPTION_ALL},
    {"digests", 0, NULL, "Options", "also the digests that names had in their registries",
     IMAGES_OPTION_DIGESTS},
    {"filter", 'f', "WHAT=VALUE", "Options",
     "only those with reference=PATTERN, label=NAME[=VALUE], before=IMAGE, since=IMAGE, or "
     "dangling=true: those without a name; may be given several times",
     IMAGES_OPTION_FILTER},
    {"format", 0, "FORM", "Options",
     "table (default), json, or a line for each by a template: {{.Repository}}:{{.Tag}} {{.ID}}",
     IMAGES_OPTION_FORMAT},
    {"no-trunc", 0, NULL, "Options", "ids in full", IMAGES_OPTION_FULL},
    {"noheading", 0, NULL, "Options", "no titles", IMAGES_OPTION_NO_HEADING},
    {"quiet", 'q', NULL, "Options", "ids alone, each once", IMAGES_OPTION_IDS},
};

/**
 * struct selection - which images, and how
 * @patterns: one of them has to match; none: all do
 * @labels: all of them it has to have
 * @named, @unnamed: whether images with a name, and those without, are wanted
 * @before, @since: an image that the others are older or younger than; NULL: none
 * @template: NULL: a table, or JSON
 */
struct selection {
    struct strv patterns;
    struct strv labels;
    bool named;
    bool unnamed;
    const char *before;
    const char *since;
    bool json;
    const char *template;
    struct image_table_look look;
};

static int add_filter(struct selection *selection, const char *value, struct err *err) {
    const char *rest;

    if ((rest = str_after(value, "reference=")) && *rest)
        return strv_push(&selection->patterns, rest) < 0 ? err_nomem(err) : 0;
    if ((rest = str_after(value, "label=")) && *rest)
        return strv_push(&selection->labels, rest) < 0 ? err_nomem(err) : 0;
    if ((rest = str_after(value, "before=")) && *rest)
        selection->before = rest;
    else if (((rest = str_after(value, "since=")) || (rest = str_after(value, "after="))) && *rest)
        selection->since = rest;
    else if (str_eq(value, "dangling=true"))
        selection->named = false;
    else if (str_eq(value, "dangling=false"))
        selection->unnamed = false;
    else
        return err_set(err, -EINVAL,
                       "--filter '%s' is not reference=PATTERN, label=NAME[=VALUE], before=IMAGE, "
                       "since=IMAGE or dangling=true|false",
                       value);
    return 0;
}

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct selection *selection = job->choice;
    const char *value = options->value;

    switch ((enum images_option)options->spec->id) {
    case IMAGES_OPTION_FILTER:
        return add_filter(selection, value, err);
    case IMAGES_OPTION_FORMAT:
        selection->json = str_eq(value, "json");
        selection->template = strstr(value, "{{") ? value : NULL;
        return rows_check_format(value, err);
    case IMAGES_OPTION_FULL:
        selection->look.full = true;
        break;
    case IMAGES_OPTION_IDS:
        selection->look.only_ids = true;
        break;
    case IMAGES_OPTION_DIGESTS:
        selection->look.digests = true;
        break;
    case IMAGES_OPTION_NO_HEADING:
        selection->look.no_heading = true;
        break;
    case IMAGES_OPTION_ALL:
        break;
    }
    return 0;
}

static bool has_label(const struct image_entry *entry, const char *wanted) {
    size_t n = strlen(wanted);

    for (size_t i = 0; i < entry->labels.n; i++) {
        const char *rest = str_after(entry->labels.items[i], wanted);

        if (rest && (*rest == '\0' || (*rest == '=' && !memchr(wanted, '=', n))))
            return true;
    }
    return false;
}

static bool is_wanted(const struct selection *selection, const struct image_entry *entry) {
    const struct strv *patterns = &selection->patterns;

    if (entry->name ? !selection->named : !selection->unnamed)
        return false;
    for (size_t i = 0; i < selection->labels.n; i++)
        if (!has_label(entry, selection->labels.items[i]))
            return false;
    for (size_t i = 0; i < patterns->n; i++)
        if (entry->name && image_table_matches(entry->name, patterns->items[i]))
            return true;
    return patterns->n == 0;
}

/* When an image was created, named by a name or the beginning of its id; of none an error. */
static int find_created(const struct image_entries *all, const char *reference,
                        int64_t *ret_created, struct err *err) {
    const char *digits = str_after(reference, "sha256:");

    for (size_t i = 0; i < all->n; i++) {
        const struct image_entry *e = &all->items[i];
        bool is_it = str_after(e->id, digits ? digits : reference) ||
                     (e->name && image_table_matches(e->name, reference));

        if (is_it && e->created && image_table_parse_time(e->created, ret_created) == 0)
            return 0;
    }
    return err_set(err, -ENOENT, "image %s: there is none of that name that tells when it was made",
                   reference);
}

/* Leaves those that are older than @before and younger than @since. */
static int keep_by_age(const struct selection *selection, const struct image_entries *all,
                       struct image_entries *wanted, struct err *err) {
    int64_t before = INT64_MAX, since = INT64_MIN, created;
    size_t n = 0;
    int r = 0;

    if (!selection->before && !selection->since)
        return 0;
    if (selection->before)
        r = find_created(all, selection->before, &before, err);
    if (r == 0 && selection->since)
        r = find_created(all, selection->since, &since, err);
    for (size_t i = 0; r == 0 && i < wanted->n; i++) {
        const char *text = wanted->items[i].created;

        if (text && image_table_parse_time(text, &created) == 0 && created < before &&
            created > since)
            wanted->items[n++] = wanted->items[i];
    }
    wanted->n = n;
    return r;
}

static int run_images(struct verb_job *job, struct err *err) {
    struct selection *selection = job->choice;
    __attribute__((cleanup(image_entries_done))) struct image_entries all = {0};
    _cleanup_free_ struct image_entry *items = NULL;
    struct image_entries wanted = {0};
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = 0;

    if (job->n_words > 0 && strv_push(&selection->patterns, job->words[0]) < 0)
        return err_nomem(err);
    r = images_list(&job->images, &all, err);
    if (r < 0)
        return r;
    items = calloc(all.n + 1, sizeof *items);
    if (!items)
        return err_nomem(err);
    wanted.items = items; /* their strings stay those of the whole list */
    for (size_t i = 0; i < all.n; i++)
        if (is_wanted(selection, &all.items[i]))
            items[wanted.n++] = all.items[i];
    r = keep_by_age(selection, &all, &wanted, err);
    if (r < 0)
        return r;
    selection->look.now = (int64_t)(clock_realtime() / NSEC_PER_SEC);
    if (selection->json)
        image_table_json(&text, &wanted);
    else if (selection->template && !selection->look.only_ids)
        r = image_table_template(&text, &wanted, &selection->look, selection->template, err);
    else
        image_table_format(&text, &wanted, &selection->look);
    if (r == 0)
        job->status = console_print(&job->out, &text);
    return r;
}

int images_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "images",
        .words = "[NAME[:TAG]]",
        .about = "Lists the images in the store; with a word, those of that name, in "
                 "which *, ? and [...] may stand for parts of a name.  An image of "
                 "several names has a line for each; <none> has none: it was unpacked "
                 "from an archive, or has lost its name.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_max = 1,
        .apply = apply,
        .run = run_images,
    };
    struct selection selection = {.named = true, .unnamed = true};
    int status = verb_run(&verb, &selection, argc, argv);

    strv_done(&selection.patterns);
    strv_done(&selection.labels);
    return status;
}

/* --- image exists ------------------------------------------------------------- */

static int run_exists(struct verb_job *job, struct err *err) {
    bool is_there;
    int r = images_exists(&job->images, job->words[0], &is_there, err);

    job->status = r == 0 && is_there ? 0 : 1;
    return r;
}

int image_exists_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "image exists",
        .words = "REF|ID",
        .about = "Says by its exit status whether an image is in the store: 0 or 1.",
        .n_words_min = 1,
        .n_words_max = 1,
        .run = run_exists,
    };

    return verb_run(&verb, NULL, argc, argv);
}
