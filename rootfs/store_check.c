/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is everything that the store says it has what it was?  Layers are read whole,
 * since a power cut takes content and leaves names; what refers to a layer is
 * then as good as the layer.  Two stores of the same images differ in nothing
 * that is looked at here.
 */
#include "store_check.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "image.h"
#include "image_document.h"
#include "image_index.h"
#include "image_source.h"
#include "layer_check.h"
#include "layer_tar.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>

enum { PART_BYTES = 256 << 10 };

/* A check under way; @broken are the names of layers. */
struct check {
    const struct store *store;
    void (*emit)(void *context, const struct store_finding *finding);
    void *context;
    struct strv broken;
    struct strv layers;
    struct strv images;
    int n_broken;
    char part[PART_BYTES];
};

__attribute__((format(printf, 4, 5))) static void find(struct check *c, int level,
                                                       const char *topic, const char *format, ...) {
    struct store_finding finding = {.topic = topic};
    va_list args;

    finding.level = level;
    va_start(args, format);
    vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    c->n_broken += level == STORE_FINDING_BROKEN;
    c->emit(c->context, &finding);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list(const struct check *c, const char *folder, struct strv *ret_names,
                struct err *err) {
    int r = store_list(c->store, folder, ret_names, err);

    if (r == 0 && ret_names->n > 0)
        qsort(ret_names->items, ret_names->n, sizeof *ret_names->items, compare_names);
    return r;
}

/* A layer's tar on its way. */
struct reading {
    struct check *check;
    struct layer_tar *tar;
    struct digest_stream stream;
    uint64_t size;
    int failed; /* there is nothing to be read behind this */
};

static ssize_t read_part(void *context, const void **ret_data, struct err *err) {
    struct reading *reading = context;
    char *part = reading->check->part;
    ssize_t n = layer_tar_read(reading->tar, part, PART_BYTES, err);

    if (n > 0) {
        digest_stream_update(&reading->stream, part, (size_t)n);
        reading->size += (uint64_t)n;
    }
    if (n < 0)
        reading->failed = (int)n;
    *ret_data = part;
    return n;
}

static int read_rest(struct reading *reading, struct err *err) {
    const void *data;
    ssize_t n;

    do
        n = read_part(reading, &data, err);
    while (n > 0);
    return (int)n;
}

/* Reads a layer to its end.  Return: 0, or -errno with a text that says what is wrong with it. */
static int read_layer(struct check *c, struct layer_tar *tar, struct err *err) {
    struct reading reading = {.check = c, .tar = tar, .stream = DIGEST_STREAM_INIT};
    const struct unpack_source source = {.read = read_part, .context = &reading};
    struct err differs = {0};
    struct digest digest;
    int r = digest_stream_init(&reading.stream, tar->diff.algorithm, err), compared;

    if (r < 0)
        return r;
    compared = layer_check(&source, tar->tree_fd, c->store->owners, &differs);
    r = reading.failed < 0 || compared != -EBADMSG ? compared : 0;
    if (r < 0)
        *err = differs;
    else
        r = read_rest(&reading, err);
    digest_stream_final(&reading.stream, &digest);
    digest_stream_done(&reading.stream);
    if (r < 0)
        return r;
    if (reading.size != tar->size)
        return err_set(err, -EBADMSG, "its tar has %" PRIu64 " bytes where there were %" PRIu64,
                       reading.size, tar->size);
    if (!digest_eq(&digest, &tar->diff))
        return err_set(err, -EBADMSG,
                       "its content has changed (it gives %.12s..., %.12s... was recorded)",
                       digest.hex, tar->diff.hex);
    if (compared < 0)
        *err = differs;
    return compared;
}

/* What concerns the layer itself is a finding; whether the machine failed. */
static bool is_failure(int r) {
    return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

static int check_layer(struct check *c, const char *name, struct err *err) {
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    struct err own = {0};
    char path[16 + NAME_MAX];
    int r = layer_tar_open(&tar, c->store, name, &own);

    snprintf(path, sizeof path, "recipes/%s", name);
    if (r == -ENOENT && faccessat(c->store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
        find(c, STORE_FINDING_NOTE, "layer", "%s: %s", name, own.message);
        return 0;
    }
    if (r == 0)
        r = read_layer(c, &tar, &own);
    if (is_failure(r))
        return err_set(err, r, "layer %s: %s", name, own.message);
    if (r < 0) {
        find(c, STORE_FINDING_BROKEN, "layer", "%s: %s", name, own.message);
        return strv_push(&c->broken, name) < 0 ? err_nomem(err) : 0;
    }
    find(c, STORE_FINDING_OK, "layer", "%s: %" PRIu64 " bytes of tar", name, tar.size);
    return 0;
}

static bool has(const struct strv *list, const char *name) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], name))
            return true;
    return false;
}

static int check_layers(struct check *c, struct err *err) {
    int r = list(c, "layers", &c->layers, err);

    for (size_t i = 0; r == 0 && i < c->layers.n; i++)
        r = check_layer(c, c->layers.items[i], err);
    return r;
}

enum { WHOLE, RECORD_DAMAGED = IMAGE_MISSING, DOCUMENT_DAMAGED };

