/* SPDX-License-Identifier: Apache-2.0 */
/* What comes in, whichever way it comes.  A part of a file is read by position, so that several
 * threads can read different parts of one archive. */
#include "blob.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"

#include <inttypes.h>

ssize_t blob_read(struct blob *blob, void *data, size_t size, struct err *err) {
    ssize_t n;

    if (blob->source)
        return blob->source->read(blob->context, data, size, err);
    if (!blob->is_stream && size > blob->end - blob->offset)
        size = (size_t)(blob->end - blob->offset);
    if (size == 0)
        return 0;
    do
        n = blob->is_stream ? read(blob->fd, data, size)
                            : pread(blob->fd, data, size, (off_t)blob->offset);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_errno(err, "cannot read it");
    blob->offset += (uint64_t)n;
    return n;
}

static int check_document(const struct buf *text, const struct digest *expected,
                          int64_t expected_bytes, struct err *err) {
    struct digest digest;
    int r;

    if (expected_bytes >= 0 && (uint64_t)expected_bytes != text->size)
        return err_set(err, -EBADMSG, "%zu bytes where %" PRId64 " were announced", text->size,
                       expected_bytes);
    if (!expected)
        return 0;
    r = digest_bytes(expected->algorithm, text->data, text->size, &digest, err);
    if (r < 0)
        return r;
    if (!digest_eq(&digest, expected))
        return err_set(err, -EBADMSG, "digest mismatch (%.12s... where %.12s... was announced)",
                       digest.hex, expected->hex);
    return 0;
}

int blob_read_document(struct blob *blob, const struct digest *expected, int64_t expected_bytes,
                       char **ret_text, size_t *ret_size, struct err *err) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    char part[16384];
    size_t size;
    ssize_t n;
    int r;

    buf_puts(&text, "");
    while ((n = blob_read(blob, part, sizeof part, err)) > 0) {
        buf_append(&text, part, (size_t)n);
        if (text.size > BLOB_DOCUMENT_BYTES_MAX)
            return err_set(err, -EFBIG, "larger than the %u MiB that a manifest may have",
                           BLOB_DOCUMENT_BYTES_MAX >> 20);
    }
    if (n < 0)
        return (int)n;
    if (buf_failed(&text))
        return err_nomem(err);
    r = check_document(&text, expected, expected_bytes, err);
    if (r < 0)
        return r;
    size = text.size;
    *ret_text = buf_take(&text);
    if (ret_size)
        *ret_size = size;
    return 0;
}

void blob_done(struct blob *blob) {
    if (blob->source)
        blob->source->close(blob->context);
    if (blob->fd >= 0)
        close(blob->fd);
    *blob = BLOB_INIT;
}
