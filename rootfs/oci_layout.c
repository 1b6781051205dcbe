/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image layouts.  index.json is the only file that is believed as it is;
 * from there on everything is named by digest and checked.
 *
 * Blobs may be symbolic links.  In a checkout by Git with core.symlinks=false
 * (and on file systems without links) such a link is a small file that holds
 * the target; that is understood too, since the digest tells whether it is
 * what was meant.
 */
#include "oci_layout.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* An index may lead to another; nobody nests them deeper. */
enum { INDEX_DEPTH_MAX = 4 };

/* The file that a link stored as text leads to, or -1. */
static int open_text_link(int dir_fd, int fd, const char *blob_path, int64_t blob_size) {
    char target[PATH_MAX], path[PATH_MAX];
    struct stat st;
    ssize_t n;

    if (fstat(fd, &st) < 0 || st.st_size == blob_size || st.st_size == 0 ||
        st.st_size >= (off_t)sizeof target)
        return -1;
    n = pread(fd, target, sizeof target - 1, 0);
    if (n != st.st_size || *target == '/')
        return -1;
    target[n] = '\0';
    if (strlen(target) != (size_t)n || target[strcspn(target, "\n\r{")])
        return -1;
    n = snprintf(path, sizeof path, "%.*s%s", (int)(strrchr(blob_path, '/') + 1 - blob_path),
                 blob_path, target);
    if (n < 0 || n >= (ssize_t)sizeof path)
        return -1;
    return fd_open_in_root(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
}

int oci_layout_blob(const struct oci_layout *layout, const struct digest *digest, int64_t size,
                    struct blob *ret_blob, struct err *err) {
    char path[32 + DIGEST_HEX_BYTES];
    _cleanup_close_ int fd = -1;
    struct stat st;
    int real;

    snprintf(path, sizeof path, "blobs/%s/%s",
             digest->algorithm == DIGEST_SHA512 ? "sha512" : "sha256", digest->hex);
    if (layout->dir_fd < 0)
        return archive_members_blob(&layout->members, path, ret_blob, err);
    fd = openat(layout->dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return err_errno(err, "cannot open %.60s...", path);
    real = open_text_link(layout->dir_fd, fd, path, size);
    if (real >= 0) {
        close(fd);
        fd = real;
    }
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "%.60s... is no file", path);
    *ret_blob = (struct blob){.fd = take_fd(fd), .end = BLOB_TO_THE_END};
    return 0;
}

static int read_index(const struct oci_layout *layout, char **ret_text, size_t *ret_size,
                      struct err *err) {
    int r;

    if (layout->dir_fd < 0) {
        _cleanup_blob_ struct blob blob = BLOB_INIT;

        r = archive_members_blob(&layout->members, "index.json", &blob, err);
        return r < 0 ? r : blob_read_document(&blob, NULL, -1, ret_text, ret_size, err);
    }
    r = fd_read_file(layout->dir_fd, "index.json", BLOB_DOCUMENT_BYTES_MAX, ret_text, ret_size);
    if (r == -EFBIG)
        return err_set(err, r, "larger than the %u MiB that a manifest may have",
                       BLOB_DOCUMENT_BYTES_MAX >> 20);
    return r < 0 ? err_set(err, r, "cannot read it: %s", strerror(-r)) : 0;
}

static int read_document(const struct oci_layout *layout, const struct descriptor *d,
                         char **ret_text, size_t *ret_size, struct err *err) {
    _cleanup_blob_ struct blob blob = BLOB_INIT;
    int r = oci_layout_blob(layout, &d->digest, d->size, &blob, err);

    return r < 0 ? r : blob_read_document(&blob, &d->digest, d->size, ret_text, ret_size, err);
}

/* Goes from index.json to the manifest. */
static int find_manifest(const struct oci_layout *layout, const char *tag,
                         const struct platform *platform, struct oci_image *image,
                         struct err *err) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = read_index(layout, &text, &size, err);

    if (r == 0)
        r = manifest_parse(text, size, &image->manifest, err);
    if (r < 0) {
        err_wrap(err, "index.json");
        return r;
    }
    if (!image->manifest.is_index)
        return err_set(err, -EBADMSG, "index.json is no index");
    for (int depth = 0; image->manifest.is_index; depth++) {
        const struct descriptor *d = manifest_choose(&image->manifest, tag, platform, err);
        _cleanup_free_ char *document = NULL;
        struct manifest next = MANIFEST_INIT;

        if (!d)
            return err ? err->code : -ENOENT;
        if (depth == INDEX_DEPTH_MAX)
            return err_set(err, -EBADMSG, "indexes in it are nested without end");
        r = read_document(layout, d, &document, &size, err);
        if (r == 0)
            r = manifest_parse(document, size, &next, err);
        if (r < 0) {
            err_wrap(err, "manifest %.12s...", d->digest.hex);
            return r;
        }
        image->manifest_digest = d->digest;
        manifest_done(&image->manifest);
        image->manifest = next;
        tag = NULL;
    }
    return 0;
}

