/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_HISTORY_H
#define MAYFLY_IMAGE_HISTORY_H

#include "engine/base/err.h"
#include "store.h"

#include <stdint.h>

/**
 * struct image_history_line - one of the steps that an image was made in
 * @created, @created_by, @comment: as its configuration has them, or NULL
 * @bytes: of the tar of the layer that the step left; 0: of none
 */
struct image_history_line {
    const char *created;
    const char *created_by;
    const char *comment;
    uint64_t bytes;
};

typedef int image_history_emit(void *context, const struct image_history_line *line);

/**
 * image_history() - how an image was made, the latest step first
 * @reference: as image_find() takes it
 * @emit: called for each step, and for each layer that its configuration tells nothing of; what it
 *        returns below 0 ends it
 *
 * Loads jansson.
 * Spec: OCI image-spec, config.md, "history".
 * Return: 0, -ENOENT with a text when the image is not in the store, or another -errno with a text.
 */
int image_history(const struct store *store, const char *reference, image_history_emit *emit,
                  void *context, struct err *err);

#endif
