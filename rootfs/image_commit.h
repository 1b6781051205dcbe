/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_COMMIT_H
#define MAYFLY_IMAGE_COMMIT_H

#include "digest.h"
#include "engine/base/err.h"
#include "engine/base/log.h"
#include "image.h"
#include "store.h"

#include <stdbool.h>

/**
 * struct image_commit - a new image: the layers of another one, and one more
 * @base: as image_find() gave it, its lock held; in the store; more layers may have been appended
 *        to its @layers ("layers/HEX", the lowest first), such as remembered steps'
 * @parent_fd, @upper: where the upper directory of an overlay is, and its name there; it has to be
 *        on the store's file system, and nobody may write to it any more.  NULL: no further layer
 * @keep: @upper stays, and the layer is a copy of it; otherwise it is renamed into the store
 * @config: how programs are started; NULL: as @base has it
 * @author, @comment, @created_by: for the image's history; or NULL
 * @created: RFC 3339 in UTC; NULL: now
 * @name: for the new image, replacing that name's; NULL: none
 */
struct image_commit {
    const struct image *base;
    int parent_fd;
    const char *upper;
    bool keep;
    const struct image_config *config;
    const char *author;
    const char *comment;
    const char *created_by;
    const char *created;
    const char *name;
};

/**
 * image_commit() - make an image of an overlay's upper directory
 * @ret_id: its id, to free(3)
 *
 * The upper directory becomes a layer by being renamed: nothing is copied.  It is read once, for
 * the layer's digest, and layers of @base that have none get theirs.  Whatever image was made
 * here can be saved and pushed.  Durable when it returns; killed at any point it leaves nothing
 * that is taken for an image, and @upper where it was or as a layer that image_prune() removes.
 * A layer of the same content that is there already is used, and @upper is left where it is.
 * Context: as image_import(): in a process with the ids of the layers (userns_call()), single-
 * threaded; loads libcrypto and jansson, with @keep libarchive.
 * Return: 0 or -errno with a text.
 */
int image_commit(const struct store *store, const struct image_commit *commit,
                 const struct log *log, char **ret_id, struct err *err);

/**
 * layer_describe() - see to it that a layer has a recipe
 * @name: in layers/
 * @ret_diff: the digest of its tar
 * @ret_bytes: the tar's size
 *
 * Context: as image_commit().
 * Return: 0 or -errno with a text.
 */
int layer_describe(const struct store *store, const char *name, struct digest *ret_diff,
                   uint64_t *ret_bytes, struct err *err);

#endif
