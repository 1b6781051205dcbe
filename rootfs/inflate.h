/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_INFLATE_H
#define MAYFLY_INFLATE_H

#include "engine/base/err.h"

#include <stddef.h>
#include <sys/types.h>

/**
 * struct inflate_source - where compressed bytes come from
 * @read: fills @data: number of bytes, 0 at the end, or -errno with a text
 */
struct inflate_source {
    ssize_t (*read)(void *context, void *data, size_t size, struct err *err);
    void *context;
};

struct inflate;

/**
 * inflate_new() - begin to decompress
 *
 * What the compression is, the first bytes tell: gzip, zstd, xz, lzma, bzip2, lz4, lzip, compress,
 * or none.
 * Context: any thread, and only that one from then on.
 * Return: 0 or -errno with a text; an empty source is -ENODATA.
 */
int inflate_new(struct inflate **ret_inflate, const struct inflate_source *source, struct err *err);

/** inflate_read() - the next bytes.  Return: their number, 0 at the end, or -errno with a text. */
ssize_t inflate_read(struct inflate *inflate, void *data, size_t size, struct err *err);

void inflate_free(struct inflate *inflate);

#endif
