/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a reference to directories.  This half is on the way of every run: it
 * looks at the archive (stat), asks the index for the image's name (readlink)
 * and reads the image's record.  The other half, image_import.c, is needed
 * when that finds nothing.
 */
#include "image.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "image_source.h"
#include "platform.h"
#include "record.h"
#include "ref.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

void image_done(struct image *image) {
    struct image_config *c = &image->config;

    strv_done(&image->layers);
    strv_done(&image->hidden);
    strv_done(&c->env);
    strv_done(&c->entrypoint);
    strv_done(&c->cmd);
    strv_done(&c->volumes);
    strv_done(&c->exposed_ports);
    strv_done(&c->labels);
    free(c->working_dir);
    free(c->user);
    free(c->stop_signal);
    free(image->id);
    free(image->created);
    free(image->architecture);
    if (image->lock > 0)
        close(image->lock - 1);
    *image = IMAGE_INIT;
}

/* An image that is one directory of the host. */
static int use_directory(struct image *image, const char *path, struct err *err) {
    _cleanup_free_ char *current = NULL;
    char *absolute;

    if (*path == '/')
        absolute = strdup(path);
    else {
        current = getcwd(NULL, 0);
        absolute = current ? str_printf("%s/%s", current, path) : NULL;
    }
    if (strv_push_take(&image->layers, absolute) < 0)
        return err_nomem(err);
    image->in_store = false;
    return 0;
}

int image_source_stat(const struct ref *ref, struct stat *ret_st, struct err *err) {
    _cleanup_free_ char *index = NULL;
    const char *path = ref->path;

    if (ref->kind == REF_OCI) {
        index = str_printf("%s/index.json", path);
        if (!index)
            return err_nomem(err);
        path = index;
    }
    if (stat(path, ret_st) < 0) {
        if (errno == ENOENT && ref->kind == REF_OCI && access(ref->path, F_OK) == 0)
            return err_set(err, -ENOENT, "no image layout: there is no index.json in it");
        if (errno == ENOENT)
            return err_set(err, -ENOENT, "there is no such file or directory");
        return err_errno(err, "cannot look at it");
    }
    return 0;
}

/* What a file has to be for its kind of reference; 1 for a directory to be used as it is. */
static int check_type(const struct ref *ref, const struct stat *st, struct err *err) {
    bool may_be_dir = ref->kind == REF_ROOTFS || ref->kind == REF_PATH;
    bool may_be_file = ref->kind != REF_ROOTFS;

    if (S_ISDIR(st->st_mode) && may_be_dir)
        return 1;
    if (S_ISREG(st->st_mode) && may_be_file)
        return 0;
    if (S_ISDIR(st->st_mode))
        return err_set(err, -EISDIR,
                       "it is a directory; for an unpacked root file system write "
                       "rootfs:%s, for an image layout oci:%s",
                       ref->path, ref->path);
    if (S_ISREG(st->st_mode))
        return err_set(err, -ENOTDIR, "it is a file; for a tarball write tar:%s", ref->path);
    return err_set(err, -EINVAL, "it is neither a file nor a directory");
}

/*
 * Opens a record and locks it, so that it stays.  Until then it may be removed, or another import
 * of the image may put its own in its place.  Return: a descriptor, or -1 without one.
 */
static int open_record(const struct store *store, const char *id) {
    char path[16 + IMAGE_INDEX_TARGET_BYTES];

    snprintf(path, sizeof path, "images/%s", id);
    for (;;) {
        _cleanup_close_ int fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || flock(fd, LOCK_SH) < 0 || fstat(fd, &st) < 0)
            return -1;
        if (st.st_nlink > 0)
            return take_fd(fd);
    }
}

