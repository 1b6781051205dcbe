/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images from elsewhere: from a registry by name, or a tarball by address.
 * Layers are unpacked while they arrive, several at once; nothing becomes a
 * layer before its digest was seen to be the announced one.
 */
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "http_blob.h"
#include "image_install.h"
#include "image_source.h"
#include "manifest.h"
#include "registry.h"

#include <stdio.h>

/* An index may lead to another; nobody nests them deeper. */
enum { INDEX_DEPTH_MAX = 4 };

/* Goes from a tag or digest, which becomes @install->digest, to the manifest for this machine. */
static int fetch_manifest(struct registry *registry, const struct ref *ref,
                          const struct platform *platform, struct install *install,
                          struct manifest *ret_manifest, struct err *err) {
    char what[DIGEST_TEXT_BYTES];
    struct digest expected = {0};

    snprintf(what, sizeof what, "%s", ref->digest ? ref->digest : ref->tag);
    if (ref->digest)
        (void)digest_parse(ref->digest, &expected);
    for (int depth = 0; depth <= INDEX_DEPTH_MAX; depth++) {
        _cleanup_free_ char *text = NULL;
        const struct descriptor *d;
        size_t size;
        int r = registry_manifest(registry, what, digest_is_set(&expected) ? &expected : NULL,
                                  &text, &size, err);

        /* Whoever knows the password has been asked for it by now. */
        if (r == 0)
            r = store_confine(install->store, err);
        if (r == 0 && depth == 0)
            r = digest_bytes(DIGEST_SHA256, text, size, &install->digest, err);
        if (r < 0)
            return r;
        if (depth == 0 && ref->digest)
            install->digest = expected;
        r = manifest_parse(text, size, ret_manifest, err);
        if (r < 0) {
            err_wrap(err, "manifest %.80s", what);
            return r;
        }
        if (!ret_manifest->is_index)
            return 0;
        d = manifest_choose(ret_manifest, NULL, platform, err);
        if (d)
            expected = d->digest;
        manifest_done(ret_manifest);
        if (!d)
            return err ? err->code : -ENOENT;
        digest_format(&expected, what);
    }
    return err_set(err, -EBADMSG, "indexes are nested without end");
}

/* What opens a layer. */
struct pull_context {
    const struct registry *registry;
    const struct manifest *manifest;
};

static int open_layer(void *context, const struct layer_job *job, struct blob *ret_blob,
                      struct err *err) {
    const struct pull_context *c = context;

    return registry_blob(c->registry, &c->manifest->list.items[job->number - 1].digest, ret_blob,
                         err);
}

static int fetch_config(const struct registry *registry, const struct manifest *manifest,
                        struct image_description *description, struct err *err) {
    _cleanup_blob_ struct blob blob = BLOB_INIT;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = registry_blob(registry, &manifest->config.digest, &blob, err);

    if (r == 0)
        r = blob_read_document(&blob, &manifest->config.digest, manifest->config.size, &text, &size,
                               err);
    if (r == 0)
        r = manifest_parse_config(text, size, description, err);
    if (r < 0)
        err_wrap(err, "configuration");
    return r;
}

static int install_from(const struct registry *registry, const struct manifest *manifest,
                        struct install *install, struct err *err) {
    struct pull_context context = {.registry = registry, .manifest = manifest};
    struct image_description description = IMAGE_DESCRIPTION_INIT;
    int r = fetch_config(registry, manifest, &description, err);

    if (r == 0)
        r = install_begin(install, manifest->list.n, &manifest->config.digest, &description, err);
    image_description_done(&description);
    for (size_t i = 0; r == 0 && i < install->n_jobs; i++) {
        install->jobs[i].open = open_layer;
        install->jobs[i].context = &context;
        install->jobs[i].blob_digest = manifest->list.items[i].digest;
        install->jobs[i].blob_bytes = manifest->list.items[i].size;
    }
    if (r == 0)
        r = install_layers(install, err);
    return r < 0 ? r : install_record(install, err);
}

