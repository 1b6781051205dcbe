/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_LAYOUT_H
#define MAYFLY_TEST_LAYOUT_H

#include "engine/base/buf.h"
#include "rootfs/digest.h"
#include "scratch.h"

#include <stddef.h>
#include <stdint.h>

/**
 * struct layout_layer - a layer as a test wants it, wrong where it says so
 * @tar: uncompressed
 * @filter: as tarball_compress(); NULL: none
 * @diff_id, @blob_bytes, @blob: said instead of the true ones, where not NULL or 0
 */
struct layout_layer {
    const struct buf *tar;
    const char *filter;
    const char *diff_id;
    uint64_t blob_bytes;
    const char *blob;
};

/** layout_make() - make an image layout in the scratch directory's @dir, with one image @tag. */
void layout_make(const struct scratch *scratch, const char *dir, const struct layout_layer *layers,
                 size_t n, const char *tag);

/** layout_blob() - add a blob.  Return: its digest. */
struct digest layout_blob(const struct scratch *scratch, const char *dir, const void *data,
                          size_t size);

/** layout_manifest() - add layers, a configuration and a manifest.  Return: the manifest's digest,
 * and its size. */
struct digest layout_manifest(const struct scratch *scratch, const char *dir,
                              const struct layout_layer *layers, size_t n, size_t *ret_size);

/** layout_index() - write index.json with one entry; @tag may be NULL. */
void layout_index(const struct scratch *scratch, const char *dir, const struct digest *digest,
                  size_t size, const char *tag);

/** layout_docker() - append a docker-archive with one image; @tag may be NULL. */
void layout_docker(struct buf *archive, const struct layout_layer *layers, size_t n,
                   const char *tag);

#endif
