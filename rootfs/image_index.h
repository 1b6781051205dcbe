/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_INDEX_H
#define MAYFLY_IMAGE_INDEX_H

#include "engine/base/err.h"
#include "ref.h"
#include "store.h"

#include <stdint.h>
#include <sys/stat.h>

/** The longest key and the longest target, their NUL included. */
#define IMAGE_INDEX_KEY_BYTES 256
#define IMAGE_INDEX_TARGET_BYTES 256

/** What a key begins with that is a name; the name follows, "/" written as "%". */
#define IMAGE_INDEX_NAME_PREFIX "name."
/** What a key begins with whose target is the size of a layer's tar in bytes. */
#define IMAGE_INDEX_SIZE_PREFIX "size."
/** What a key begins with whose target is the digest that a name had in its registry. */
#define IMAGE_INDEX_DIGEST_PREFIX "digest."

/**
 * image_index_key() - the name under which an archive's image is found again
 * @ref: its kind and selector count
 * @st: of the archive, or of a layout's index.json
 */
void image_index_key(const struct ref *ref, const struct stat *st,
                     char ret_key[IMAGE_INDEX_KEY_BYTES]);

/** image_index_name_key() - the key of a REF_NAME.  Return: 0, -ENAMETOOLONG with a text. */
int image_index_name_key(const struct ref *ref, char ret_key[IMAGE_INDEX_KEY_BYTES],
                         struct err *err);

/**
 * image_index_digest_key() - where the digest stands that a name had in its registry
 * @name_key: the name's key
 *
 * It goes with the name, and when that gets another image.
 * Return: 0, or -ENAMETOOLONG: it has no place.
 */
int image_index_digest_key(const char *name_key, char ret_key[IMAGE_INDEX_KEY_BYTES]);

/** image_index_url_key() - the key of a REF_URL. */
void image_index_url_key(const struct ref *ref, char ret_key[IMAGE_INDEX_KEY_BYTES]);

/** image_index_stdin_key() - the key of what a run reads from standard input. */
void image_index_stdin_key(const struct store *store, const struct stat *st,
                           char ret_key[IMAGE_INDEX_KEY_BYTES]);

/**
 * image_index_find() - look an archive up
 * @ret_name: the image's name in images/
 *
 * Return: 0; 1 when it is not there or may be out of date.
 */
int image_index_find(const struct store *store, const char *key,
                     char ret_name[IMAGE_INDEX_TARGET_BYTES]);

/** image_index_layer_bytes() - the size of a layer's tar; 0: it is not known. */
uint64_t image_index_layer_bytes(const struct store *store, const char *layer);

/**
 * image_index_target() - what an entry of the index has to say
 * @name: the image's name in images/
 * @st: of the archive when reading it began
 * @began_nsec: when that was (image_index_now())
 */
void image_index_target(const char *name, const struct stat *st, uint64_t began_nsec,
                        char ret_target[IMAGE_INDEX_TARGET_BYTES]);

/** image_index_target_now() - the same for what holds in the run alone that made it. */
void image_index_target_now(const char *name, char ret_target[IMAGE_INDEX_TARGET_BYTES]);

/**
 * image_index_save() - write an entry, durably
 * @target: from image_index_target(), or the image's name as it is
 *
 * Return: 0 or -errno with a text.
 */
int image_index_save(const struct store *store, const char *key, const char *target,
                     struct err *err);

/** image_index_remove() - remove an entry.  Return: 0, 1 when there was none, -errno with a text.
 */
int image_index_remove(const struct store *store, const char *key, struct err *err);

/** image_index_now() - now, by the clock that file systems stamp files with. */
uint64_t image_index_now(void);

#endif
