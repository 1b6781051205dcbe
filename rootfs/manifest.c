/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manifests, indexes and configurations: JSON from outside in, plain structs
 * out, and no I/O.  jansson refuses duplicate keys, wrong UTF-8, NUL
 * characters and nesting that is too deep; this checks what is said: digests
 * (they become file names), sizes, numbers of things, media types.
 *
 * A document that is both a manifest and an index means one image to one
 * reader and another to the next, and is refused.
 */
#include "manifest.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "manifest_json.h"

#include <inttypes.h>

static void descriptor_done(struct descriptor *d) {
    free(d->media_type);
    free(d->ref_name);
}

static void descriptors_done(struct descriptors *list) {
    for (size_t i = 0; i < list->n; i++)
        descriptor_done(&list->items[i]);
    free(list->items);
    *list = (struct descriptors){0};
}

void manifest_done(struct manifest *manifest) {
    descriptor_done(&manifest->config);
    descriptors_done(&manifest->list);
    *manifest = MANIFEST_INIT;
}

static void read_platform(const json_t *value, struct descriptor *d) {
    const char *os = json_text(value, "os"), *architecture = json_text(value, "architecture");
    const char *variant = json_text(value, "variant");

    if (!os || !architecture)
        return;
    d->has_platform = true;
    snprintf(d->platform.os, sizeof d->platform.os, "%s", os);
    snprintf(d->platform.architecture, sizeof d->platform.architecture, "%s", architecture);
    snprintf(d->platform.variant, sizeof d->platform.variant, "%s", variant ? variant : "");
}

static int read_descriptor(const json_t *value, struct descriptor *d, struct err *err) {
    const char *digest = json_text(value, "digest"), *media_type = json_text(value, "mediaType");
    const char *name = json_text(json_member(value, "annotations", JSON_OBJECT),
                                 "org.opencontainers.image.ref.name");
    int r;

    if (!digest || json_number(value, "size", &d->size) < 0)
        return err_set(err, -EBADMSG, "a descriptor has no digest or no size");
    if (d->size < 0)
        return err_set(err, -EBADMSG, "a descriptor has the size %" PRId64, d->size);
    r = digest_parse(digest, &d->digest);
    if (r < 0)
        return err_set(err, -EBADMSG, "'%.100s' is no digest%s", digest,
                       r == -ENOTSUP ? " of a known kind (sha256, sha512)" : "");
    d->media_type = strdup(media_type ? media_type : "");
    if (!d->media_type || (name && !(d->ref_name = strdup(name))))
        return err_nomem(err);
    read_platform(json_member(value, "platform", JSON_OBJECT), d);
    return 0;
}

