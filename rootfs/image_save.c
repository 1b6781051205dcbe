/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images as an archive, in one pass, so that a pipe will do: all sizes are
 * known before.  Layers that several images share are in it once.  No time and
 * no owner of this machine is in it.
 */
#include "image_save.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/json_writer.h"
#include "layer_tar.h"
#include "ref.h"
#include "tar_header.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>

enum { PART_BYTES = 256 << 10 };

/* An archive that is being written; @done are the names of the files in it. */
struct archive_out {
    const struct store *store;
    enum image_format format;
    int fd;
    struct saved_image *images;
    size_t n_images;
    const struct strv *references;
    struct strv done;
    char part[PART_BYTES];
};

static int write_all(const struct archive_out *out, const void *data, size_t size,
                     struct err *err) {
    int r = fd_write_all(out->fd, data, size);

    return r < 0 ? err_set(err, r, "cannot write the archive: %s", strerror(-r)) : 0;
}

/* Tools that unpack it without privilege want to see directories before what is in them. */
static int put_directories(const struct archive_out *out, struct err *err) {
    static const char *const paths[] = {"blobs/", "blobs/sha256/"};
    _cleanup_buf_ struct buf buf = BUF_INIT;

    for (size_t i = 0; i < N_ELEMENTS(paths); i++)
        tar_header_encode(&(const struct tar_header){.path = paths[i], .type = '5', .mode = 0755},
                          &buf);
    return buf_failed(&buf) ? err_nomem(err) : write_all(out, buf.data, buf.size, err);
}

/* Begins with a file of the archive; 1 when it is in it already. */
static int begin_file(struct archive_out *out, const char *path, uint64_t size, struct err *err) {
    const struct tar_header header = {.path = path, .type = '0', .mode = 0444, .size = size};
    _cleanup_buf_ struct buf buf = BUF_INIT;

    for (size_t i = 0; i < out->done.n; i++)
        if (str_eq(out->done.items[i], path))
            return 1;
    tar_header_encode(&header, &buf);
    if (buf_failed(&buf) || strv_push(&out->done, path) < 0)
        return err_nomem(err);
    return write_all(out, buf.data, buf.size, err);
}

static int end_file(struct archive_out *out, uint64_t size, struct err *err) {
    _cleanup_buf_ struct buf buf = BUF_INIT;

    tar_header_pad(&buf, size);
    if (buf_failed(&buf))
        return err_nomem(err);
    return buf.size ? write_all(out, buf.data, buf.size, err) : 0;
}

static int put_text(struct archive_out *out, const char *path, const char *text, struct err *err) {
    size_t size = strlen(text);
    int r = begin_file(out, path, size, err);

    if (r == 0)
        r = write_all(out, text, size, err);
    if (r == 0)
        r = end_file(out, size, err);
    return r < 0 ? r : 0;
}

static void blob_path(const struct archive_out *out, const struct digest *digest,
                      const char *suffix, char path[256]) {
    if (out->format == IMAGE_FORMAT_DOCKER)
        snprintf(path, 256, "%s%s", digest->hex, suffix);
    else
        snprintf(path, 256, "blobs/%s/%s", digest->algorithm == DIGEST_SHA512 ? "sha512" : "sha256",
                 digest->hex);
}

static int copy_layer(struct archive_out *out, const struct saved_layer *layer,
                      struct layer_tar *tar, struct err *err) {
    _cleanup_digest_stream_ struct digest_stream stream = DIGEST_STREAM_INIT;
    struct digest digest;
    uint64_t size = 0;
    ssize_t n;
    int r = digest_stream_init(&stream, layer->diff.algorithm, err);

    while (r == 0 && (n = layer_tar_read(tar, out->part, PART_BYTES, err)) != 0) {
        if (n < 0)
            return (int)n;
        digest_stream_update(&stream, out->part, (size_t)n);
        size += (uint64_t)n;
        r = write_all(out, out->part, (size_t)n, err);
    }
    if (r < 0)
        return r;
    digest_stream_final(&stream, &digest);
    if (size != layer->bytes || !digest_eq(&digest, &layer->diff))
        return err_set(err, -EBADMSG, "it is damaged; 'mayfly doctor --store' tells more");
    return end_file(out, size, err);
}

static int put_layer(struct archive_out *out, const struct saved_layer *layer, struct err *err) {
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    char path[256];
    int r;

    blob_path(out, &layer->diff, ".tar", path);
    r = begin_file(out, path, layer->bytes, err);
    if (r != 0)
        return r < 0 ? r : 0;
    r = layer_tar_open(&tar, out->store, layer->name, err);
    if (r == 0)
        r = copy_layer(out, layer, &tar, err);
    if (r < 0)
        err_wrap(err, "layer %.12s", layer->name);
    return r;
}

/* The name under which an image was asked for, in full, to free(3); NULL when it was no name. */
static char *name_of(const char *reference, const struct image *image) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    const char *digits = str_after(reference, "sha256:");

    if (ref_parse(reference, &ref, NULL) < 0 || ref.kind != REF_NAME || ref.digest ||
        str_after(image->id, digits ? digits : reference))
        return NULL;
    return ref_format(&ref);
}

/* --- the lists at the end ------------------------------------------------------ */

