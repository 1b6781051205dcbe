/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RECORD_H
#define MAYFLY_RECORD_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "image.h"

#include <stddef.h>

/** A record larger than this is none of ours. */
#define RECORD_BYTES_MAX (8U << 20)

/** record_encode() - write an image as the store keeps it; @image->layers as names in layers/. */
void record_encode(const struct image *image, struct buf *buf);

/**
 * record_decode() - read what record_encode() wrote
 * @text: NUL-terminated; changed
 * @size: without the NUL
 * @ret_image: in_store, its layers as paths relative to the store
 *
 * Return: 0, -EBADMSG for anything else than a whole record, -ENOMEM.
 */
int record_decode(char *text, size_t size, struct image *ret_image);

#endif