static int read_descriptors(const json_t *array, size_t max, const char *what,
                            struct descriptors *list, struct err *err) {
    size_t n = json_length(array);

    if (n > max)
        return err_set(err, -EBADMSG, "it lists %zu %s; at most %zu are taken", n, what, max);
    list->items = calloc(n + 1, sizeof *list->items);
    if (!list->items)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        int r;

        list->n = i + 1;
        r = read_descriptor(json_item(array, i), &list->items[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Layers are tars, whatever compression; other things are stored in the same way. */
static int check_layer_type(const char *type, struct err *err) {
    static const char *const prefixes[] = {
        "application/vnd.oci.image.layer.v1.tar",
        "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.foreign.diff.tar",
    };

    if (!type)
        return err_set(err, -EBADMSG, "a layer has no type");
    if (strstr(type, "+encrypted"))
        return err_set(err, -ENOTSUP, "a layer is encrypted (%.100s)", type);
    for (size_t i = 0; i < N_ELEMENTS(prefixes); i++)
        if (str_after(type, prefixes[i]))
            return 0;
    return err_set(err, -ENOTSUP, "this is no container image: a layer is of the type '%.100s'",
                   type);
}

static int read_manifest(const json_t *root, struct manifest *manifest, struct err *err) {
    const json_t *config = json_member(root, "config", JSON_OBJECT);
    const json_t *layers = json_member(root, "layers", JSON_ARRAY);
    const json_t *manifests = json_member(root, "manifests", JSON_ARRAY);
    int r;

    if (manifests && (config || layers))
        return err_set(err, -EBADMSG, "it is a manifest and an index in one");
    if (manifests) {
        manifest->is_index = true;
        return read_descriptors(manifests, MANIFEST_INDEX_MAX, "manifests", &manifest->list, err);
    }
    if (json_member(root, "fsLayers", JSON_ARRAY))
        return err_set(err, -ENOTSUP,
                       "it is a manifest of Docker's old schema 1; push the image anew");
    if (!config || !layers)
        return err_set(err, -EBADMSG, "it is neither a manifest nor an index");
    r = read_descriptor(config, &manifest->config, err);
    if (r < 0)
        return r;
    r = read_descriptors(layers, MANIFEST_LAYERS_MAX, "layers", &manifest->list, err);
    for (size_t i = 0; r == 0 && i < manifest->list.n; i++)
        r = check_layer_type(manifest->list.items[i].media_type, err);
    return r;
}

int manifest_parse(const char *text, size_t size, struct manifest *ret_manifest, struct err *err) {
    struct manifest manifest = MANIFEST_INIT;
    _cleanup_json_document_ json_t *root = NULL;
    int r = json_parse(text, size, JSON_OBJECT, &root, err);

    if (r < 0)
        return r;
    r = read_manifest(root, &manifest, err);
    if (r < 0) {
        manifest_done(&manifest);
        return r;
    }
    *ret_manifest = manifest;
    return 0;
}

static void list_entries(const struct manifest *index, struct buf *buf) {
    for (size_t i = 0; i < index->list.n && buf->size < 300; i++) {
        const struct descriptor *d = &index->list.items[i];

        if (buf->size > 0)
            buf_puts(buf, ", ");
        buf_puts(buf, d->ref_name ? d->ref_name : "(no name)");
        if (d->has_platform)
            buf_printf(buf, " for %s/%s%s%s", d->platform.os, d->platform.architecture,
                       *d->platform.variant ? "/" : "", d->platform.variant);
    }
}

const struct descriptor *manifest_choose(const struct manifest *index, const char *ref_name,
                                         const struct platform *platform, struct err *err) {
    _cleanup_buf_ struct buf there = BUF_INIT;
    const struct descriptor *best = NULL, *first_named = NULL;
    bool several = false;
    int best_match = 0;

    for (size_t i = 0; i < index->list.n; i++) {
        const struct descriptor *d = &index->list.items[i];
        int match = d->has_platform ? platform_match(&d->platform, platform) : 1;

        if (ref_name && (!d->ref_name || !str_eq(ref_name, d->ref_name)))
            continue;
        if (!ref_name && d->ref_name && first_named && !str_eq(d->ref_name, first_named->ref_name))
            several = true;
        if (d->ref_name && !first_named)
            first_named = d;
        if (match > best_match) {
            best = d;
            best_match = match;
        }
    }
    /* A single image is what was meant, also when it is made for another machine. */
    if (!best && index->list.n == 1 && !ref_name)
        best = &index->list.items[0];
    if (best && !several)
        return best;
    list_entries(index, &there);
    if (several)
        err_set(err, -EINVAL, "it holds several images; name one of them after a colon: %s",
                there.data);
    else
        err_set(err, -ENOENT, "no image%s%s%s for %s/%s in it; it holds: %s", ref_name ? " '" : "",
                ref_name ? ref_name : "", ref_name ? "'" : "", platform->os, platform->architecture,
                there.size ? there.data : "nothing");
    return NULL;
}

static void docker_image_done(struct docker_image *image) {
    free(image->config);
    strv_done(&image->repo_tags);
    strv_done(&image->layers);
}

void docker_manifest_done(struct docker_manifest *manifest) {
    for (size_t i = 0; i < manifest->n; i++)
        docker_image_done(&manifest->images[i]);
    free(manifest->images);
    *manifest = (struct docker_manifest){0};
}

static int read_docker_image(const json_t *value, struct docker_image *image, struct err *err) {
    const char *config = json_text(value, "Config");
    int r;

    if (!config)
        return err_set(err, -EBADMSG, "manifest.json: an image has no Config");
    image->config = strdup(config);
    if (!image->config)
        return err_nomem(err);
    r = json_texts(json_member(value, "RepoTags", JSON_ARRAY), &image->repo_tags, err);
    if (r == 0)
        r = json_texts(json_member(value, "Layers", JSON_ARRAY), &image->layers, err);
    if (r == 0 && image->layers.n > MANIFEST_LAYERS_MAX)
        r = err_set(err, -EBADMSG, "manifest.json: more than %d layers", MANIFEST_LAYERS_MAX);
    return r;
}

int manifest_parse_docker(const char *text, size_t size, struct docker_manifest *ret_manifest,
                          struct err *err) {
    struct docker_manifest manifest = {0};
    _cleanup_json_document_ json_t *root = NULL;
    int r = json_parse(text, size, JSON_ARRAY, &root, err);

    if (r < 0)
        return r;
    if (json_length(root) > MANIFEST_INDEX_MAX)
        return err_set(err, -EBADMSG, "manifest.json: more than %d images", MANIFEST_INDEX_MAX);
    manifest.images = calloc(json_length(root) + 1, sizeof *manifest.images);
    if (!manifest.images)
        return err_nomem(err);
    for (size_t i = 0; i < json_length(root) && r == 0; i++) {
        manifest.n = i + 1;
        r = read_docker_image(json_item(root, i), &manifest.images[i], err);
    }
    if (r < 0) {
        docker_manifest_done(&manifest);
        return r;
    }
    *ret_manifest = manifest;
    return 0;
}
