/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that the store does not have: read what it consists of, bring the
 * layers in (layer_import.c), then write its record, then its index entry.
 * Each step is durable before the next, so that what can be found is whole.
 */
#include "archive_members.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "image.h"
#include "image_source.h"
#include "layer_import.h"
#include "manifest.h"
#include "oci_layout.h"
#include "record.h"
#include "ref.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>

/* An import under way. */
struct importing {
    const struct store *store;
    const struct log *log;
    const struct ref *ref;
    struct stat st; /* of what is read, when reading began */
    uint64_t began_nsec;
    char key[IMAGE_INDEX_KEY_BYTES];
    char name[256]; /* in images/ */
    struct layer_job *jobs;
    size_t n_jobs;
    struct image_config config;
};

static int make_jobs(struct importing *i, size_t n, struct err *err) {
    i->jobs = calloc(n + 1, sizeof *i->jobs);
    if (!i->jobs)
        return err_nomem(err);
    if (n == 0)
        return err_set(err, -EBADMSG, "it has no layers");
    i->n_jobs = n;
    for (size_t k = 0; k < n; k++)
        i->jobs[k] = (struct layer_job){.number = k + 1, .blob_bytes = -1};
    return 0;
}

static void take_config(struct importing *i, struct image_description *description) {
    struct platform host;

    i->config = description->config;
    description->config = (struct image_config){0};
    platform_host(&host);
    if (*description->platform.architecture && platform_match(&description->platform, &host) == 0)
        log_warning(i->log, "the image is made for %s/%s, this machine is %s/%s",
                    description->platform.os, description->platform.architecture, host.os,
                    host.architecture);
}

/* Layers below one whose root is opaque are hidden by it, and overlayfs does not look there. */
static size_t lowest_visible(const struct importing *i) {
    size_t k = i->n_jobs - 1;

    for (; k > 0; k--) {
        char path[64 + DIGEST_HEX_BYTES], value[2];

        snprintf(path, sizeof path, "/proc/self/fd/%d/layers/%s", i->store->fd,
                 i->jobs[k].diff_id.hex);
        if (getxattr(path, "user.overlay.opaque", value, sizeof value) == 1 && *value == 'y')
            break;
    }
    return k;
}

static int write_record(struct importing *i, const struct store_work *work, struct err *err) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    _cleanup_close_ int fd = -1;
    struct image image = {.config = i->config};
    char path[16 + sizeof i->name];
    int r = 0;

    for (size_t k = lowest_visible(i); k < i->n_jobs && r == 0; k++)
        r = strv_push(&image.layers, i->jobs[k].diff_id.hex);
    record_encode(&image, &text);
    strv_done(&image.layers);
    if (r < 0 || buf_failed(&text))
        return err_nomem(err);
    fd = openat(work->fd, "record", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return store_errno(i->store, "cannot make a file in tmp", err);
    r = fd_write_all(fd, text.data, text.size);
    if (r < 0 || fsync(fd) < 0) {
        if (r < 0)
            errno = -r;
        return store_errno(i->store, "cannot write an image's record", err);
    }
    snprintf(path, sizeof path, "images/%s", i->name);
    r = store_replace(i->store, work, "record", path, err);
    return r < 0 ? r : store_sync_folder(i->store, "images", err);
}

/* Makes the image known, once its layers are there. */
static int finish(struct importing *i, struct err *err) {
    struct store_work work = STORE_WORK_INIT;
    struct stat now;
    char target[256];
    int r = image_source_stat(i->ref, &now, err);

    if (r < 0)
        return r;
    if (now.st_ino != i->st.st_ino || now.st_size != i->st.st_size ||
        now.st_ctim.tv_sec != i->st.st_ctim.tv_sec || now.st_ctim.tv_nsec != i->st.st_ctim.tv_nsec)
        return err_set(err, -EAGAIN, "it changed while it was read; try again");
    r = store_work_begin(i->store, i->name, &work, err);
    if (r < 0)
        return r;
    r = write_record(i, &work, err);
    if (r == 0) {
        image_index_target(i->name, &i->st, i->began_nsec, target);
        r = image_index_save(i->store, &work, i->key, target, err);
    }
    store_work_end(i->store, &work);
    return r;
}

