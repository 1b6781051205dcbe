/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_GZIP_H
#define MAYFLY_LAYER_GZIP_H

#include "engine/base/err.h"
#include "layer_tar.h"

#include <stddef.h>
#include <sys/types.h>

struct layer_gzip;

/**
 * layer_gzip_open() - begin to read a layer as a compressed tar
 * @name: in layers/
 *
 * The same layer gives the same bytes.  Loads ISA-L.
 * Return: 0, -ENOENT without ISA-L or as layer_tar_open(), always with a text.
 */
int layer_gzip_open(struct layer_gzip **ret_gzip, const struct store *store, const char *name,
                    struct err *err);

/** layer_gzip_read() - the next bytes; as layer_tar_read(). */
ssize_t layer_gzip_read(void *context, void *data, size_t size, struct err *err);

void layer_gzip_close(struct layer_gzip *gzip);

#endif