int image_read_record(struct image *image, const struct store *store, const char *id) {
    _cleanup_close_ int fd = open_record(store, id);
    _cleanup_free_ char *text = NULL;
    size_t size;
    int r;

    if (fd < 0)
        return IMAGE_MISSING;
    r = fd_read_all(fd, RECORD_BYTES_MAX, &text, &size);
    if (r == 0)
        r = record_decode(text, size, image);
    if (r == 0) {
        image->id = strdup(id);
        if (!image->id)
            r = -ENOMEM;
        image->lock = take_fd(fd) + 1;
    }
    /* A record that is gone or broken is made anew. */
    return r == -ENOMEM ? r : r < 0 ? IMAGE_MISSING : 0;
}

/* The key of what the index knows the image by; 1 for a directory that is used as it is. */
static int find_key(const struct store *store, const struct ref *ref,
                    char key[IMAGE_INDEX_KEY_BYTES], struct err *err) {
    struct stat st = {0};
    int r;

    if (ref->kind == REF_NAME)
        return image_index_name_key(ref, key, err);
    if (ref->kind == REF_URL) {
        image_index_url_key(ref, key);
        return 0;
    }
    if (ref_is_stdin(ref)) {
        if (fstat(STDIN_FILENO, &st) < 0)
            return err_errno(err, "cannot look at standard input");
        image_index_stdin_key(store, &st, key);
        return 0;
    }
    r = image_source_stat(ref, &st, err);
    if (r == 0)
        r = check_type(ref, &st, err);
    if (r == 0)
        image_index_key(ref, &st, key);
    return r;
}

/* Ids may be shortened to this many digits. */
enum { ID_DIGITS_MIN = 8 };

/* Whether @text is an image's id or enough of one's beginning. */
static bool is_id(const char *text, const char *id) {
    const char *digits = str_after(text, "sha256:");

    if (!digits)
        digits = text;
    return str_eq(digits, id) ||
           (strlen(digits) >= ID_DIGITS_MIN && strncmp(digits, id, strlen(digits)) == 0);
}

int image_find_id(const struct store *store, const char *text,
                  char ret_id[IMAGE_INDEX_TARGET_BYTES], struct err *err) {
    _cleanup_strv_ struct strv ids = {0};
    const char *found = NULL;
    int r = store_list(store, "images", &ids, err);

    for (size_t i = 0; r == 0 && i < ids.n; i++) {
        if (!is_id(text, ids.items[i]))
            continue;
        if (found)
            return err_set(err, -EINVAL, "several ids begin so; write more of it");
        found = ids.items[i];
    }
    if (found)
        snprintf(ret_id, IMAGE_INDEX_TARGET_BYTES, "%s", found);
    return r < 0 ? r : !found;
}

/* Whether it is what was asked for; an image that tells no platform is for all of them. */
static bool is_for_platform(const struct image *image, const struct store *store) {
    struct platform wanted;

    if (!store->platform || !image->architecture)
        return true;
    platform_wanted(store, &wanted);
    return str_eq(image->architecture, wanted.architecture);
}

static int find(struct image *image, const struct store *store, const char *reference,
                const struct ref *ref, struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES], id[IMAGE_INDEX_TARGET_BYTES];
    int r;

    if (ref->kind == REF_HOST)
        return use_directory(image, "/", err);
    r = find_key(store, ref, key, err);
    if (r < 0)
        return r;
    if (r == 1)
        return use_directory(image, ref->path, err);
    if (image_index_find(store, key, id) != 0) {
        /* What is no name of an image may be the id of one. */
        r = ref->kind == REF_NAME ? image_find_id(store, reference, id, err) : 1;
        if (r != 0)
            return r < 0 ? r : IMAGE_MISSING;
    }
    r = image_read_record(image, store, id);
    if (r == 0 && !is_for_platform(image, store))
        return IMAGE_MISSING;
    return r == -ENOMEM ? err_nomem(err) : r;
}

int image_find(struct image *image, const struct store *store, const char *reference,
               struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    struct image found = IMAGE_INIT;
    int r = ref_parse(reference, &ref, err);

    if (r < 0)
        return r;
    r = find(&found, store, reference, &ref, err);
    if (r == 0)
        *image = found;
    else
        image_done(&found);
    if (r < 0)
        err_wrap(err, "image %s", reference);
    return r;
}
