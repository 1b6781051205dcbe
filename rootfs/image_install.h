/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_INSTALL_H
#define MAYFLY_IMAGE_INSTALL_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "image.h"
#include "image_index.h"
#include "layer_import.h"
#include "manifest.h"
#include "store.h"

#include <stddef.h>

/**
 * struct install - an image on its way into the store
 * @jobs: @n_jobs layers, the lowest first
 * @image: configuration and such; its layers are filled in from @jobs
 * @id: its name in images/
 * @document: the configuration, word for word; NULL: none
 * @digest: what its name led to in its registry; of a pull alone
 * @lock_fd: keeps image_prune() away while it lasts
 */
struct install {
    const struct store *store;
    const struct log *log;
    struct layer_job *jobs;
    size_t n_jobs;
    struct image image;
    char id[IMAGE_INDEX_TARGET_BYTES];
    char *document;
    struct digest digest;
    int lock_fd;
};

#define INSTALL_INIT(store_, log_)                                                                 \
    ((struct install){.store = (store_), .log = (log_), .lock_fd = -1})

/**
 * install_begin() - prepare the layers' jobs
 * @n: layers; 0 is an error
 * @config_digest: names the image; NULL: the caller sets @id
 * @description: its configuration and diff IDs, which it loses; NULL: none
 *
 * Return: 0 or -errno with a text.
 */
int install_begin(struct install *install, size_t n, const struct digest *config_digest,
                  struct image_description *description, struct err *err);

/**
 * install_layers() - bring the layers in
 * Return: 0 or -errno with a text.
 */
int install_layers(struct install *install, struct err *err);

/**
 * install_record() - make the image one of the store's, durably
 *
 * After install_layers().  An image that is there already stays as it is.
 * Return: 0 or -errno with a text.
 */
int install_record(struct install *install, struct err *err);

void install_done(struct install *install);

#define _cleanup_install_ __attribute__((cleanup(install_done)))

#endif
