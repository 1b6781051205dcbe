/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What docker-save and skopeo write: a tar with a manifest.json that names, for
 * each image, the file of its configuration and those of its layers.  Nothing
 * in it has a digest but the layers, in the configuration; the image's name is
 * the digest of the configuration, computed here.
 */
#include "docker_archive.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "ref.h"

/* Whether @selector names an image of the archive, in full or as people shorten it. */
static bool has_tag(const struct docker_image *image, const char *selector) {
    _cleanup_ref_ struct ref wanted = REF_INIT;
    _cleanup_free_ char *full = NULL;

    if (ref_parse(selector, &wanted, NULL) == 0 && wanted.kind == REF_NAME)
        full = ref_format(&wanted);
    for (size_t k = 0; k < image->repo_tags.n; k++) {
        _cleanup_ref_ struct ref tag = REF_INIT;
        _cleanup_free_ char *text = NULL;

        if (str_eq(image->repo_tags.items[k], selector))
            return true;
        if (full && ref_parse(image->repo_tags.items[k], &tag, NULL) == 0 && tag.kind == REF_NAME &&
            (text = ref_format(&tag)) && str_eq(text, full))
            return true;
    }
    return false;
}

const struct docker_image *docker_archive_choose(const struct docker_manifest *manifest,
                                                 const char *selector, struct err *err) {
    _cleanup_buf_ struct buf there = BUF_INIT;

    if (!selector && manifest->n == 1)
        return &manifest->images[0];
    for (size_t k = 0; k < manifest->n; k++) {
        const struct docker_image *image = &manifest->images[k];

        if (selector && has_tag(image, selector))
            return image;
        for (size_t t = 0; t < image->repo_tags.n && there.size < 300; t++)
            buf_printf(&there, "%s%s", there.size ? ", " : "", image->repo_tags.items[t]);
    }
    if (selector)
        err_set(err, -ENOENT, "no image '%s' in it; it holds: %s", selector,
                there.size ? there.data : "nothing with a name");
    else
        err_set(err, -EINVAL, "it holds %zu images; name one of them after a colon: %s",
                manifest->n, there.size ? there.data : "(none has a name)");
    return NULL;
}

/* What opens a layer of a docker-archive. */
struct docker_context {
    const struct archive_members *members;
    const struct docker_image *image;
};

static int open_docker(void *context, const struct layer_job *job, struct blob *ret_blob,
                       struct err *err) {
    const struct docker_context *c = context;

    return archive_members_blob(c->members, c->image->layers.items[job->number - 1], ret_blob, err);
}

static int read_member(const struct archive_members *members, const char *name, char **ret_text,
                       size_t *ret_size, struct err *err) {
    _cleanup_blob_ struct blob blob = BLOB_INIT;
    int r = archive_members_blob(members, name, &blob, err);

    if (r == 0)
        r = blob_read_document(&blob, NULL, -1, ret_text, ret_size, err);
    if (r < 0 && r != -ENOENT)
        err_wrap(err, "%.200s", name);
    return r;
}

int docker_archive_read(const struct archive_members *members, struct docker_manifest *ret_manifest,
                        struct err *err) {
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    int r = read_member(members, "manifest.json", &text, &size, err);

    return r < 0 ? r : manifest_parse_docker(text, size, ret_manifest, err);
}

static int install(const struct archive_members *members, const struct docker_image *image,
                   struct install *target, struct image_description *description, struct err *err) {
    struct docker_context context = {.members = members, .image = image};
    _cleanup_free_ char *text = NULL;
    struct digest id;
    size_t size = 0;
    int r = read_member(members, image->config, &text, &size, err);

    if (r < 0)
        return r;
    r = manifest_parse_config(text, size, description, err);
    if (r < 0) {
        err_wrap(err, "configuration");
        return r;
    }
    r = digest_bytes(DIGEST_SHA256, text, size, &id, err);
    if (r == 0)
        r = install_begin(target, image->layers.n, &id, description, err);
    for (size_t i = 0; r == 0 && i < target->n_jobs; i++) {
        target->jobs[i].open = open_docker;
        target->jobs[i].context = &context;
    }
    if (r == 0)
        r = install_layers(target, err);
    return r < 0 ? r : install_record(target, err);
}

int docker_archive_install(const struct archive_members *members, const struct docker_image *image,
                           struct install *target, struct err *err) {
    struct image_description description = IMAGE_DESCRIPTION_INIT;
    int r = install(members, image, target, &description, err);

    image_description_done(&description);
    return r;
}
