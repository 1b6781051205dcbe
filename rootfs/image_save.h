/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMAGE_SAVE_H
#define MAYFLY_IMAGE_SAVE_H

#include "digest.h"
#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "image.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

#define SAVED_IMAGE_TYPE "application/vnd.oci.image.manifest.v1+json"
#define SAVED_LAYER_TYPE "application/vnd.oci.image.layer.v1.tar"

enum image_format {
    IMAGE_FORMAT_DOCKER, /* as `docker save` writes */
    IMAGE_FORMAT_OCI,    /* an image layout in a tar */
};

/**
 * struct saved_layer - a layer as it leaves the store
 * @name: in layers/; borrowed from the image
 * @diff, @bytes: of its tar
 * @gzip, @gzip_bytes: of the same compressed; set by whoever sends it so
 */
struct saved_layer {
    const char *name;
    struct digest diff;
    uint64_t bytes;
    struct digest gzip;
    uint64_t gzip_bytes;
};

/**
 * struct saved_image - an image as it leaves the store
 * @layers: @n of them, the lowest first
 * @document: its configuration: word for word as it came, unless a layer's tar cannot be made
 *            again as it was; @id is its digest
 */
struct saved_image {
    struct image image;
    struct saved_layer *layers;
    size_t n_layers;
    char *document;
    struct digest id;
};

#define SAVED_IMAGE_INIT ((struct saved_image){.image = IMAGE_INIT})

/**
 * saved_image_open() - find out what an image consists of
 * @reference: as image_find() takes it
 *
 * Context: as image_save().
 * Return: 0, -ENOENT with a text when it is not in the store, or another -errno with a text.
 */
int saved_image_open(struct saved_image *ret_saved, const struct store *store,
                     const char *reference, struct err *err);

void saved_image_done(struct saved_image *saved);

#define _cleanup_saved_image_ __attribute__((cleanup(saved_image_done)))

/** saved_image_manifest() - its OCI manifest, to free(3); NULL when memory ran out. */
char *saved_image_manifest(const struct saved_image *saved);

/**
 * image_save() - write images as an archive
 * @references: of images in the store; those that are names are in the archive as well
 * @fd: where to; a pipe will do
 *
 * Every layer is compared with its digest while it is written.  The same images give the same
 * archive.  Loads libcrypto and jansson.
 * Spec: Docker image specification v1.2; OCI image-spec, image-layout.md.
 * Context: in a process with the ids of the layers.
 * Return: 0 or -errno with a text; an archive that was begun is of no use then.
 */
int image_save(const struct store *store, const struct strv *references, enum image_format format,
               int fd, struct err *err);

/**
 * image_push() - send an image to a registry
 * @reference: of an image in the store
 * @destination: the name to send it under; NULL: @reference, which then is a name
 *
 * What the registry has already is not sent.  Layers are sent compressed where ISA-L is there.
 * Loads libcurl, libcrypto and jansson.
 * Spec: distribution-spec, "Push".
 * Context: as image_save().
 * Return: 0 or -errno with a text.
 */
int image_push(const struct store *store, const char *reference, const char *destination,
               const struct log *log, struct err *err);

#endif