/* Spec: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format". */
static void put_docker_image(struct archive_out *out, struct json_writer *json, size_t i) {
    const struct saved_image *saved = &out->images[i];
    char path[256];

    json_writer_open_object(json);
    json_writer_key(json, "Config");
    blob_path(out, &saved->id, ".json", path);
    json_writer_string(json, path);
    json_writer_key(json, "RepoTags");
    json_writer_open_array(json);
    /* One image under several names is there once, with all of them. */
    for (size_t k = i; k < out->n_images; k++) {
        _cleanup_free_ char *name = NULL;

        if (!digest_eq(&out->images[k].id, &saved->id))
            continue;
        name = name_of(out->references->items[k], &out->images[k].image);
        if (name)
            json_writer_string(json, name);
    }
    json_writer_close_array(json);
    json_writer_key(json, "Layers");
    json_writer_open_array(json);
    for (size_t k = 0; k < saved->n_layers; k++) {
        blob_path(out, &saved->layers[k].diff, ".tar", path);
        json_writer_string(json, path);
    }
    json_writer_close_array(json);
    json_writer_close_object(json);
}

static bool was_before(const struct archive_out *out, size_t i) {
    for (size_t k = 0; k < i; k++)
        if (digest_eq(&out->images[k].id, &out->images[i].id))
            return true;
    return false;
}

static int put_docker_list(struct archive_out *out, struct err *err) {
    struct json_writer json = JSON_WRITER_INIT;
    int r;

    json_writer_open_array(&json);
    for (size_t i = 0; i < out->n_images; i++)
        if (!was_before(out, i))
            put_docker_image(out, &json, i);
    json_writer_close_array(&json);
    r = buf_failed(&json.buf) ? err_nomem(err) : put_text(out, "manifest.json", json.buf.data, err);
    json_writer_done(&json);
    return r;
}

static int put_oci_entry(struct archive_out *out, struct json_writer *json, size_t i,
                         struct err *err) {
    const struct saved_image *saved = &out->images[i];
    _cleanup_free_ char *manifest = saved_image_manifest(saved);
    _cleanup_free_ char *name = name_of(out->references->items[i], &saved->image);
    char path[256], text[DIGEST_TEXT_BYTES];
    struct digest digest;
    int r = manifest ? digest_bytes(DIGEST_SHA256, manifest, strlen(manifest), &digest, err)
                     : err_nomem(err);

    if (r < 0)
        return r;
    blob_path(out, &digest, "", path);
    json_writer_open_object(json);
    json_writer_key(json, "mediaType");
    json_writer_string(json, SAVED_IMAGE_TYPE);
    json_writer_key(json, "digest");
    json_writer_string(json, digest_format(&digest, text));
    json_writer_key(json, "size");
    json_writer_i64(json, (int64_t)strlen(manifest));
    if (name) {
        json_writer_key(json, "annotations");
        json_writer_open_object(json);
        json_writer_key(json, "org.opencontainers.image.ref.name");
        json_writer_string(json, name);
        json_writer_close_object(json);
    }
    json_writer_close_object(json);
    return put_text(out, path, manifest, err);
}

/* Spec: OCI image-spec, image-layout.md. */
static int put_oci_list(struct archive_out *out, struct err *err) {
    struct json_writer json = JSON_WRITER_INIT;
    int r = put_text(out, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", err);

    json_writer_open_object(&json);
    json_writer_key(&json, "schemaVersion");
    json_writer_i64(&json, 2);
    json_writer_key(&json, "manifests");
    json_writer_open_array(&json);
    for (size_t i = 0; r == 0 && i < out->n_images; i++)
        r = put_oci_entry(out, &json, i, err);
    json_writer_close_array(&json);
    json_writer_close_object(&json);
    if (r == 0)
        r = buf_failed(&json.buf) ? err_nomem(err)
                                  : put_text(out, "index.json", json.buf.data, err);
    json_writer_done(&json);
    return r;
}

/* --- all of it ------------------------------------------------------------------ */

static int put_image(struct archive_out *out, const struct saved_image *saved, struct err *err) {
    char path[256];
    int r = 0;

    for (size_t i = 0; r == 0 && i < saved->n_layers; i++)
        r = put_layer(out, &saved->layers[i], err);
    blob_path(out, &saved->id, ".json", path);
    return r < 0 ? r : put_text(out, path, saved->document, err);
}

static int save(struct archive_out *out, struct err *err) {
    _cleanup_close_ int lock_fd = -1;
    _cleanup_buf_ struct buf end = BUF_INIT;
    int r = store_lock_images(out->store, LOCK_SH, &lock_fd, err);

    for (size_t i = 0; r == 0 && i < out->references->n; i++) {
        r = saved_image_open(&out->images[i], out->store, out->references->items[i], err);
        out->n_images += r == 0;
    }
    if (r == 0 && out->format == IMAGE_FORMAT_OCI)
        r = put_directories(out, err);
    for (size_t i = 0; r == 0 && i < out->n_images; i++) {
        r = put_image(out, &out->images[i], err);
        if (r < 0)
            err_wrap(err, "image %s", out->references->items[i]);
    }
    if (r == 0)
        r = out->format == IMAGE_FORMAT_DOCKER ? put_docker_list(out, err) : put_oci_list(out, err);
    if (r < 0)
        return r;
    tar_header_end(&end);
    return buf_failed(&end) ? err_nomem(err) : write_all(out, end.data, end.size, err);
}

int image_save(const struct store *store, const struct strv *references, enum image_format format,
               int fd, struct err *err) {
    struct archive_out *out = calloc(1, sizeof *out);
    int r = -ENOMEM;

    if (!out)
        return err_nomem(err);
    out->store = store;
    out->format = format;
    out->fd = fd;
    out->references = references;
    out->images = calloc(references->n + 1, sizeof *out->images);
    r = out->images ? save(out, err) : err_nomem(err);
    for (size_t i = 0; i < out->n_images; i++)
        saved_image_done(&out->images[i]);
    free(out->images);
    strv_done(&out->done);
    free(out);
    return r;
}
