/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REGISTRY_H
#define MAYFLY_REGISTRY_H

#include "blob.h"
#include "digest.h"
#include "engine/base/err.h"
#include "http.h"
#include "ref.h"

#include <stdbool.h>
#include <stddef.h>

/** enum registry_access - what a login is for */
enum registry_access {
    REGISTRY_PULL,
    REGISTRY_PUSH,
};

/**
 * struct registry - a repository at a registry, and how it is spoken to
 * @base: "https://host:port"
 * @allow_plain: http: is allowed
 * @ca_file: or NULL
 * @authorization: what it wanted to see, or NULL
 */
struct registry {
    char *name; /* as the reference has it */
    char *repository;
    char *base;
    bool allow_plain;
    char *ca_file;
    char *authorization;
    enum registry_access access;
};

/**
 * registry_open() - find out how a registry wants to be spoken to
 * @host: host[:port], the reference's or a mirror's
 * @access: what for
 * @insecure: may be NULL
 *
 * Plain http: is used with this machine itself, and with those in @insecure and
 * $MAYFLY_INSECURE_REGISTRIES (separated by commas), when https: is not spoken there.  $REGISTRY_CA
 * is a file of certificates to trust instead of the system's.  Name and password come from
 * auth_find(). Return: 0 or -errno with a text.
 */
int registry_open(struct registry *ret_registry, const struct ref *ref, const char *host,
                  enum registry_access access, const char *insecure, struct err *err);

void registry_close(struct registry *registry);

/**
 * registry_manifest() - fetch a manifest or an index
 * @what: a tag, or a digest ("sha256:...")
 * @expected: its digest; NULL: not known
 *
 * Spec: distribution-spec, "Pulling manifests".
 * Return: 0, -ENOENT with a text when there is none, or another -errno with a text.
 */
int registry_manifest(struct registry *registry, const char *what, const struct digest *expected,
                      char **ret_text, size_t *ret_size, struct err *err);

/**
 * registry_blob() - fetch a blob
 *
 * A download that is cut is taken up again where it ended, some times.  The content is not checked
 * here.
 * Context: any thread.
 * Return: 0 or -errno with a text.
 */
int registry_blob(const struct registry *registry, const struct digest *digest,
                  struct blob *ret_blob, struct err *err);

/**
 * registry_has_blob() - whether a blob is there
 * Return: 1 or 0, or -errno with a text.
 */
int registry_has_blob(struct registry *registry, const struct digest *digest, struct err *err);

/**
 * registry_put_blob() - send a blob
 * @body: its bytes
 *
 * Spec: distribution-spec, "Pushing a blob monolithically", "POST then PUT".
 * Return: 0 or -errno with a text.
 */
int registry_put_blob(struct registry *registry, const struct digest *digest,
                      const struct http_body *body, struct err *err);

/**
 * registry_put_manifest() - send a manifest
 * @what: the tag
 *
 * Return: 0 or -errno with a text.
 */
int registry_put_manifest(struct registry *registry, const char *what, const char *type,
                          const char *text, struct err *err);

#endif
