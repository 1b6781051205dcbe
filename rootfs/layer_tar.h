/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_TAR_H
#define MAYFLY_LAYER_TAR_H

#include "digest.h"
#include "engine/base/err.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct layer_tar - a layer of the store, read as the tar that it came from
 * @size: of the tar in bytes
 * @diff: its digest as recorded; whether it is so, reading it tells
 *
 * The rest is private.
 */
struct layer_tar {
    uint64_t size;
    struct digest diff;

    int tree_fd;
    const unsigned char *recipe;
    size_t recipe_bytes;
    const unsigned char *place;
    int word;      /* enum recipe_word of the part being read; 0: the next is due */
    uint64_t left; /* bytes of that part */
    int file_fd;
    const unsigned char *path; /* of the file being read */
    size_t path_bytes;
};

#define LAYER_TAR_INIT ((struct layer_tar){.tree_fd = -1, .file_fd = -1})

/**
 * layer_tar_open() - begin to read a layer
 * @name: in layers/
 *
 * Context: with the ids that the layer was unpacked with.
 * Return: 0; -ENOENT with a text when the layer or its recipe is not there, -EBADMSG with a text
 * when the recipe is no whole one, or another -errno with a text.
 */
int layer_tar_open(struct layer_tar *ret_tar, const struct store *store, const char *name,
                   struct err *err);

/**
 * layer_tar_open_at() - the same, of a tree and a recipe that are not layers of a store
 * @tree_fd, @recipe_fd: lent for the call
 */
int layer_tar_open_at(struct layer_tar *ret_tar, int tree_fd, int recipe_fd, struct err *err);

/**
 * layer_tar_read() - the next bytes
 * @context: a struct layer_tar; the form is that of struct blob_source
 *
 * Return: their number, 0 at the end, -EBADMSG with a text that names the file which is not what
 * it was, or another -errno with a text.
 */
ssize_t layer_tar_read(void *context, void *data, size_t size, struct err *err);

void layer_tar_close(struct layer_tar *tar);

#define _cleanup_layer_tar_ __attribute__((cleanup(layer_tar_close)))

#endif
