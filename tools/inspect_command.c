/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "mayfly inspect": all that is known of containers, images and networks.  A
 * word is the first of these that it names; what concerns images and networks
 * is opened only where no container has the name.
 */
#include "inspect_command.h"
#include "commands.h"
#include "describe.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/live/kept_labels.h"
#include "engine/manage/networks.h"
#include "image_value.h"
#include "network_table.h"
#include "rows.h"
#include "verb.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#define _cleanup_entries_ __attribute__((cleanup(network_entries_done)))

struct inspect {
    const char *format;
    const char *type; /* NULL: whatever has the name */
    bool has_images;  /* job->images is open */
};

enum inspect_option {
    INSPECT_OPTION_FORMAT,
    INSPECT_OPTION_TYPE,
    INSPECT_OPTION_IGNORED,
};

static int apply(struct verb_job *job, const struct options *options, struct err *err) {
    static const char *const types[] = {"container", "image", "network"};
    struct inspect *inspect = job->choice;

    if (options->spec->id == INSPECT_OPTION_FORMAT)
        inspect->format = options->value;
    if (options->spec->id != INSPECT_OPTION_TYPE)
        return 0;
    for (size_t i = 0; i < N_ELEMENTS(types); i++)
        if (str_eq(options->value, types[i])) {
            inspect->type = types[i];
            return 0;
        }
    return err_set(err, -EINVAL, "--type '%s' is not one of container, image, network",
                   options->value);
}

static int add(struct value *list, struct value *item, struct err *err) {
    return value_add(list, NULL, item) ? 0 : err_nomem(err);
}

static int add_container(struct verb_job *job, const char *word, struct value *list,
                         struct err *err) {
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    struct kept_address address = {0};
    _cleanup_life_ struct life life;
    int r;

    life_init(&life);
    r = containers_find(&job->containers, word, &kept, err);
    if (r == 0)
        r = kept_labels(&job->containers, &kept, &life, err);
    /* With the host's network it has no address of its own. */
    if (r == 0 && life.plan.net != NET_HOST)
        kept_address(&kept, &address);
    if (r == 0) {
        _cleanup_close_ int run_fd = kept_open_run(&job->containers, &kept);
        struct value *whole = describe_whole(&kept, &life, &address);

        if (whole)
            describe_labels(whole, run_fd);
        r = add(list, whole, err);
    }
    return r;
}

static int open_images(struct verb_job *job, struct err *err) {
    struct inspect *inspect = job->choice;
    int r = inspect->has_images ? 0 : images_open(&job->images, NULL, &job->log, err);

    inspect->has_images = true;
    return r;
}

static int add_image(struct verb_job *job, const char *word, struct value *list, struct err *err) {
    _cleanup_(image_done) struct image image = IMAGE_INIT;
    __attribute__((cleanup(image_entries_done))) struct image_entries entries = {0};
    int r = open_images(job, err);

    if (r == 0)
        r = images_find(&job->images, word, &image, err);
    if (r == 0)
        r = images_list(&job->images, &entries, err);
    return r < 0 ? r : add(list, image_value_whole(&image, &entries), err);
}

static int add_network(struct verb_job *job, const char *word, struct value *list,
                       struct err *err) {
    _cleanup_entries_ struct network_entries entries = {0};
    _cleanup_free_ struct network_row *items = NULL;
    const struct network_row *row;
    struct network_rows rows;
    int r = open_images(job, err);

    if (r == 0)
        r = networks_list(&job->images, &entries, err);
    if (r < 0)
        return r;
    if (network_rows_make(&entries, &rows) < 0)
        return err_nomem(err);
    items = rows.items;
    row = network_rows_find(&rows, word);
    if (!row)
        return err_set(err, -ENOENT, "there is no network %s", word);
    return add(list, network_table_value(row), err);
}

static int add_any(struct verb_job *job, const char *word, struct value *list, struct err *err) {
    const struct inspect *inspect = job->choice;
    const char *type = inspect->type;
    struct err ignored = {0};
    int r = -ENOENT;

    if (!type || str_eq(type, "container"))
        r = add_container(job, word, list, err);
    if (r != -ENOENT || (type && str_eq(type, "container")))
        return r;
    if (!type || str_eq(type, "image"))
        r = add_image(job, word, list, type ? err : &ignored);
    if (r == 0 || (type && str_eq(type, "image")))
        return r;
    r = add_network(job, word, list, type ? err : &ignored);
    if (r < 0 && !type)
        return err_set(err, r, "there is no container, image or network '%s'", word);
    return r;
}

static int run(struct verb_job *job, struct err *err) {
    const struct inspect *inspect = job->choice;
    _cleanup_value_ struct value *list = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r = list ? 0 : err_nomem(err), status;

    for (size_t i = 0; r == 0 && i < job->n_words; i++) {
        struct err own = {0};

        if (add_any(job, job->words[i], list, &own) < 0 && !verb_complain(job, &own))
            return -EINTR;
    }
    if (r == 0)
        r = rows_format(&text, inspect->format ? inspect->format : "json", NULL, 0, list, err);
    status = r == 0 ? console_print(&job->out, &text) : 0;
    if (job->status == 0)
        job->status = status;
    return r;
}

static const struct option_spec specs[] = {
    {"format", 'f', "FORM", "Options",
     "json (default), or a template: {{.State.Status}} {{json .Config}}", INSPECT_OPTION_FORMAT},
    {"type", 0, "TYPE", "Options", "container, image or network; else whichever has the name",
     INSPECT_OPTION_TYPE},
    {"size", 's', NULL, "Options", "for docker's sake", INSPECT_OPTION_IGNORED},
};

int inspect_type_command(const char *name, const char *type, int argc, char **argv) {
    const struct verb verb = {
        .name = name,
        .words = "NAME...",
        .about = "Shows all that is known of containers, images and networks, as JSON or through a "
                 "template.",
        .specs = specs,
        .n_specs = N_ELEMENTS(specs),
        .n_words_min = 1,
        .n_words_max = SIZE_MAX,
        .apply = apply,
        .run = run,
    };
    struct inspect inspect = {.type = type};

    return verb_run(&verb, &inspect, argc, argv);
}

int inspect_command(int argc, char **argv) {
    return inspect_type_command("inspect", NULL, argc, argv);
}

int container_inspect_command(int argc, char **argv) {
    return inspect_type_command("container inspect", "container", argc, argv);
}

int image_inspect_command(int argc, char **argv) {
    return inspect_type_command("image inspect", "image", argc, argv);
}
