/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels and programs of images hold for containers made of them, for whoever looks for them.
 * They are read from the image each time: a description is what its maker said.
 */
#include "kept_labels.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "rootfs/image.h"

#include <string.h>

static bool has_name(const struct strv *labels, const char *label) {
    size_t n = strcspn(label, "=");

    for (size_t i = 0; i < labels->n; i++)
        if (strncmp(labels->items[i], label, n) == 0 && labels->items[i][n] == '=')
            return true;
    return false;
}

static int append(struct strv *to, const struct strv *from) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < from->n; i++)
        r = strv_push(to, from->items[i]);
    return r;
}

/* What it runs: its own program, else the image's. */
static int add_program(struct life *life, const struct image_config *config, struct err *err) {
    bool own = life->command.n > 0 || life->has_entrypoint;
    int r = life->has_entrypoint ? 0 : append(&life->entrypoint, &config->entrypoint);

    if (r == 0 && !own)
        r = append(&life->command, &config->cmd);
    return r < 0 ? err_nomem(err) : 0;
}

int kept_labels(const struct containers *containers, const struct kept *kept, struct life *life,
                struct err *err) {
    _cleanup_(image_done) struct image image = IMAGE_INIT;
    const struct strv *more = &image.config.labels;
    struct err ignored;
    int r = kept_life(kept, life, err);

    if (r < 0 || image_find(&image, &containers->store, life->plan.image, &ignored) != 0 ||
        (*kept->state.image_id && image.id && !str_eq(image.id, kept->state.image_id)))
        return r;
    for (size_t i = 0; r == 0 && i < more->n; i++)
        if (!has_name(&life->labels, more->items[i]))
            r = strv_push(&life->labels, more->items[i]) < 0 ? err_nomem(err) : 0;
    return r < 0 || life->plan.init_system ? r : add_program(life, &image.config, err);
}
