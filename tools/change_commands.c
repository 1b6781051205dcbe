/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly tag", "rmi" and "prune".  What a removal has taken away is found out by
 * comparing the lists before and after it, so that the lines tell what is so.
 */
#include "commands.h"
#include "container_prune.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/manage/remembered.h"
#include "image_table.h"
#include "verb.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define _cleanup_entries_ __attribute__((cleanup(image_entries_done)))

/* What the options have said. */
struct change {
    bool all;
    bool force;
};

enum change_option {
    CHANGE_OPTION_ALL,
    CHANGE_OPTION_FORCE,
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    struct change *change = job->choice;

    (void)err;
    change->all |= options->spec->id == CHANGE_OPTION_ALL;
    change->force |= options->spec->id == CHANGE_OPTION_FORCE;
    return 0;
}

static bool has_name(const struct image_entries *entries, const char *name) {
    for (size_t i = 0; i < entries->n; i++)
        if (entries->items[i].name && str_eq(entries->items[i].name, name))
            return true;
    return false;
}

static bool has_id(const struct image_entries *entries, const char *id) {
    for (size_t i = 0; i < entries->n; i++)
        if (str_eq(entries->items[i].id, id))
            return true;
    return false;
}

/* A line for each name and each image that is no longer there. */
static int tell_difference(struct verb_job *job, const struct image_entries *before,
                           struct err *err) {
    _cleanup_entries_ struct image_entries after = {0};
    int r = images_list(&job->images, &after, err);

    for (size_t i = 0; r == 0 && i < before->n; i++)
        if (before->items[i].name && !has_name(&after, before->items[i].name))
            verb_print(job, "Untagged: %s", image_table_name(before->items[i].name));
    for (size_t i = 0; r == 0 && i < before->n; i++) {
        const struct image_entries earlier = {.items = before->items, .n = i};
        const char *id = before->items[i].id;
        _cleanup_buf_ struct buf text = BUF_INIT;

        if (has_id(&after, id) || has_id(&earlier, id))
            continue;
        image_table_id(&text, id, true);
        verb_print(job, "Deleted: %s", text.data ? text.data : "");
    }
    return r;
}

/* --- tag ---------------------------------------------------------------------- */

static int run_tag(struct verb_job *job, struct err *err) {
    return images_tag(&job->images, job->words[0], job->words[1], err);
}

int tag_command(int argc, char **argv) {
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "tag",
        .words = "REF|ID NAME[:TAG]",
        .about = "Gives an image of the store one more name; another image that had it "
                 "loses it.",
        .n_words_min = 2,
        .n_words_max = 2,
        .run = run_tag,
    };
    struct change change = {0};

    return verb_run(&verb, &change, argc, argv);
}

/* --- rmi ---------------------------------------------------------------------- */

static int remove_one(struct verb_job *job, const char *reference, struct err *err) {
    const struct change *change = job->choice;
    _cleanup_entries_ struct image_entries before = {0};
    int r = images_list(&job->images, &before, err);

    if (r == 0)
        r = images_remove(&job->images, reference, change->force, err);
    return r < 0 ? r : tell_difference(job, &before, err);
}

static int run_rmi(struct verb_job *job, struct err *err) {
    const struct change *change = job->choice;

    for (size_t i = 0; i < job->n_words; i++) {
        int r = remove_one(job, job->words[i], err), status = job->status;

        if (r < 0 && !verb_complain(job, err))
            return r;
        if (r == -ENOENT && change->force)
            job->status = status;
    }
    return 0;
}

int rmi_command(int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"force", 'f', NULL, "Options",
         "an image of several names goes by its id too; one that is not there is no failure",
         CHANGE_OPTION_FORCE},
    };
    static const struct verb verb = {
        .opens = VERB_OPENS_IMAGES,
        .name = "rmi",
        .words = "REF|ID...",
        .about = "Takes names away from images; with its last name an image goes, and "
                 "with it the layers that no other image has.  An id means the image "
                 "with all of its names; its first 8 characters suffice.  An image that "
                 "a run has stays.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run_rmi,
    };
    struct change change = {0};

    return verb_run(&verb, &change, argc, argv);
}

/* --- prune -------------------------------------------------------------------- */

