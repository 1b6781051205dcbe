/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_STORE_H
#define MAYFLY_IMAGE_STORE_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct image_entry - an image of the store under one of its names
 * @name: in full, "docker.io/library/debian:12"; NULL: it has none (it came from an archive)
 * @id: name in images/: hexadecimal digits, or "tar-" and such
 * @created, @architecture: or NULL
 * @digest: "sha256:...", which the name had in its registry; NULL: it comes from none
 * @labels: NAME=VALUE
 * @n_layers: directories that a run mounts
 * @size_bytes: of the layers' tars; shared layers count for each image
 */
struct image_entry {
    char *name;
    char *id;
    char *created;
    char *architecture;
    char *digest;
    struct strv labels;
    size_t n_layers;
    uint64_t size_bytes;
};

struct image_entries {
    struct image_entry *items;
    size_t n;
};

/** image_list() - all images, by name; those without one at the end.  Return: 0 or -errno with a
 * text. */
int image_list(const struct store *store, struct image_entries *ret_entries, struct err *err);

void image_entries_done(struct image_entries *entries);

/**
 * image_tag() - give an image of the store one more name
 * @reference: anything that image_find() finds in the store, or an id's first 8 digits or more
 * @name: replaces that name's image
 *
 * Return: 0, or -errno with a text; -ENOENT when there is no such image.
 */
int image_tag(const struct store *store, const char *reference, const char *name, struct err *err);

/**
 * image_remove() - take a name away from an image; with its last one the image goes
 * @reference: a name, or an id's first 8 digits or more, which stands for all of its names
 *
 * Context: of STORE_OWNERS_SUBUID in its user namespace, as the layers are removed too.
 * Return: 0, -ENOENT, -EBUSY when a run has it, or another -errno, always with a text.
 */
int image_remove(const struct store *store, const char *reference, struct err *err);

/**
 * image_prune() - remove what nobody refers to: layers of no image, images of nothing
 * @unnamed: images without a name too: those that came from archives
 * @ret_bytes: size of the tars of the layers that were removed
 *
 * Waits for imports that are under way; what a run has stays.
 * Context: as image_remove().
 */
int image_prune(const struct store *store, bool unnamed, uint64_t *ret_bytes, struct err *err);

/**
 * image_load() - bring every image of an archive or layout into the store, under its names
 * @path: a docker-archive or OCI archive, compressed or not, or a directory with an image layout
 * @ret_names: appended to: the names; of an image without one its id
 *
 * Context: as image_import().
 * Return: 0 or -errno with a text.
 */
int image_load(const struct store *store, const char *path, const struct log *log,
               struct strv *ret_names, struct err *err);

/**
 * image_pull() - ask a registry for an image, whether or not it is here
 * @reference: a name, or the address of a tarball
 *
 * Layers that are here already are not fetched.
 * Context: as image_import().
 * Return: 0 or -errno with a text.
 */
int image_pull(const struct store *store, const char *reference, const struct log *log,
               struct err *err);

#endif
