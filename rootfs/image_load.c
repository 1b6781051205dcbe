/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All images of an archive, under the names that they have there.  An OCI
 * archive's names are annotations that are meant as tags by some tools and as
 * whole names by others: what has neither a colon nor a slash in it is a tag
 * of nothing, and names no image here.
 */
#include "archive_members.h"
#include "docker_archive.h"
#include "engine/base/cleanup.h"
#include "image_index.h"
#include "image_install.h"
#include "image_source.h"
#include "image_store.h"
#include "oci_layout.h"
#include "ref.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Makes an image known under a name, if it is one; whether it is. */
static int add_name(const struct install *install, const char *name, struct strv *ret_names,
                    struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    char key[IMAGE_INDEX_KEY_BYTES];
    int r;

    if (ref_parse(name, &ref, NULL) < 0 || ref.kind != REF_NAME || ref.digest)
        return 0;
    r = image_index_name_key(&ref, key, err);
    if (r == 0)
        r = image_index_save(install->store, key, install->id, err);
    if (r == 0 && strv_push_take(ret_names, ref_format(&ref)) < 0)
        r = err_nomem(err);
    return r < 0 ? r : 1;
}

/* Tells an image without a name by its id; it stays as long as nobody prunes. */
static int add_id(const struct install *install, struct strv *ret_names, struct err *err) {
    return strv_push(ret_names, install->id) < 0 ? err_nomem(err) : 0;
}

static int load_docker(const struct store *store, const struct archive_members *members,
                       const struct log *log, struct strv *ret_names, struct err *err) {
    struct docker_manifest manifest = {0};
    int r = docker_archive_read(members, &manifest, err);

    for (size_t i = 0; r >= 0 && i < manifest.n; i++) {
        struct install install = INSTALL_INIT(store, log);
        int n_names = 0;

        r = docker_archive_install(members, &manifest.images[i], &install, err);
        for (size_t k = 0; r >= 0 && k < manifest.images[i].repo_tags.n; k++) {
            r = add_name(&install, manifest.images[i].repo_tags.items[k], ret_names, err);
            n_names += r == 1;
        }
        if (r >= 0 && n_names == 0)
            r = add_id(&install, ret_names, err);
        install_done(&install);
    }
    docker_manifest_done(&manifest);
    return r < 0 ? r : 0;
}

static int load_oci_image(const struct store *store, const struct oci_layout *layout,
                          const char *tag, const struct log *log, struct strv *ret_names,
                          struct err *err) {
    struct install install = INSTALL_INIT(store, log);
    int r = oci_layout_install(layout, tag, &install, err);

    if (r == 0 && tag && (strchr(tag, ':') || strchr(tag, '/')))
        r = add_name(&install, tag, ret_names, err);
    if (r == 0)
        r = add_id(&install, ret_names, err);
    install_done(&install);
    return r < 0 ? r : 0;
}

static int load_oci(const struct store *store, const struct oci_layout *layout,
                    const struct log *log, struct strv *ret_names, struct err *err) {
    _cleanup_strv_ struct strv tags = {0};
    int r = oci_layout_tags(layout, &tags, err);

    if (r == 0 && tags.n == 0)
        r = load_oci_image(store, layout, NULL, log, ret_names, err);
    for (size_t i = 0; r == 0 && i < tags.n; i++)
        r = load_oci_image(store, layout, tags.items[i], log, ret_names, err);
    return r;
}

static int load_archive(const struct store *store, int fd, const struct log *log,
                        struct strv *ret_names, struct err *err) {
    struct oci_layout layout = OCI_LAYOUT_INIT;
    struct blob probe = BLOB_INIT;
    int r = archive_members_open(&layout.members, store, fd, err);

    if (r < 0)
        return r;
    if (archive_members_blob(&layout.members, "manifest.json", &probe, NULL) == 0)
        r = load_docker(store, &layout.members, log, ret_names, err);
    else if (archive_members_blob(&layout.members, "index.json", &probe, NULL) == 0)
        r = load_oci(store, &layout, log, ret_names, err);
    else
        r = err_set(err, -EINVAL,
                    "no image archive: there is no manifest.json and no index.json in it; a root "
                    "file system is imported as tar:PATH");
    blob_done(&probe);
    oci_layout_done(&layout);
    return r;
}

static int load(const struct store *store, const char *path, const struct log *log,
                struct strv *ret_names, struct err *err) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct oci_layout layout = OCI_LAYOUT_INIT;
    struct stat st;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "cannot open it");
    if (S_ISREG(st.st_mode))
        return load_archive(store, take_fd(fd), log, ret_names, err);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, -EINVAL, "it is neither a file nor a directory");
    layout.dir_fd = take_fd(fd);
    r = load_oci(store, &layout, log, ret_names, err);
    oci_layout_done(&layout);
    return r;
}

int image_load(const struct store *store, const char *path, const struct log *log,
               struct strv *ret_names, struct err *err) {
    int r = store_confine(store, err);

    if (r < 0)
        return r;
    r = load(store, path, log, ret_names, err);
    if (r < 0)
        err_wrap(err, "%s", path);
    return r;
}

int image_pull(const struct store *store, const char *reference, const struct log *log,
               struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    int r = ref_parse(reference, &ref, err);

    if (r < 0)
        return r;
    if (ref_kind_is_remote(ref.kind))
        r = image_pull_ref(store, &ref, log, err);
    else
        r = err_set(err, -EINVAL, "it is here; only names and addresses are pulled");
    if (r < 0)
        err_wrap(err, "image %s", reference);
    return r;
}
