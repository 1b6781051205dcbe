/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REF_H
#define MAYFLY_REF_H

#include "engine/base/err.h"

#include <stdbool.h>

enum ref_kind {
    REF_HOST,           /* host: */
    REF_ROOTFS,         /* rootfs:PATH: an unpacked directory */
    REF_PATH,           /* /x, ./x, ../x: a directory or a tarball, whichever it is */
    REF_TAR,            /* tar:PATH, or a bare name that ends as tarballs do; "-" is stdin */
    REF_OCI,            /* oci:PATH[:TAG] */
    REF_OCI_ARCHIVE,    /* oci-archive:PATH[:TAG] */
    REF_DOCKER_ARCHIVE, /* docker-archive:PATH[:REF] */
    REF_URL,            /* http://..., https://...: a tarball */
    REF_NAME,           /* [REGISTRY/]REPOSITORY[:TAG][@DIGEST] */
};

/**
 * struct ref - an image reference, taken apart
 * @path: of the kinds that have one; of REF_URL the whole address; else NULL
 * @selector: which image of an archive or layout; NULL: the only one
 * @registry: of REF_NAME: host[:port], "docker.io" when none was written
 * @repository: of REF_NAME, "library/" put before Docker's short names
 * @tag: of REF_NAME: "latest" when neither a tag nor a digest was written, NULL beside a digest
 * @digest: of REF_NAME: "sha256:..." or NULL
 */
struct ref {
    enum ref_kind kind;
    char *path;
    char *selector;
    char *registry;
    char *repository;
    char *tag;
    char *digest;
};

#define REF_INIT ((struct ref){0})

/**
 * ref_parse() - take a reference apart, without looking at anything
 * @text: as the user wrote it
 *
 * Spec: containers-transports(5); distribution/reference, "Grammar"; Docker's short names.
 * Return: 0, -EINVAL with a text that names what is wrong with it, -ENOMEM.
 */
int ref_parse(const char *text, struct ref *ret_ref, struct err *err);

/**
 * ref_format() - the full form of a REF_NAME, "docker.io/library/debian:12"
 *
 * Return: to free(3), NULL when memory ran out.
 */
char *ref_format(const struct ref *ref);

/** ref_kind_is_remote() - whether somebody can be asked for what it is. */
static inline bool ref_kind_is_remote(enum ref_kind kind) {
    return kind == REF_NAME || kind == REF_URL;
}

/** ref_is_remote() - whether a text is a name or an address, which somebody can be asked for. */
bool ref_is_remote(const char *text);

/** ref_is_stdin() - whether it is "tar:-". */
static inline bool ref_is_stdin(const struct ref *ref) {
    return ref->kind == REF_TAR && ref->path[0] == '-' && !ref->path[1];
}

void ref_done(struct ref *ref);

#define _cleanup_ref_ __attribute__((cleanup(ref_done)))

#endif
