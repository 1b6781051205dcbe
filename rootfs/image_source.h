/* SPDX-License-Identifier: Apache-2.0 */
/* What finding and importing an image have in common. */
#ifndef MAYFLY_IMAGE_SOURCE_H
#define MAYFLY_IMAGE_SOURCE_H

#include "engine/base/err.h"
#include "image.h"
#include "image_index.h"
#include "ref.h"

#include <sys/stat.h>

/**
 * image_source_stat() - look at what the index knows an image by
 *
 * The archive itself; of a layout its index.json, since all else there is named by content.
 * Return: 0 or -errno with a text.
 */
int image_source_stat(const struct ref *ref, struct stat *ret_st, struct err *err);

/**
 * image_read_record() - read an image of the store by its id, and lock it
 * Return: 0, IMAGE_MISSING when it is not there or broken, -ENOMEM.
 */
int image_read_record(struct image *image, const struct store *store, const char *id);

/**
 * image_find_id() - find the one image whose id begins so
 * @text: 8 characters or more, "sha256:" may stand before them
 * @ret_id: its id
 *
 * Return: 0, 1 when there is none, -EINVAL with a text when there are several, or another -errno
 * with a text.
 */
int image_find_id(const struct store *store, const char *text,
                  char ret_id[IMAGE_INDEX_TARGET_BYTES], struct err *err);

/** image_pull_ref() - fetch a REF_NAME or REF_URL and make it known.  Return: as image_import(). */
int image_pull_ref(const struct store *store, const struct ref *ref, const struct log *log,
                   struct err *err);

#endif
