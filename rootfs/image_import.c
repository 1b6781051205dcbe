/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image that the store does not have, from wherever its reference leads:
 * what it consists of is read, image_install.c brings it in, and at last the
 * index learns under what it is to be found.
 */
#include "archive_members.h"
#include "docker_archive.h"
#include "engine/base/cleanup.h"
#include "image.h"
#include "image_install.h"
#include "image_source.h"
#include "oci_layout.h"
#include "ref.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* An import of something that the index knows by its stat data. */
struct import {
    const struct ref *ref;
    struct stat st; /* of what is read, when reading began */
    uint64_t began_nsec;
    char key[IMAGE_INDEX_KEY_BYTES];
    struct install install;
};

/* Makes the image known by its archive. */
static int remember(struct import *i, struct err *err) {
    char target[IMAGE_INDEX_TARGET_BYTES];
    struct stat now;
    int r;

    if (ref_is_stdin(i->ref)) {
        image_index_target_now(i->install.id, target);
        return image_index_save(i->install.store, i->key, target, err);
    }
    r = image_source_stat(i->ref, &now, err);
    if (r < 0)
        return r;
    if (now.st_ino != i->st.st_ino || now.st_size != i->st.st_size ||
        now.st_ctim.tv_sec != i->st.st_ctim.tv_sec || now.st_ctim.tv_nsec != i->st.st_ctim.tv_nsec)
        return err_set(err, -EAGAIN, "it changed while it was read; try again");
    image_index_target(i->install.id, &i->st, i->began_nsec, target);
    return image_index_save(i->install.store, i->key, target, err);
}

static int open_tar(void *context, const struct layer_job *job, struct blob *ret_blob,
                    struct err *err) {
    const struct blob *blob = context;
    int fd = fcntl(blob->fd, F_DUPFD_CLOEXEC, 3);

    (void)job;
    if (fd < 0)
        return err_errno(err, "cannot open it");
    *ret_blob = *blob;
    ret_blob->fd = fd;
    return 0;
}

static int import_tar(struct import *i, const struct blob *blob, struct err *err) {
    char work_name[IMAGE_INDEX_KEY_BYTES + 4];
    struct install *install = &i->install;
    int r = install_begin(install, 1, NULL, NULL, err);

    if (r < 0)
        return r;
    snprintf(work_name, sizeof work_name, "tar-%s", i->key);
    install->jobs->number = 0;
    install->jobs->open = open_tar;
    install->jobs->context = (void *)blob;
    install->jobs->work_name = work_name;
    r = install_layers(install, err);
    if (r < 0)
        return r;
    snprintf(install->id, sizeof install->id, "tar-%s", install->jobs->diff_id.hex);
    return install_record(install, err);
}

static int import_stdin(struct import *i, struct err *err) {
    const struct blob blob = {.fd = STDIN_FILENO, .end = BLOB_TO_THE_END, .is_stream = 1};

    if (fstat(STDIN_FILENO, &i->st) < 0)
        return err_errno(err, "cannot look at standard input");
    image_index_stdin_key(i->install.store, &i->st, i->key);
    return import_tar(i, &blob, err);
}

static int import_docker(struct import *i, const struct archive_members *members, struct err *err) {
    struct docker_manifest manifest = {0};
    const struct docker_image *image;
    int r = docker_archive_read(members, &manifest, err);

    if (r == -ENOENT)
        return err_set(err, r,
                       "no docker-archive: there is no manifest.json in it; for a root file "
                       "system write tar:%s",
                       i->ref->path);
    if (r < 0)
        return r;
    image = docker_archive_choose(&manifest, i->ref->selector, err);
    r = image ? docker_archive_install(members, image, &i->install, err)
        : err ? err->code
              : -ENOENT;
    docker_manifest_done(&manifest);
    return r;
}

static int import_file(struct import *i, struct err *err) {
    _cleanup_close_ int fd = open(i->ref->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct oci_layout layout = OCI_LAYOUT_INIT;
    struct blob blob = {.fd = fd, .end = BLOB_TO_THE_END};
    int r;

    if (fd < 0 || fstat(fd, &i->st) < 0)
        return err_errno(err, "cannot open it");
    if (!S_ISREG(i->st.st_mode))
        return err_set(err, -EINVAL, "it is no file");
    image_index_key(i->ref, &i->st, i->key);
    if (i->ref->kind == REF_TAR || i->ref->kind == REF_PATH)
        return import_tar(i, &blob, err);
    r = archive_members_open(&layout.members, i->install.store, take_fd(fd), err);
    if (r < 0)
        return r;
    r = i->ref->kind == REF_OCI_ARCHIVE
            ? oci_layout_install(&layout, i->ref->selector, &i->install, err)
            : import_docker(i, &layout.members, err);
    oci_layout_done(&layout);
    return r;
}

static int import_layout(struct import *i, struct err *err) {
    struct oci_layout layout = OCI_LAYOUT_INIT;
    int r = image_source_stat(i->ref, &i->st, err);

    if (r < 0)
        return r;
    image_index_key(i->ref, &i->st, i->key);
    layout.dir_fd = open(i->ref->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (layout.dir_fd < 0)
        return err_errno(err, "cannot open it");
    r = oci_layout_install(&layout, i->ref->selector, &i->install, err);
    oci_layout_done(&layout);
    return r;
}

static int import(struct import *i, struct err *err) {
    /* A pull does it by itself, once it has asked for passwords. */
    int r = ref_kind_is_remote(i->ref->kind) ? 0 : store_confine(i->install.store, err);

    if (r < 0)
        return r;
    switch (i->ref->kind) {
    case REF_TAR:
    case REF_PATH:
    case REF_OCI_ARCHIVE:
    case REF_DOCKER_ARCHIVE:
        r = ref_is_stdin(i->ref) ? import_stdin(i, err) : import_file(i, err);
        break;
    case REF_OCI:
        r = import_layout(i, err);
        break;
    case REF_NAME:
    case REF_URL:
        return image_pull_ref(i->install.store, i->ref, i->install.log, err);
    default:
        return err_set(err, -EINVAL, "it is used as it is, and not imported");
    }
    return r < 0 ? r : remember(i, err);
}

int image_import(const struct store *store, const char *reference, const struct log *log,
                 struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    struct import i = {.ref = &ref, .install = INSTALL_INIT(store, log)};
    int r = ref_parse(reference, &ref, err);

    if (r < 0)
        return r;
    i.began_nsec = image_index_now();
    r = import(&i, err);
    install_done(&i.install);
    if (r < 0)
        err_wrap(err, "image %s", reference);
    return r;
}
