/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_DOCUMENT_H
#define MAYFLY_IMAGE_DOCUMENT_H

#include "digest.h"
#include "engine/base/err.h"
#include "image.h"
#include "store.h"

#include <stddef.h>

/**
 * struct image_change - what an image's configuration is to say
 * @config: how its programs are started; NULL: as before
 * @created: RFC 3339, UTC; NULL: as before
 * @author, @comment, @created_by: of the layers that are new; or NULL
 * @architecture: used when nothing says one
 * @diff_ids: @n_diff_ids layers, the lowest first
 */
struct image_change {
    const struct image_config *config;
    const char *created;
    const char *author;
    const char *comment;
    const char *created_by;
    const char *architecture;
    const struct digest *diff_ids;
    size_t n_diff_ids;
};

/**
 * image_document_change() - write an image's configuration
 * @text: the one that it is made from, of which everything else stays; NULL: none
 * @ret_text: to free(3)
 *
 * The same input gives the same text.  Loads jansson.
 * Spec: OCI image-spec, config.md.
 * Return: 0 or -errno with a text.
 */
int image_document_change(const char *text, const struct image_change *change, char **ret_text,
                          struct err *err);

/**
 * image_document_read() - the configuration that an image came with, word for word
 * @id: the image's
 * @ret_text: NUL-terminated, to free(3)
 *
 * Return: 0, -ENOENT without a text when it came with none, or -errno with a text.
 */
int image_document_read(const struct store *store, const char *id, char **ret_text,
                        size_t *ret_size, struct err *err);

/** The name in recipes/ of an image's configuration: its id and this. */
#define IMAGE_DOCUMENT_SUFFIX ".json"

/**
 * image_document_owner() - what a file in recipes/ belongs to
 * @name: of the file
 * @ret_path: "layers/NAME", or of an image's configuration "images/ID"
 */
void image_document_owner(const char *name, char *ret_path, size_t size);

#endif
