/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an image consists of on its way out: layers as uncompressed tars, whose
 * digests are therefore the diff IDs, and the configuration word for word.  Only
 * a layer that cannot be made again as it came (a file in it replaced another)
 * has another digest, and then the configuration has to name that one.
 */
#include "engine/base/cleanup.h"
#include "engine/base/json_writer.h"
#include "image_commit.h"
#include "image_document.h"
#include "image_save.h"
#include "manifest.h"
#include "platform.h"

#include <stdio.h>

void saved_image_done(struct saved_image *saved) {
    image_done(&saved->image);
    free(saved->layers);
    free(saved->document);
    *saved = SAVED_IMAGE_INIT;
}

static int open_layers(struct saved_image *saved, const struct store *store, struct err *err) {
    const struct strv *hidden = &saved->image.hidden, *layers = &saved->image.layers;

    saved->layers = calloc(hidden->n + layers->n, sizeof *saved->layers);
    if (!saved->layers)
        return err_nomem(err);
    for (size_t i = 0; i < hidden->n + layers->n; i++) {
        struct saved_layer *layer = &saved->layers[i];
        int r;

        layer->name =
            str_after(i < hidden->n ? hidden->items[i] : layers->items[i - hidden->n], "layers/");
        r = layer_describe(store, layer->name, &layer->diff, &layer->bytes, err);
        if (r < 0)
            return r;
        saved->n_layers++;
    }
    return 0;
}

/* Whether a configuration names these very layers. */
static bool names_layers(const struct saved_image *saved, const char *text) {
    struct image_description description = IMAGE_DESCRIPTION_INIT;
    bool same = manifest_parse_config(text, strlen(text), &description, NULL) == 0 &&
                description.n_diff_ids == saved->n_layers;

    for (size_t i = 0; same && i < saved->n_layers; i++)
        same = digest_eq(&description.diff_ids[i], &saved->layers[i].diff);
    image_description_done(&description);
    return same;
}

static int make_document(struct saved_image *saved, const char *before, struct err *err) {
    _cleanup_free_ struct digest *diff_ids = calloc(saved->n_layers, sizeof *diff_ids);
    struct platform host;
    struct image_change change = {
        .config = before ? NULL : &saved->image.config,
        .created = saved->image.created,
        .architecture = saved->image.architecture,
        .diff_ids = diff_ids,
        .n_diff_ids = saved->n_layers,
    };

    if (!diff_ids)
        return err_nomem(err);
    platform_host(&host);
    if (!change.architecture)
        change.architecture = host.architecture;
    for (size_t i = 0; i < saved->n_layers; i++)
        diff_ids[i] = saved->layers[i].diff;
    return image_document_change(before, &change, &saved->document, err);
}

static int open_document(struct saved_image *saved, const struct store *store, struct err *err) {
    _cleanup_free_ char *text = NULL;
    int r = image_document_read(store, saved->image.id, &text, NULL, err);

    if (r < 0 && r != -ENOENT)
        return r;
    if (text && names_layers(saved, text))
        saved->document = take_ptr(text);
    else
        r = make_document(saved, text, err);
    if (!saved->document)
        return r;
    return digest_bytes(DIGEST_SHA256, saved->document, strlen(saved->document), &saved->id, err);
}

int saved_image_open(struct saved_image *ret_saved, const struct store *store,
                     const char *reference, struct err *err) {
    _cleanup_saved_image_ struct saved_image saved = SAVED_IMAGE_INIT;
    int r = image_find(&saved.image, store, reference, err);

    if (r < 0)
        return r;
    if (r == IMAGE_MISSING)
        return err_set(err, -ENOENT, "image %s: there is none of that name in the store",
                       reference);
    if (!saved.image.in_store)
        return err_set(err, -EINVAL,
                       "image %s: it is a directory, and not in the store; import it first: "
                       "tar -C DIR -c . | mayfly import - NAME",
                       reference);
    r = open_layers(&saved, store, err);
    if (r == 0)
        r = open_document(&saved, store, err);
    if (r < 0) {
        err_wrap(err, "image %s", reference);
        return r;
    }
    *ret_saved = saved;
    saved = SAVED_IMAGE_INIT;
    return 0;
}

static void put_descriptor(struct json_writer *json, const char *type, const struct digest *digest,
                           uint64_t bytes) {
    char text[DIGEST_TEXT_BYTES];

    json_writer_open_object(json);
    json_writer_key(json, "mediaType");
    json_writer_string(json, type);
    json_writer_key(json, "digest");
    json_writer_string(json, digest_format(digest, text));
    json_writer_key(json, "size");
    json_writer_i64(json, (int64_t)bytes);
    json_writer_close_object(json);
}

char *saved_image_manifest(const struct saved_image *saved) {
    struct json_writer json = JSON_WRITER_INIT;
    char *text;

    json_writer_open_object(&json);
    json_writer_key(&json, "schemaVersion");
    json_writer_i64(&json, 2);
    json_writer_key(&json, "mediaType");
    json_writer_string(&json, SAVED_IMAGE_TYPE);
    json_writer_key(&json, "config");
    put_descriptor(&json, "application/vnd.oci.image.config.v1+json", &saved->id,
                   strlen(saved->document));
    json_writer_key(&json, "layers");
    json_writer_open_array(&json);
    for (size_t i = 0; i < saved->n_layers; i++) {
        const struct saved_layer *layer = &saved->layers[i];

        if (digest_is_set(&layer->gzip))
            put_descriptor(&json, SAVED_LAYER_TYPE "+gzip", &layer->gzip, layer->gzip_bytes);
        else
            put_descriptor(&json, SAVED_LAYER_TYPE, &layer->diff, layer->bytes);
    }
    json_writer_close_array(&json);
    json_writer_close_object(&json);
    text = buf_take(&json.buf);
    json_writer_done(&json);
    return text;
}
