/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_STREAM_H
#define MAYFLY_LAYER_STREAM_H

#include "blob.h"
#include "digest.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct layer_limits - what all layers of an import share
 * @bytes_left: uncompressed bytes that may still come; counted down by every stream
 * @cancelled: set when one layer failed; the streams of the others then end with -ECANCELED
 */
struct layer_limits {
    int64_t bytes_left;
    int cancelled;
};

/** struct layer_sums - what is known of a layer when its stream has ended */
struct layer_sums {
    struct digest blob; /* of the bytes as they came */
    struct digest diff; /* of the uncompressed tar */
    uint64_t blob_bytes;
    uint64_t diff_bytes;
    bool ends_in_zeros; /* as every whole tar does, with two blocks of 512 */
};

struct layer_stream;

/**
 * layer_stream_new() - begin to read, digest and decompress a layer, in a thread of its own
 * @blob: lent until layer_stream_free()
 * @blob_algorithm, @diff_algorithm: of the two digests
 * @limits: lent as well
 *
 * Return: 0 or -errno with a text.
 */
int layer_stream_new(struct layer_stream **ret_stream, struct blob *blob,
                     enum digest_algorithm blob_algorithm, enum digest_algorithm diff_algorithm,
                     struct layer_limits *limits, struct err *err);

/**
 * layer_stream_read() - the next uncompressed bytes
 * @context: a struct layer_stream; the form is that of struct unpack_source
 * @ret_data: lent until the next call
 *
 * Return: their number, 0 at the end, or -errno with a text.
 */
ssize_t layer_stream_read(void *context, const void **ret_data, struct err *err);

/** layer_stream_drain() - read to the end; the sums are known then.  Return: 0 or -errno. */
int layer_stream_drain(struct layer_stream *stream, struct layer_sums *ret_sums, struct err *err);

/** layer_stream_free() - end the thread, wherever it is, and free. */
void layer_stream_free(struct layer_stream *stream);

#endif
