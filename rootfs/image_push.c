/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image to a registry: layers, configuration, and at last the manifest, which
 * makes an image of them there.  A layer is compressed once to know its digest,
 * and a second time only if the registry does not have it.
 */
#include "engine/base/cleanup.h"
#include "image_save.h"
#include "layer_gzip.h"
#include "layer_tar.h"
#include "lazy_isal.h"
#include "ref.h"
#include "registry.h"

#include <stdio.h>
#include <string.h>
#include <sys/file.h>

enum { PART_BYTES = 256 << 10 };

/* What a compressed layer is. */
static int measure(const struct store *store, struct saved_layer *layer, char *part,
                   struct err *err) {
    _cleanup_digest_stream_ struct digest_stream stream = DIGEST_STREAM_INIT;
    struct layer_gzip *gzip = NULL;
    ssize_t n = 0;
    int r = digest_stream_init(&stream, DIGEST_SHA256, err);

    if (r == 0)
        r = layer_gzip_open(&gzip, store, layer->name, err);
    if (r < 0)
        return r;
    while ((n = layer_gzip_read(gzip, part, PART_BYTES, err)) > 0) {
        digest_stream_update(&stream, part, (size_t)n);
        layer->gzip_bytes += (uint64_t)n;
    }
    layer_gzip_close(gzip);
    if (n == 0)
        digest_stream_final(&stream, &layer->gzip);
    return (int)n;
}

static int send_gzip(const struct store *store, struct registry *registry,
                     const struct saved_layer *layer, struct err *err) {
    struct layer_gzip *gzip = NULL;
    struct http_body body = {
        .read = layer_gzip_read, .bytes = layer->gzip_bytes, .type = "application/octet-stream"};
    int r = layer_gzip_open(&gzip, store, layer->name, err);

    if (r < 0)
        return r;
    body.context = gzip;
    r = registry_put_blob(registry, &layer->gzip, &body, err);
    layer_gzip_close(gzip);
    return r;
}

static int send_tar(const struct store *store, struct registry *registry,
                    const struct saved_layer *layer, struct err *err) {
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    const struct http_body body = {.read = layer_tar_read,
                                   .context = &tar,
                                   .bytes = layer->bytes,
                                   .type = "application/octet-stream"};
    int r = layer_tar_open(&tar, store, layer->name, err);

    return r < 0 ? r : registry_put_blob(registry, &layer->diff, &body, err);
}

static int push_layer(const struct store *store, struct registry *registry,
                      struct saved_layer *layer, struct err *err) {
    _cleanup_free_ char *part = malloc(PART_BYTES);
    bool compress = lazy_isal(NULL) != NULL;
    int r = 0;

    if (!part)
        return err_nomem(err);
    if (compress)
        r = measure(store, layer, part, err);
    if (r == 0)
        r = registry_has_blob(registry, compress ? &layer->gzip : &layer->diff, err);
    if (r != 0)
        return r < 0 ? r : 0;
    return compress ? send_gzip(store, registry, layer, err)
                    : send_tar(store, registry, layer, err);
}

static int push_config(struct registry *registry, const struct saved_image *saved,
                       struct err *err) {
    struct http_text text = {.place = saved->document, .left = strlen(saved->document)};
    const struct http_body body = {.read = http_text_read,
                                   .context = &text,
                                   .bytes = strlen(saved->document),
                                   .type = "application/octet-stream"};
    int r = registry_has_blob(registry, &saved->id, err);

    if (r == 0)
        r = registry_put_blob(registry, &saved->id, &body, err);
    if (r < 0)
        err_wrap(err, "configuration");
    return r < 0 ? r : 0;
}

static int push_image(const struct store *store, struct registry *registry,
                      struct saved_image *saved, const struct ref *to, const struct log *log,
                      struct err *err) {
    _cleanup_free_ char *manifest = NULL;
    int r = 0;

    for (size_t i = 0; r == 0 && i < saved->n_layers; i++) {
        log_debug(log, "sending layer %zu of %zu", i + 1, saved->n_layers);
        r = push_layer(store, registry, &saved->layers[i], err);
        if (r < 0)
            err_wrap(err, "layer %zu of %zu", i + 1, saved->n_layers);
    }
    if (r == 0)
        r = push_config(registry, saved, err);
    if (r < 0)
        return r;
    manifest = saved_image_manifest(saved);
    if (!manifest)
        return err_nomem(err);
    return registry_put_manifest(registry, to->tag, SAVED_IMAGE_TYPE, manifest, err);
}

static int push(const struct store *store, const char *reference, const struct ref *to,
                const struct log *log, struct err *err) {
    _cleanup_saved_image_ struct saved_image saved = SAVED_IMAGE_INIT;
    _cleanup_close_ int lock_fd = -1;
    struct registry registry;
    int r = store_lock_images(store, LOCK_SH, &lock_fd, err);

    if (r == 0)
        r = saved_image_open(&saved, store, reference, err);
    if (r == 0)
        r = registry_open(&registry, to, to->registry, REGISTRY_PUSH, store->insecure, err);
    if (r < 0)
        return r;
    r = push_image(store, &registry, &saved, to, log, err);
    registry_close(&registry);
    if (r < 0)
        err_wrap(err, "image %s: sending it to %s", reference, to->registry);
    return r;
}

int image_push(const struct store *store, const char *reference, const char *destination,
               const struct log *log, struct err *err) {
    const char *name = destination ? destination : reference;
    _cleanup_ref_ struct ref to = REF_INIT;
    struct http_guard guard;
    int r;

    if (str_after(name, "docker://"))
        name = str_after(name, "docker://");
    r = ref_parse(name, &to, err);
    if (r == 0 && (to.kind != REF_NAME || to.digest))
        r = err_set(err, -EINVAL, "'%s' is no name that an image can be sent under%s", name,
                    destination ? "" : "; write one behind it: REGISTRY/NAME:TAG");
    if (r < 0)
        return r;
    http_guard_begin(&guard);
    r = push(store, reference, &to, log, err);
    http_guard_end(&guard);
    return r;
}