static int import_layers(struct importing *i, struct err *err) {
    return layers_import(i->store, i->jobs, i->n_jobs, i->log, err);
}

static int open_tar(void *context, const struct layer_job *job, struct blob *ret_blob,
                    struct err *err) {
    int fd = fcntl(*(const int *)context, F_DUPFD_CLOEXEC, 3);

    (void)job;
    if (fd < 0)
        return err_errno(err, "cannot open it");
    *ret_blob = (struct blob){.fd = fd, .end = BLOB_TO_THE_END};
    return 0;
}

static int import_tar(struct importing *i, int fd, struct err *err) {
    char work_name[IMAGE_INDEX_KEY_BYTES + 4];
    int r = make_jobs(i, 1, err);

    if (r < 0)
        return r;
    snprintf(work_name, sizeof work_name, "tar-%s", i->key);
    i->jobs->number = 0;
    i->jobs->open = open_tar;
    i->jobs->context = &fd;
    i->jobs->work_name = work_name;
    r = import_layers(i, err);
    i->jobs->work_name = NULL;
    if (r < 0)
        return r;
    snprintf(i->name, sizeof i->name, "tar-%s", i->jobs->diff_id.hex);
    return finish(i, err);
}

/* What opens a layer of a layout. */
struct oci_context {
    const struct oci_layout *layout;
    const struct oci_image *image;
};

static int open_oci(void *context, const struct layer_job *job, struct blob *ret_blob,
                    struct err *err) {
    const struct oci_context *c = context;
    const struct descriptor *d = &c->image->manifest.list.items[job->number - 1];

    return oci_layout_blob(c->layout, &d->digest, d->size, ret_blob, err);
}

static int import_oci(struct importing *i, const struct oci_layout *layout, struct err *err) {
    struct oci_image image = OCI_IMAGE_INIT;
    struct oci_context context = {.layout = layout, .image = &image};
    int r = oci_layout_image(layout, i->ref->selector, &image, err);

    if (r < 0)
        return r;
    r = make_jobs(i, image.manifest.list.n, err);
    for (size_t k = 0; r == 0 && k < i->n_jobs; k++) {
        i->jobs[k].open = open_oci;
        i->jobs[k].context = &context;
        i->jobs[k].blob_digest = image.manifest.list.items[k].digest;
        i->jobs[k].blob_bytes = image.manifest.list.items[k].size;
        i->jobs[k].diff_id = image.description.diff_ids[k];
    }
    snprintf(i->name, sizeof i->name, "%s", image.manifest.config.digest.hex);
    if (r == 0) {
        take_config(i, &image.description);
        r = import_layers(i, err);
    }
    oci_image_done(&image);
    return r < 0 ? r : finish(i, err);
}

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

