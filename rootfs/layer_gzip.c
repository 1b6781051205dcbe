/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers for a registry, by ISA-L's deflate, several times as fast as zlib's and
 * a little larger.  The digest of the compressed layer has to be known before
 * it is sent; it is compressed twice for that rather than kept.
 */
#include "layer_gzip.h"

#include "engine/base/cleanup.h"
#include "lazy_isal.h"

#include <string.h>

enum { IN_BYTES = 256 << 10 };

struct layer_gzip {
    const struct lazy_isal *isal;
    struct layer_tar tar;
    struct isal_zstream stream;
    unsigned char level[ISAL_DEF_LVL1_DEFAULT];
    unsigned char in[IN_BYTES];
};

int layer_gzip_open(struct layer_gzip **ret_gzip, const struct store *store, const char *name,
                    struct err *err) {
    const struct lazy_isal *isal = lazy_isal(err);
    struct layer_gzip *gzip;
    int r;

    if (!isal)
        return -ENOENT;
    gzip = calloc(1, sizeof *gzip);
    if (!gzip)
        return err_nomem(err);
    gzip->isal = isal;
    gzip->tar = LAYER_TAR_INIT;
    r = layer_tar_open(&gzip->tar, store, name, err);
    if (r < 0) {
        free(gzip);
        return r;
    }
    isal->isal_deflate_init(&gzip->stream);
    gzip->stream.gzip_flag = IGZIP_GZIP;
    gzip->stream.level = 1;
    gzip->stream.level_buf = gzip->level;
    gzip->stream.level_buf_size = sizeof gzip->level;
    *ret_gzip = gzip;
    return 0;
}

ssize_t layer_gzip_read(void *context, void *data, size_t size, struct err *err) {
    struct layer_gzip *gzip = context;
    struct isal_zstream *stream = &gzip->stream;

    stream->next_out = data;
    stream->avail_out = (uint32_t)size;
    while (stream->avail_out > 0 && stream->internal_state.state != ZSTATE_END) {
        if (stream->avail_in == 0 && !stream->end_of_stream) {
            ssize_t n = layer_tar_read(&gzip->tar, gzip->in, sizeof gzip->in, err);

            if (n < 0)
                return n;
            stream->next_in = gzip->in;
            stream->avail_in = (uint32_t)n;
            stream->end_of_stream = n == 0;
        }
        if (gzip->isal->isal_deflate(stream) != COMP_OK)
            return err_set(err, -EIO, "it cannot be compressed");
    }
    return (ssize_t)(size - stream->avail_out);
}

void layer_gzip_close(struct layer_gzip *gzip) {
    if (!gzip)
        return;
    layer_tar_close(&gzip->tar);
    free(gzip);
}
