/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of every import, wherever the image came from: layers, then the
 * record that makes of them an image.  Each is durable before the next, so
 * that what can be found is whole.  References to the image (a name, an
 * archive) are the caller's to add, after.
 */
#include "image_install.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "image_document.h"
#include "record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/xattr.h>

/* What was asked for has to be it; of this machine's own a warning will do. */
static int check_platform(const struct install *install, const struct platform *platform,
                          struct err *err) {
    struct platform host, wanted;

    platform_wanted(install->store, &wanted);
    if (install->store->platform && *platform->architecture &&
        platform_match(platform, &wanted) == 0)
        return err_set(err, -ENOENT, "it is made for %s/%s, and not for %s", platform->os,
                       platform->architecture, install->store->platform);
    platform_host(&host);
    if (*platform->architecture && platform_match(platform, &host) == 0)
        log_warning(install->log, "the image is made for %s/%s, this machine is %s/%s",
                    platform->os, platform->architecture, host.os, host.architecture);
    return 0;
}

/* Spec: OCI image-spec, config.md, "Layer ChainID". */
static int set_chain_id(struct layer_job *job, const struct layer_job *below, struct err *err) {
    const struct digest *under =
        digest_is_set(&below->chain_id) ? &below->chain_id : &below->diff_id;
    char a[DIGEST_TEXT_BYTES], b[DIGEST_TEXT_BYTES], text[2 * DIGEST_TEXT_BYTES];
    int n = snprintf(text, sizeof text, "%s %s", digest_format(under, a),
                     digest_format(&job->diff_id, b));

    return digest_bytes(DIGEST_SHA256, text, (size_t)n, &job->chain_id, err);
}

static int take_description(struct install *install, struct image_description *description,
                            struct err *err) {
    int r;

    if (description->n_diff_ids != install->n_jobs)
        return err_set(err, -EBADMSG, "its configuration names %zu layers, its manifest %zu",
                       description->n_diff_ids, install->n_jobs);
    for (size_t i = 0; i < install->n_jobs; i++)
        install->jobs[i].diff_id = description->diff_ids[i];
    for (size_t i = 1; i < install->n_jobs; i++) {
        r = set_chain_id(&install->jobs[i], &install->jobs[i - 1], err);

        if (r < 0)
            return r;
    }
    r = check_platform(install, &description->platform, err);
    if (r < 0)
        return r;
    install->image.config = description->config;
    description->config = (struct image_config){0};
    install->image.created = take_ptr(description->created);
    install->document = take_ptr(description->text);
    if (*description->platform.architecture) {
        install->image.architecture = strdup(description->platform.architecture);
        if (!install->image.architecture)
            return err_nomem(err);
    }
    return 0;
}

int install_begin(struct install *install, size_t n, const struct digest *config_digest,
                  struct image_description *description, struct err *err) {
    if (n == 0)
        return err_set(err, -EBADMSG, "it has no layers");
    install->jobs = calloc(n, sizeof *install->jobs);
    if (!install->jobs)
        return err_nomem(err);
    install->n_jobs = n;
    for (size_t i = 0; i < n; i++)
        install->jobs[i] = (struct layer_job){.number = i + 1, .blob_bytes = -1};
    if (config_digest)
        snprintf(install->id, sizeof install->id, "%s", config_digest->hex);
    return description ? take_description(install, description, err) : 0;
}

int install_layers(struct install *install, struct err *err) {
    /* Prune holds this lock alone while it looks for what nobody needs. */
    int r = store_lock_images(install->store, LOCK_SH, &install->lock_fd, err);

    if (r == 0)
        r = layers_import(install->store, install->jobs, install->n_jobs, install->log, err);
    for (size_t i = 0; r == 0 && i < install->n_jobs; i++) {
        char key[IMAGE_INDEX_KEY_BYTES], target[32];

        if (install->jobs[i].diff_bytes == 0)
            continue;
        snprintf(key, sizeof key, IMAGE_INDEX_SIZE_PREFIX "%s", install->jobs[i].name);
        snprintf(target, sizeof target, "%" PRIu64, install->jobs[i].diff_bytes);
        r = image_index_save(install->store, key, target, err);
    }
    return r;
}

/* Layers below one whose root is opaque are hidden by it, and overlayfs does not look there. */
static size_t lowest_visible(const struct install *install) {
    size_t i = install->n_jobs - 1;

    for (; i > 0; i--) {
        char path[64 + DIGEST_HEX_BYTES], value[2];

        snprintf(path, sizeof path, "/proc/self/fd/%d/layers/%s", install->store->fd,
                 install->jobs[i].name);
        if (getxattr(path, "user.overlay.opaque", value, sizeof value) == 1 && *value == 'y')
            break;
    }
    return i;
}

/* Whether the image is there with these very words; runs may hold locks on it. */
static bool is_recorded(const struct install *install, const struct buf *text) {
    _cleanup_free_ char *there = NULL;
    char path[16 + sizeof install->id];
    size_t size;

    snprintf(path, sizeof path, "images/%s", install->id);
    return fd_read_file(install->store->fd, path, RECORD_BYTES_MAX, &there, &size) == 0 &&
           size == text->size && memcmp(there, text->data, size) == 0;
}

/* Writes a file of @folder, durably. */
static int write_file(const struct install *install, const struct store_work *work,
                      const char *folder, const char *suffix, const char *text, size_t size,
                      struct err *err) {
    _cleanup_close_ int fd =
        openat(work->fd, folder, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char path[32 + sizeof install->id];
    int r;

    if (fd < 0)
        return store_errno(install->store, "cannot make a file in tmp", err);
    r = fd_write_all(fd, text, size);
    if (r < 0)
        errno = -r;
    if (r < 0 || fsync(fd) < 0)
        return store_errno(install->store, "cannot write an image's record", err);
    snprintf(path, sizeof path, "%s/%s%s", folder, install->id, suffix);
    r = store_replace(install->store, work, folder, path, err);
    return r < 0 ? r : store_sync_folder(install->store, folder, err);
}

/* The record last, as it makes the image one. */
static int write_record(const struct install *install, const struct store_work *work,
                        const struct buf *text, struct err *err) {
    int r = 0;

    if (install->document)
        r = write_file(install, work, "recipes", IMAGE_DOCUMENT_SUFFIX, install->document,
                       strlen(install->document), err);
    return r < 0 ? r : write_file(install, work, "images", "", text->data, text->size, err);
}

int install_record(struct install *install, struct err *err) {
    struct store_work work = STORE_WORK_INIT;
    _cleanup_buf_ struct buf text = BUF_INIT;
    size_t lowest;
    int r;

    lowest = lowest_visible(install);
    for (size_t i = 0; i < install->n_jobs; i++)
        if (strv_push(i < lowest ? &install->image.hidden : &install->image.layers,
                      install->jobs[i].name) < 0)
            return err_nomem(err);
    record_encode(&install->image, &text);
    if (buf_failed(&text))
        return err_nomem(err);
    if (is_recorded(install, &text))
        return 0;
    r = store_work_begin(install->store, install->id, &work, err);
    if (r == 0)
        r = write_record(install, &work, &text, err);
    store_work_end(install->store, &work);
    return r;
}

void install_done(struct install *install) {
    free(install->jobs);
    free(install->document);
    image_done(&install->image);
    if (install->lock_fd >= 0)
        close(install->lock_fd);
    *install = INSTALL_INIT(NULL, NULL);
}