static int pull_at(const struct ref *ref, const char *host, struct install *install,
                   struct err *err) {
    struct manifest manifest = MANIFEST_INIT;
    struct registry registry;
    struct platform platform;
    int r = registry_open(&registry, ref, host, REGISTRY_PULL, install->store->insecure, err);

    if (r < 0)
        return r;
    platform_wanted(install->store, &platform);
    r = fetch_manifest(&registry, ref, &platform, install, &manifest, err);
    if (r == 0)
        r = install_from(&registry, &manifest, install, err);
    manifest_done(&manifest);
    registry_close(&registry);
    return r;
}

/* Tries the mirrors that $MAYFLY_REGISTRY_MIRRORS has for the registry ("docker.io=host,...").
 * Return: 0 when one had the image, else 1. */
static int pull_from_mirrors(const struct ref *ref, struct install *install) {
    const char *list = getenv("MAYFLY_REGISTRY_MIRRORS");

    while (list && *list) {
        size_t n = strcspn(list, ",");
        _cleanup_free_ char *entry = strndup(list, n);
        char *host = entry ? strchr(entry, '=') : NULL;
        struct err err = {0};

        list += n + (list[n] == ',');
        if (!host)
            continue;
        *host++ = '\0';
        if (!str_eq(entry, ref->registry))
            continue;
        if (pull_at(ref, host, install, &err) == 0)
            return 0;
        log_warning(install->log, "mirror %s: %s", host, err.message);
        {
            struct install fresh = INSTALL_INIT(install->store, install->log);

            install_done(install);
            *install = fresh;
        }
    }
    return 1;
}

/* For the list of images; a name without room for it goes without. */
static int save_digest(const struct store *store, const char *name_key,
                       const struct install *install, struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES], text[DIGEST_TEXT_BYTES];

    if (image_index_digest_key(name_key, key) < 0)
        return 0;
    return image_index_save(store, key, digest_format(&install->digest, text), err);
}

static int pull_name(const struct store *store, const struct ref *ref, struct install *install,
                     struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES];
    int r = image_index_name_key(ref, key, err);

    if (r == 0)
        r = pull_from_mirrors(ref, install);
    if (r == 1)
        r = pull_at(ref, ref->registry, install, err);
    if (r == 0)
        r = image_index_save(store, key, install->id, err);
    return r < 0 ? r : save_digest(store, key, install, err);
}

static int open_url(void *context, const struct layer_job *job, struct blob *ret_blob,
                    struct err *err) {
    const struct ref *ref = context;
    const char *ca = getenv("REGISTRY_CA");
    const struct http_request request = {
        .url = ref->path,
        .allow_plain = str_after(ref->path, "http://") != NULL,
        .ca_file = ca && *ca ? ca : NULL,
    };

    (void)job;
    return http_blob_open(ret_blob, &request, err);
}

static int pull_url(const struct store *store, const struct ref *ref, struct install *install,
                    struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES], work_name[IMAGE_INDEX_KEY_BYTES + 4];
    int r = store_confine(store, err);

    if (r == 0)
        r = install_begin(install, 1, NULL, NULL, err);
    if (r < 0)
        return r;
    image_index_url_key(ref, key);
    snprintf(work_name, sizeof work_name, "%s", key);
    install->jobs->number = 0;
    install->jobs->open = open_url;
    install->jobs->context = (void *)ref;
    install->jobs->work_name = work_name;
    r = install_layers(install, err);
    if (r < 0)
        return r;
    snprintf(install->id, sizeof install->id, "tar-%s", install->jobs->diff_id.hex);
    r = install_record(install, err);
    return r < 0 ? r : image_index_save(store, key, install->id, err);
}

int image_pull_ref(const struct store *store, const struct ref *ref, const struct log *log,
                   struct err *err) {
    struct install install = INSTALL_INIT(store, log);
    struct http_guard guard;
    int r;

    http_guard_begin(&guard);
    r = ref->kind == REF_URL ? pull_url(store, ref, &install, err)
                             : pull_name(store, ref, &install, err);
    install_done(&install);
    http_guard_end(&guard);
    return r;
}