static int read_config(const struct oci_layout *layout, struct oci_image *image, struct err *err) {
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = read_document(layout, &image->manifest.config, &text, &size, err);

    if (r == 0)
        r = manifest_parse_config(text, size, &image->description, err);
    if (r < 0)
        err_wrap(err, "configuration");
    return r;
}

int oci_layout_image(const struct oci_layout *layout, const char *tag,
                     const struct platform *platform, struct oci_image *ret_image,
                     struct err *err) {
    struct oci_image image = OCI_IMAGE_INIT;
    int r = find_manifest(layout, tag, platform, &image, err);

    if (r == 0)
        r = read_config(layout, &image, err);
    if (r < 0) {
        oci_image_done(&image);
        return r;
    }
    *ret_image = image;
    return 0;
}

int oci_layout_tags(const struct oci_layout *layout, struct strv *ret_tags, struct err *err) {
    struct manifest index = MANIFEST_INIT;
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r = read_index(layout, &text, &size, err);

    if (r == 0)
        r = manifest_parse(text, size, &index, err);
    for (size_t i = 0; r == 0 && i < index.list.n; i++) {
        const char *name = index.list.items[i].ref_name;
        bool known = !name;

        for (size_t k = 0; !known && ret_tags->items && k < ret_tags->n; k++)
            known = str_eq(ret_tags->items[k], name);
        if (!known && strv_push(ret_tags, name) < 0)
            r = err_nomem(err);
    }
    manifest_done(&index);
    if (r < 0)
        err_wrap(err, "index.json");
    return r;
}

/* What opens a layer of a layout. */
struct layer_context {
    const struct oci_layout *layout;
    const struct oci_image *image;
};

static int open_layer(void *context, const struct layer_job *job, struct blob *ret_blob,
                      struct err *err) {
    const struct layer_context *c = context;
    const struct descriptor *d = &c->image->manifest.list.items[job->number - 1];

    return oci_layout_blob(c->layout, &d->digest, d->size, ret_blob, err);
}

int oci_layout_install(const struct oci_layout *layout, const char *tag, struct install *install,
                       struct err *err) {
    struct oci_image image = OCI_IMAGE_INIT;
    struct layer_context context = {.layout = layout, .image = &image};
    struct platform platform;
    int r;

    platform_wanted(install->store, &platform);
    r = oci_layout_image(layout, tag, &platform, &image, err);
    if (r < 0)
        return r;
    r = install_begin(install, image.manifest.list.n, &image.manifest.config.digest,
                      &image.description, err);
    for (size_t i = 0; r == 0 && i < install->n_jobs; i++) {
        install->jobs[i].open = open_layer;
        install->jobs[i].context = &context;
        install->jobs[i].blob_digest = image.manifest.list.items[i].digest;
        install->jobs[i].blob_bytes = image.manifest.list.items[i].size;
    }
    if (r == 0)
        r = install_layers(install, err);
    if (r == 0)
        r = install_record(install, err);
    oci_image_done(&image);
    return r;
}

void oci_image_done(struct oci_image *image) {
    manifest_done(&image->manifest);
    image_description_done(&image->description);
}

void oci_layout_done(struct oci_layout *layout) {
    if (layout->dir_fd >= 0)
        close(layout->dir_fd);
    archive_members_done(&layout->members);
    *layout = OCI_LAYOUT_INIT;
}
