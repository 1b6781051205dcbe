/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BLOB_H
#define MAYFLY_BLOB_H

#include "digest.h"
#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** Manifests, indexes and configurations larger than this are refused. */
#define BLOB_DOCUMENT_BYTES_MAX (4U << 20)

/** The end of a blob that is read until its file ends. */
#define BLOB_TO_THE_END UINT64_MAX

/**
 * struct blob - bytes that come in: a file, a part of one, or a pipe
 * @fd: owned
 * @offset: where the next read begins; only for files
 * @end: where the blob ends in the file, or BLOB_TO_THE_END
 * @is_stream: read with read(2), not pread(2)
 * @source: where neither is what it is: NULL, or how it is read and closed; @context goes to both
 */
struct blob {
    int fd;
    uint64_t offset;
    uint64_t end;
    int is_stream;
    const struct blob_source *source;
    void *context;
};

/** struct blob_source - bytes that come from elsewhere; read as blob_read() */
struct blob_source {
    ssize_t (*read)(void *context, void *data, size_t size, struct err *err);
    void (*close)(void *context);
};

#define BLOB_INIT ((struct blob){.fd = -1})

/** blob_read() - read the next bytes.  Return: their number, 0 at the end, or -errno with a text.
 */
ssize_t blob_read(struct blob *blob, void *data, size_t size, struct err *err);

/**
 * blob_read_document() - read something small, whole, and check it
 * @expected: its digest; NULL: not known
 * @expected_bytes: its size; negative: not known
 * @ret_text: NUL-terminated, to free(3)
 *
 * Return: 0, -EFBIG over BLOB_DOCUMENT_BYTES_MAX, -EBADMSG for another digest or size, or another
 * -errno, always with a text.
 */
int blob_read_document(struct blob *blob, const struct digest *expected, int64_t expected_bytes,
                       char **ret_text, size_t *ret_size, struct err *err);

void blob_done(struct blob *blob);

#define _cleanup_blob_ __attribute__((cleanup(blob_done)))

#endif