/* Asks before anything is removed. */
static int prepare_prune(struct verb_job *job, struct err *err) {
    const struct change *change = job->choice;

    (void)err;
    if (change->force ||
        verb_confirm(job, change->all ? "Remove what does not run: containers, images without a "
                                        "name, remembered steps and kept directories?"
                                      : "Remove containers that do not run, what nobody refers "
                                        "to, and remembered steps whose time is up?"))
        return 0;
    job->status = 1;
    return VERB_DONE;
}

static bool has_step(const struct remembered *all, const char *key) {
    for (size_t i = 0; i < all->steps.n; i++)
        if (str_eq(all->steps.items[i].step.key, key))
            return true;
    return false;
}

static bool has_keep(const struct remembered *all, const char *name) {
    for (size_t i = 0; i < all->keeps.n; i++)
        if (str_eq(all->keeps.items[i].name, name))
            return true;
    return false;
}

/* Steps whose time is up, with -a all, and kept directories. */
static int prune_remembered(struct verb_job *job, uint64_t *ret_bytes, struct err *err) {
    const struct change *change = job->choice;
    _cleanup_remembered_ struct remembered before = {0}, after = {0};
    int r = remembered_list(&job->images, &before, err);

    if (r == 0)
        r = remembered_prune(&job->images, change->all, ret_bytes, err);
    if (r == 0)
        r = remembered_list(&job->images, &after, err);
    for (size_t i = 0; r == 0 && i < before.steps.n; i++)
        if (!has_step(&after, before.steps.items[i].step.key))
            verb_print(job, "Forgotten step: %.12s", before.steps.items[i].step.key);
    for (size_t i = 0; r == 0 && i < before.keeps.n; i++)
        if (!has_keep(&after, before.keeps.items[i].name))
            verb_print(job, "Deleted kept directory: %s", before.keeps.items[i].name);
    return r;
}

/* Containers first: images and layers are free by their end. */
static int run_prune(struct verb_job *job, struct err *err) {
    static const struct container_prune all = {.until_nsec = CLOCK_NEVER};
    const struct change *change = job->choice;
    _cleanup_entries_ struct image_entries before = {0};
    _cleanup_buf_ struct buf size = BUF_INIT;
    uint64_t bytes = 0, more = 0;
    int r = job->verb->opens == VERB_OPENS_BOTH
                ? container_prune(job, &all, "Deleted container: ", err)
                : 0;

    if (r == 0)
        r = prune_remembered(job, &more, err);
    if (r == 0)
        r = images_list(&job->images, &before, err);
    if (r == 0)
        r = images_prune(&job->images, change->all, &bytes, err);
    if (r == 0)
        r = tell_difference(job, &before, err);
    if (r < 0)
        return r;
    image_table_size(&size, bytes + more);
    verb_print(job, "Total reclaimed space: %s", size.data ? size.data : "");
    return 0;
}

/* Both of the same options; @verb: with the rest. */
static int prune(struct verb verb, int argc, char **argv) {
    static const struct option_spec specs[] = {
        {"all", 'a', NULL, "Options",
         "images without a name too, such as those that runs have unpacked from archives, all "
         "remembered steps, and kept directories",
         CHANGE_OPTION_ALL},
        {"force", 'f', NULL, "Options", "do not ask first", CHANGE_OPTION_FORCE},
    };
    struct change change = {0};

    verb.words = "";
    verb.specs = specs;
    verb.n_specs = N_ELEMENTS(specs);
    verb.apply = apply;
    verb.prepare = prepare_prune;
    verb.run = run_prune;
    return verb_run(&verb, &change, argc, argv);
}

int prune_command(int argc, char **argv) {
    return prune(
        (struct verb){
            .opens = VERB_OPENS_BOTH,
            .name = "prune",
            .about = "Removes containers that do not run, images and layers that nobody refers "
                     "to, by a name or by an archive, and remembered steps that have expired, and "
                     "says how large images and steps were.  What a run has stays.",
        },
        argc, argv);
}

int image_prune_command(int argc, char **argv) {
    return prune((struct verb){.opens = VERB_OPENS_IMAGES,
                               .name = "image prune",
                               .about = "Does what 'mayfly prune' does, but for containers."},
                 argc, argv);
}
