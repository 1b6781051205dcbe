/* SPDX-License-Identifier: Apache-2.0 */
/* Image layouts and docker-archives made by hand, right or wrong. */
#include "layout.h"

#include "engine/base/str.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>

static struct digest sha256(const void *data, size_t size) {
    struct digest digest;

    cr_assert_eq(digest_bytes(DIGEST_SHA256, data, size, &digest, NULL), 0);
    return digest;
}

static void make_dir(const struct scratch *scratch, const char *path) {
    cr_assert(mkdirat(scratch->fd, path, 0755) == 0 || errno == EEXIST, "%s", path);
}

struct digest layout_blob(const struct scratch *scratch, const char *dir, const void *data,
                          size_t size) {
    struct digest digest = sha256(data, size);
    char path[256];

    make_dir(scratch, dir);
    snprintf(path, sizeof path, "%s/blobs", dir);
    make_dir(scratch, path);
    snprintf(path, sizeof path, "%s/blobs/sha256", dir);
    make_dir(scratch, path);
    snprintf(path, sizeof path, "%s/blobs/sha256/%s", dir, digest.hex);
    scratch_write(scratch, path, data, size);
    return digest;
}

static void put_config(struct buf *config, const struct layout_layer *layers, size_t n) {
    buf_puts(config, "{\"os\":\"linux\",\"config\":{\"Env\":[\"MADE=yes\"],\"Cmd\":[\"sh\"]},"
                     "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
    for (size_t i = 0; i < n; i++) {
        struct digest diff = sha256(layers[i].tar->data, layers[i].tar->size);

        buf_printf(config, "%s\"sha256:%s\"", i ? "," : "",
                   layers[i].diff_id ? layers[i].diff_id : diff.hex);
    }
    buf_puts(config, "]}}");
}

struct digest layout_manifest(const struct scratch *scratch, const char *dir,
                              const struct layout_layer *layers, size_t n, size_t *ret_size) {
    struct buf manifest = BUF_INIT, config = BUF_INIT;
    struct digest digest;

    put_config(&config, layers, n);
    digest = layout_blob(scratch, dir, config.data, config.size);
    buf_printf(&manifest,
               "{\"schemaVersion\":2,\"config\":{\"mediaType\":"
               "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"sha256:%s\","
               "\"size\":%zu},\"layers\":[",
               digest.hex, config.size);
    for (size_t i = 0; i < n; i++) {
        struct buf packed = BUF_INIT;
        const struct buf *blob = layers[i].tar;

        if (layers[i].filter) {
            tarball_compress(layers[i].filter, blob->data, blob->size, &packed);
            blob = &packed;
        }
        digest = layout_blob(scratch, dir, blob->data, blob->size);
        buf_printf(&manifest,
                   "%s{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\","
                   "\"digest\":\"sha256:%s\",\"size\":%" PRIu64 "}",
                   i ? "," : "", layers[i].blob ? layers[i].blob : digest.hex,
                   layers[i].blob_bytes ? layers[i].blob_bytes : (uint64_t)blob->size);
        buf_done(&packed);
    }
    buf_puts(&manifest, "]}");
    digest = layout_blob(scratch, dir, manifest.data, manifest.size);
    *ret_size = manifest.size;
    buf_done(&manifest);
    buf_done(&config);
    return digest;
}

void layout_index(const struct scratch *scratch, const char *dir, const struct digest *digest,
                  size_t size, const char *tag) {
    struct buf index = BUF_INIT;
    char path[256];

    buf_printf(&index,
               "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
               "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:%s\","
               "\"size\":%zu",
               digest->hex, size);
    if (tag)
        buf_printf(&index, ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}", tag);
    buf_puts(&index, "}]}");
    snprintf(path, sizeof path, "%s/index.json", dir);
    scratch_write(scratch, path, index.data, index.size);
    buf_done(&index);
}

void layout_make(const struct scratch *scratch, const char *dir, const struct layout_layer *layers,
                 size_t n, const char *tag) {
    struct digest digest;
    size_t size;

    digest = layout_manifest(scratch, dir, layers, n, &size);
    layout_index(scratch, dir, &digest, size, tag);
}

void layout_docker(struct buf *archive, const struct layout_layer *layers, size_t n,
                   const char *tag) {
    struct buf config = BUF_INIT, manifest = BUF_INIT;
    struct digest digest;
    char name[192];

    put_config(&config, layers, n);
    digest = sha256(config.data, config.size);
    buf_printf(&manifest, "[{\"Config\":\"%s.json\",\"RepoTags\":[", digest.hex);
    if (tag)
        buf_printf(&manifest, "\"%s\"", tag);
    buf_puts(&manifest, "],\"Layers\":[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(&manifest, "%s\"layer%zu/layer.tar\"", i ? "," : "", i);
        snprintf(name, sizeof name, "layer%zu/layer.tar", i);
        /* Every second one as docker-save writes a layer that it has written before. */
        if (i % 2 == 1) {
            char real[32];

            snprintf(real, sizeof real, "../%zu.tar", i);
            tarball_add(archive, &(struct tar_entry){.name = name, .type = '2', .link = real});
            snprintf(name, sizeof name, "%zu.tar", i);
        }
        tarball_add(archive, &(struct tar_entry){.name = name,
                                                 .data = layers[i].tar->data,
                                                 .data_bytes = layers[i].tar->size});
    }
    buf_puts(&manifest, "]}]");
    snprintf(name, sizeof name, "%s.json", digest.hex);
    tarball_file(archive, name, config.data);
    tarball_file(archive, "manifest.json", manifest.data);
    tarball_end(archive);
    buf_done(&config);
    buf_done(&manifest);
}