static const struct docker_image *choose_docker(const struct docker_manifest *manifest,
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

static int import_docker_image(struct importing *i, const struct archive_members *members,
                               const struct docker_image *image, struct err *err) {
    struct image_description description = IMAGE_DESCRIPTION_INIT;
    struct docker_context context = {.members = members, .image = image};
    _cleanup_free_ char *text = NULL;
    struct digest id;
    size_t size;
    int r = read_member(members, image->config, &text, &size, err);

    if (r < 0)
        return r;
    r = manifest_parse_config(text, size, &description, err);
    if (r < 0) {
        err_wrap(err, "configuration");
        return r;
    }
    r = digest_bytes(DIGEST_SHA256, text, size, &id, err);
    if (r == 0 && description.n_diff_ids != image->layers.n)
        r = err_set(err, -EBADMSG, "its configuration names %zu layers, manifest.json %zu",
                    description.n_diff_ids, image->layers.n);
    if (r == 0)
        r = make_jobs(i, image->layers.n, err);
    for (size_t k = 0; r == 0 && k < i->n_jobs; k++) {
        i->jobs[k].open = open_docker;
        i->jobs[k].context = &context;
        i->jobs[k].diff_id = description.diff_ids[k];
    }
    snprintf(i->name, sizeof i->name, "%s", id.hex);
    if (r == 0) {
        take_config(i, &description);
        r = import_layers(i, err);
    }
    image_description_done(&description);
    return r < 0 ? r : finish(i, err);
}

static int import_docker(struct importing *i, const struct archive_members *members,
                         struct err *err) {
    struct docker_manifest manifest = {0};
    _cleanup_free_ char *text = NULL;
    const struct docker_image *image;
    size_t size;
    int r = read_member(members, "manifest.json", &text, &size, err);

    if (r == -ENOENT)
        return err_set(err, r,
                       "no docker-archive: there is no manifest.json in it; for a root file "
                       "system write tar:%s",
                       i->ref->path);
    if (r == 0)
        r = manifest_parse_docker(text, size, &manifest, err);
    if (r < 0)
        return r;
    image = choose_docker(&manifest, i->ref->selector, err);
    r = image ? import_docker_image(i, members, image, err) : err ? err->code : -ENOENT;
    docker_manifest_done(&manifest);
    return r;
}

static int import_file(struct importing *i, struct err *err) {
    _cleanup_close_ int fd = open(i->ref->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct oci_layout layout = OCI_LAYOUT_INIT;
    int r;

    if (fd < 0 || fstat(fd, &i->st) < 0)
        return err_errno(err, "cannot open it");
    if (!S_ISREG(i->st.st_mode))
        return err_set(err, -EINVAL, "it is no file");
    image_index_key(i->ref, &i->st, i->key);
    if (i->ref->kind == REF_TAR || i->ref->kind == REF_PATH)
        return import_tar(i, fd, err);
    r = archive_members_open(&layout.members, i->store, take_fd(fd), err);
    if (r < 0)
        return r;
    r = i->ref->kind == REF_OCI_ARCHIVE ? import_oci(i, &layout, err)
                                        : import_docker(i, &layout.members, err);
    oci_layout_done(&layout);
    return r;
}

static int import_layout(struct importing *i, struct err *err) {
    struct oci_layout layout = OCI_LAYOUT_INIT;
    int r = image_source_stat(i->ref, &i->st, err);

    if (r < 0)
        return r;
    image_index_key(i->ref, &i->st, i->key);
    layout.dir_fd = open(i->ref->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (layout.dir_fd < 0)
        return err_errno(err, "cannot open it");
    r = import_oci(i, &layout, err);
    oci_layout_done(&layout);
    return r;
}

static int import(struct importing *i, struct err *err) {
    switch (i->ref->kind) {
    case REF_TAR:
    case REF_PATH:
    case REF_OCI_ARCHIVE:
    case REF_DOCKER_ARCHIVE:
        return import_file(i, err);
    case REF_OCI:
        return import_layout(i, err);
    case REF_NAME:
    case REF_URL:
        return image_source_name_error(i->ref, err);
    default:
        return err_set(err, -EINVAL, "it is used as it is, and not imported");
    }
}

int image_import(const struct store *store, const char *reference, const struct log *log,
                 struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    struct importing i = {.store = store, .log = log, .ref = &ref};
    struct image left;
    int r = ref_parse(reference, &ref, err);

    if (r < 0)
        return r;
    i.began_nsec = image_index_now();
    r = import(&i, err);
    free(i.jobs);
    left = (struct image){.config = i.config};
    image_done(&left);
    if (r < 0)
        err_wrap(err, "image %s", reference);
    return r;
}
