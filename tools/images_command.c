/* SPDX-License-Identifier: Apache-2.0 */
/* "mayfly images": the list, chosen by words and filters, as a table or as JSON. */
#include "commands.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "image_table.h"
#include "verb.h"

#include <errno.h>
#include <stdlib.h>

enum images_option {
    IMAGES_OPTION_ALL,
    IMAGES_OPTION_FILTER,
    IMAGES_OPTION_FORMAT,
    IMAGES_OPTION_FULL,
    IMAGES_OPTION_IDS,
};

static const struct option_spec specs[] = {
    {"all", 'a', NULL, "Options", "for habit: those without a name are listed anyway",
     IMAGES_OPTION_ALL},
    {"filter", 'f', "WHAT=VALUE", "Options",
     "only those with reference=PATTERN, or with dangling=true: those without a name; may be given "
     "several times",
     IMAGES_OPTION_FILTER},
    {"format", 0, "FORM", "Options", "table (default) or json", IMAGES_OPTION_FORMAT},
    {"no-trunc", 0, NULL, "Options", "ids in full", IMAGES_OPTION_FULL},
    {"quiet", 'q', NULL, "Options", "ids alone, each once", IMAGES_OPTION_IDS},
};

/**
 * struct selection - which images, and how
 * @patterns: one of them has to match; none: all do
 * @named, @unnamed: whether images with a name, and those without, are wanted
 */
struct selection {
    struct strv patterns;
    bool named;
    bool unnamed;
    bool json;
    bool full;
    bool ids;
};

static int add_filter(struct selection *selection, const char *value, struct err *err) {
    const char *pattern = str_after(value, "reference="), *dangling = str_after(value, "dangling=");

    if (pattern && *pattern)
        return strv_push(&selection->patterns, pattern) < 0 ? err_nomem(err) : 0;
    if (dangling && str_eq(dangling, "true"))
        selection->named = false;
    else if (dangling && str_eq(dangling, "false"))
        selection->unnamed = false;
    else
        return err_set(err, -EINVAL,
                       "--filter '%s' is not reference=PATTERN or dangling=true|false", value);
    return 0;
}

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct selection *selection = job->choice;
    const char *value = options->value;

    switch ((enum images_option)options->spec->id) {
    case IMAGES_OPTION_FILTER:
        return add_filter(selection, value, err);
    case IMAGES_OPTION_FORMAT:
        if (!str_eq(value, "json") && !str_eq(value, "table"))
            return err_set(err, -EINVAL, "--format '%s' is not one of table, json", value);
        selection->json = str_eq(value, "json");
        break;
    case IMAGES_OPTION_FULL:
        selection->full = true;
        break;
    case IMAGES_OPTION_IDS:
        selection->ids = true;
        break;
    case IMAGES_OPTION_ALL:
        break;
    }
    return 0;
}

static bool is_wanted(const struct selection *selection, const struct image_entry *entry) {
    const struct strv *patterns = &selection->patterns;

    if (entry->name ? !selection->named : !selection->unnamed)
        return false;
    for (size_t i = 0; i < patterns->n; i++)
        if (entry->name && image_table_matches(entry->name, patterns->items[i]))
            return true;
    return patterns->n == 0;
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
    if (selection->json)
        image_table_json(&text, &wanted);
    else
        image_table_format(
            &text, &wanted,
            &(struct image_table_look){.now = (int64_t)(clock_realtime() / NSEC_PER_SEC),
                                       .full = selection->full,
                                       .only_ids = selection->ids});
    job->status = console_print(&job->out, &text);
    return 0;
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
    return status;
}
