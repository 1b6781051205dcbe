/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_INDEX_H
#define MAYFLY_IMAGE_INDEX_H

#include "engine/base/err.h"
#include "ref.h"
#include "store.h"

#include <stdint.h>
#include <sys/stat.h>

/** The longest key, its NUL included. */
#define IMAGE_INDEX_KEY_BYTES 200

/**
 * image_index_key() - the name under which an archive's image is found again
 * @ref: its kind and selector count
 * @st: of the archive, or of a layout's index.json
 */
void image_index_key(const struct ref *ref, const struct stat *st,
                     char ret_key[IMAGE_INDEX_KEY_BYTES]);

/**
 * image_index_find() - look an archive up
 * @ret_name: the image's name in images/
 *
 * Return: 0; 1 when it is not there or may be out of date.
 */
int image_index_find(const struct store *store, const char *key, char ret_name[256]);

/**
 * image_index_target() - what an entry of the index has to say
 * @name: the image's name in images/
 * @st: of the archive when reading it began
 * @began_nsec: when that was (image_index_now())
 */
void image_index_target(const char *name, const struct stat *st, uint64_t began_nsec,
                        char ret_target[256]);

/**
 * image_index_save() - remember an archive
 * @work: a work directory of the caller's
 * @target: from image_index_target()
 *
 * Return: 0 or -errno with a text.
 */
int image_index_save(const struct store *store, const struct store_work *work, const char *key,
                     const char *target, struct err *err);

/** image_index_now() - now, by the clock that file systems stamp files with. */
uint64_t image_index_now(void);

#endif