/* An image's id is the digest of its configuration.  Return: as above, or -errno with a text. */
static int check_document(struct check *c, const char *id, struct err *err) {
    _cleanup_free_ char *text = NULL;
    struct digest digest;
    struct err own;
    size_t size = 0;
    int r = image_document_read(c->store, id, &text, &size, &own);

    if (r == -ENOENT) /* from a tarball */
        return WHOLE;
    if (r < 0)
        return DOCUMENT_DAMAGED;
    r = digest_bytes(strlen(id) > 64 ? DIGEST_SHA512 : DIGEST_SHA256, text, size, &digest, err);
    return r < 0 ? r : str_eq(digest.hex, id) ? WHOLE : DOCUMENT_DAMAGED;
}

static int check_image(struct check *c, const char *id, struct err *err) {
    struct image image = IMAGE_INIT;
    int damaged;
    const char *missing = NULL, *broken = NULL;
    int r = image_read_record(&image, c->store, id);

    if (r == -ENOMEM)
        return err_nomem(err);
    if (r == 0)
        r = check_document(c, id, err);
    if (r < 0) {
        image_done(&image);
        return r;
    }
    damaged = r;
    for (size_t i = 0; damaged == WHOLE && i < image.layers.n + image.hidden.n; i++) {
        const char *name = str_after(i < image.layers.n ? image.layers.items[i]
                                                        : image.hidden.items[i - image.layers.n],
                                     "layers/");

        if (!has(&c->layers, name))
            missing = name;
        else if (has(&c->broken, name))
            broken = name;
    }
    if (damaged)
        find(c, STORE_FINDING_BROKEN, "image", "%s: its %s is damaged", id,
             damaged == DOCUMENT_DAMAGED ? "configuration" : "record");
    else if (missing)
        find(c, STORE_FINDING_BROKEN, "image", "%s: its layer %s is not there", id, missing);
    else if (broken)
        find(c, STORE_FINDING_BROKEN, "image", "%s: its layer %s is damaged", id, broken);
    else
        find(c, STORE_FINDING_OK, "image", "%s: whole", id);
    image_done(&image);
    return 0;
}

static int check_images(struct check *c, struct err *err) {
    int r = list(c, "images", &c->images, err);

    for (size_t i = 0; r == 0 && i < c->images.n; i++)
        r = check_image(c, c->images.items[i], err);
    return r;
}

static int check_names(struct check *c, struct err *err) {
    _cleanup_strv_ struct strv keys = {0};
    int r = list(c, "index", &keys, err);

    for (size_t i = 0; r == 0 && i < keys.n; i++) {
        char id[IMAGE_INDEX_TARGET_BYTES];
        const char *name = str_after(keys.items[i], IMAGE_INDEX_NAME_PREFIX);

        if (!name)
            continue;
        if (image_index_find(c->store, keys.items[i], id) != 0)
            find(c, STORE_FINDING_BROKEN, "name", "%s: its entry is damaged", name);
        else if (!has(&c->images, id))
            find(c, STORE_FINDING_BROKEN, "name", "%s: its image %s is not there", name, id);
    }
    return r;
}

/* What is in tmp/ and nobody works in; recipes of layers that are gone. */
static int check_leftovers(struct check *c, struct err *err) {
    _cleanup_strv_ struct strv names = {0}, recipes = {0};
    int r = list(c, "tmp", &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        char path[16 + NAME_MAX];
        _cleanup_close_ int fd = -1;

        snprintf(path, sizeof path, "tmp/%s", names.items[i]);
        fd = openat(c->store->fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
            find(c, STORE_FINDING_NOTE, "leftover", "tmp/%s, of an import that was killed",
                 names.items[i]);
    }
    if (r == 0 && faccessat(c->store->fd, "recipes", F_OK, 0) == 0)
        r = list(c, "recipes", &recipes, err);
    for (size_t i = 0; r == 0 && i < recipes.n; i++) {
        char path[16 + NAME_MAX];

        image_document_owner(recipes.items[i], path, sizeof path);
        if (faccessat(c->store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
            find(c, STORE_FINDING_NOTE, "leftover", "recipes/%s: there is no %s", recipes.items[i],
                 path);
    }
    return r;
}

static int check(struct check *c, struct err *err) {
    _cleanup_close_ int lock_fd = -1;
    int r = store_lock_images(c->store, LOCK_SH, &lock_fd, err);

    if (r == 0)
        r = check_layers(c, err);
    if (r == 0)
        r = check_images(c, err);
    if (r == 0)
        r = check_names(c, err);
    if (r == 0)
        r = check_leftovers(c, err);
    return r < 0 ? r : c->n_broken;
}

int store_check(const struct store *store,
                void (*emit)(void *context, const struct store_finding *finding), void *context,
                struct err *err) {
    struct check *c = calloc(1, sizeof *c);
    int r;

    if (!c)
        return err_nomem(err);
    c->store = store;
    c->emit = emit;
    c->context = context;
    r = check(c, err);
    strv_done(&c->broken);
    strv_done(&c->layers);
    strv_done(&c->images);
    free(c);
    return r;
}
