/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_OCI_LAYOUT_H
#define MAYFLY_OCI_LAYOUT_H

#include "archive_members.h"
#include "blob.h"
#include "digest.h"
#include "engine/base/err.h"
#include "image_install.h"
#include "manifest.h"

/**
 * struct oci_layout - an image layout: a directory, or the same in a tar
 * @dir_fd: owned; -1 when it is in a tar
 * @members: of the tar
 */
struct oci_layout {
    int dir_fd;
    struct archive_members members;
};

#define OCI_LAYOUT_INIT ((struct oci_layout){.dir_fd = -1, .members = ARCHIVE_MEMBERS_INIT})

/**
 * struct oci_image - what a layout says of one of its images
 * @manifest_digest: of the manifest
 */
struct oci_image {
    struct digest manifest_digest;
    struct manifest manifest;
    struct image_description description;
};

#define OCI_IMAGE_INIT ((struct oci_image){0})

/**
 * oci_layout_blob() - open a blob
 *
 * A blob that is a symbolic link is followed wherever it leads: its content is checked against its
 * digest by whoever reads it.
 * @size: as its descriptor has it
 * Return: 0 or -errno with a text.
 */
int oci_layout_blob(const struct oci_layout *layout, const struct digest *digest, int64_t size,
                    struct blob *ret_blob, struct err *err);

/**
 * oci_layout_image() - find an image in a layout, and read its manifest and configuration
 * @tag: org.opencontainers.image.ref.name; NULL: the only image
 * @platform: of several, the one for this
 *
 * Spec: OCI image-spec, image-layout.md.
 * Return: 0 or -errno with a text.
 */
int oci_layout_image(const struct oci_layout *layout, const char *tag,
                     const struct platform *platform, struct oci_image *ret_image, struct err *err);

/** oci_layout_tags() - append the names of the images in a layout, each once. */
int oci_layout_tags(const struct oci_layout *layout, struct strv *ret_tags, struct err *err);

/** oci_layout_install() - bring an image into the store; @tag as above. */
int oci_layout_install(const struct oci_layout *layout, const char *tag, struct install *install,
                       struct err *err);

void oci_image_done(struct oci_image *image);
void oci_layout_done(struct oci_layout *layout);

#endif
