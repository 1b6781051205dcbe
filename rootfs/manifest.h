/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MANIFEST_H
#define MAYFLY_MANIFEST_H

#include "digest.h"
#include "engine/base/err.h"
#include "engine/base/str.h"
#include "image.h"
#include "platform.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** More layers than this are refused; Linux mounts at most 500. */
#define MANIFEST_LAYERS_MAX 500
/** More entries in an index than this are refused. */
#define MANIFEST_INDEX_MAX 4096

/**
 * struct descriptor - something that is named by its digest
 * Spec: OCI image-spec, descriptor.md.
 */
struct descriptor {
    struct digest digest;
    int64_t size; /* bytes */
    char *media_type;
    char *ref_name; /* annotation org.opencontainers.image.ref.name, or NULL */
    bool has_platform;
    struct platform platform;
};

struct descriptors {
    struct descriptor *items;
    size_t n;
};

/**
 * struct manifest - an image manifest, or an index of such
 * @is_index: @list are manifests; otherwise @list are layers, the lowest first, with a @config
 */
struct manifest {
    bool is_index;
    struct descriptor config;
    struct descriptors list;
};

#define MANIFEST_INIT ((struct manifest){0})

/**
 * manifest_parse() - read an OCI or Docker (schema 2) manifest or index
 * Spec: OCI image-spec, manifest.md and image-index.md; distribution, manifest-v2-2.md.
 * Loads jansson.
 * Return: 0, or -EBADMSG, -ENOTSUP or -ENOMEM with a text.
 */
int manifest_parse(const char *text, size_t size, struct manifest *ret_manifest, struct err *err);

void manifest_done(struct manifest *manifest);

/**
 * manifest_choose() - the entry of an index for a platform
 * @ref_name: only entries of that name; NULL: all
 *
 * Entries that tell no platform are taken when no other fits.
 * Return: the entry, lent, or NULL with a text that says what there is.
 */
const struct descriptor *manifest_choose(const struct manifest *index, const char *ref_name,
                                         const struct platform *platform, struct err *err);

/** struct image_description - what an image's configuration says */
struct image_description {
    struct image_config config;
    struct platform platform;
    struct digest *diff_ids; /* @n_diff_ids, the lowest first */
    size_t n_diff_ids;
    char *created; /* or NULL */
    char *text;    /* all of it */
};

#define IMAGE_DESCRIPTION_INIT ((struct image_description){0})

/**
 * manifest_parse_config() - read an image's configuration
 *
 * WorkingDir and Volumes that go up ("..") are refused.
 * Spec: OCI image-spec, config.md; Docker image specification v1.2.
 */
int manifest_parse_config(const char *text, size_t size, struct image_description *ret_description,
                          struct err *err);

void image_description_done(struct image_description *description);

/** struct docker_image - one image of a docker-archive's manifest.json; paths are in the archive */
struct docker_image {
    char *config;
    struct strv repo_tags;
    struct strv layers;
};

struct docker_manifest {
    struct docker_image *images;
    size_t n;
};

/**
 * manifest_parse_docker() - read the manifest.json of a docker-archive
 * Spec: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
 */
int manifest_parse_docker(const char *text, size_t size, struct docker_manifest *ret_manifest,
                          struct err *err);

void docker_manifest_done(struct docker_manifest *manifest);

#endif
