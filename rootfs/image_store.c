/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What people do with the images they have.  A name is an entry of the index;
 * an image is there while its record is, and a layer while a record names it.
 * So things are removed in that order, names, records, layers, and a crash in
 * between leaves something that image_prune() takes away, never an image
 * without its layers.
 *
 * Two locks keep what is in use: every run holds its record's (image.c), every
 * import that of images/ (image_install.c).
 */
#include "image_store.h"

#include "engine/base/cleanup.h"
#include "engine/base/sys.h"
#include "image.h"
#include "image_document.h"
#include "image_index.h"
#include "image_source.h"
#include "ref.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

/* The name that a key of the index stands for, to free(3); NULL for other keys. */
static char *name_of_key(const char *key) {
    const char *rest = str_after(key, IMAGE_INDEX_NAME_PREFIX);
    char *name = rest ? strdup(rest) : NULL;

    for (char *p = name; p && *p; p++)
        if (*p == '%')
            *p = '/';
    return name;
}

/* The image that an entry of the index leads to, also one that holds for its maker alone. */
static int target_of(const struct store *store, const char *key,
                     char ret_id[IMAGE_INDEX_TARGET_BYTES]) {
    struct store any = *store;

    any.opened_nsec = 0;
    return image_index_find(&any, key, ret_id);
}

void image_entries_done(struct image_entries *entries) {
    for (size_t i = 0; i < entries->n; i++) {
        free(entries->items[i].name);
        free(entries->items[i].id);
        free(entries->items[i].created);
        free(entries->items[i].architecture);
        free(entries->items[i].digest);
        strv_done(&entries->items[i].labels);
    }
    free(entries->items);
    *entries = (struct image_entries){0};
}

/* Appends an image; nothing when its record is not there. */
static int add_entry(const struct store *store, struct image_entries *entries, char *name,
                     const char *id, struct err *err) {
    _cleanup_free_ char *own = name;
    struct image image = IMAGE_INIT;
    struct image_entry *items, *e;
    int r = image_read_record(&image, store, id);

    if (r == IMAGE_MISSING)
        return 0;
    if (r < 0)
        return err_nomem(err);
    items = reallocarray(entries->items, entries->n + 1, sizeof *items);
    if (!items) {
        image_done(&image);
        return err_nomem(err);
    }
    entries->items = items;
    e = &items[entries->n++];
    *e = (struct image_entry){.n_layers = image.layers.n};
    e->name = take_ptr(own);
    e->id = take_ptr(image.id);
    e->created = take_ptr(image.created);
    e->architecture = take_ptr(image.architecture);
    e->labels = image.config.labels;
    image.config.labels = (struct strv){0};
    for (size_t i = 0; i < image.layers.n; i++)
        e->size_bytes +=
            image_index_layer_bytes(store, str_after(image.layers.items[i], "layers/"));
    image_done(&image);
    return 0;
}

static int compare_entries(const void *a, const void *b) {
    const struct image_entry *x = a, *y = b;

    if (!x->name || !y->name)
        return x->name ? -1 : y->name ? 1 : strcmp(x->id, y->id);
    return strcmp(x->name, y->name);
}

static bool is_listed(const struct image_entries *entries, const char *id) {
    for (size_t i = 0; i < entries->n; i++)
        if (str_eq(entries->items[i].id, id))
            return true;
    return false;
}

/* Adds what is known of a name to the last entry, which is of it. */
static int add_digest(const struct store *store, struct image_entries *entries,
                      const char *name_key, struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES], digest[IMAGE_INDEX_TARGET_BYTES];

    if (image_index_digest_key(name_key, key) < 0 || image_index_find(store, key, digest) != 0)
        return 0;
    entries->items[entries->n - 1].digest = strdup(digest);
    return entries->items[entries->n - 1].digest ? 0 : err_nomem(err);
}

static int list(const struct store *store, struct image_entries *entries, struct err *err) {
    _cleanup_strv_ struct strv keys = {0}, ids = {0};
    int r = store_list(store, "index", &keys, err);

    if (r == 0)
        r = store_list(store, "images", &ids, err);
    for (size_t i = 0; r == 0 && i < keys.n; i++) {
        char id[IMAGE_INDEX_TARGET_BYTES];
        size_t n = entries->n;
        char *name;

        if (!str_after(keys.items[i], IMAGE_INDEX_NAME_PREFIX) ||
            image_index_find(store, keys.items[i], id) != 0)
            continue;
        name = name_of_key(keys.items[i]);
        r = name ? add_entry(store, entries, name, id, err) : err_nomem(err);
        if (r == 0 && entries->n > n)
            r = add_digest(store, entries, keys.items[i], err);
    }
    for (size_t i = 0; r == 0 && i < ids.n; i++)
        if (!is_listed(entries, ids.items[i]))
            r = add_entry(store, entries, NULL, ids.items[i], err);
    if (r == 0 && entries->n > 0)
        qsort(entries->items, entries->n, sizeof *entries->items, compare_entries);
    return r;
}

int image_list(const struct store *store, struct image_entries *ret_entries, struct err *err) {
    struct image_entries entries = {0};
    int r = list(store, &entries, err);

    if (r < 0) {
        image_entries_done(&entries);
        return r;
    }
    *ret_entries = entries;
    return 0;
}

static int no_such_image(const char *reference, struct err *err) {
    return err_set(err, -ENOENT, "image %s: there is none of that name in the store", reference);
}

int image_tag(const struct store *store, const char *reference, const char *name, struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES];
    _cleanup_ref_ struct ref ref = REF_INIT;
    struct image image = IMAGE_INIT;
    int r = ref_parse(name, &ref, err);

    if (r < 0)
        return r;
    if (ref.kind != REF_NAME || ref.digest)
        return err_set(err, -EINVAL, "'%s' is no name for an image (NAME or NAME:TAG)", name);
    r = image_index_name_key(&ref, key, err);
    if (r == 0)
        r = image_find(&image, store, reference, err);
    if (r == IMAGE_MISSING || (r == 0 && !image.in_store))
        r = no_such_image(reference, err);
    if (r == 0)
        r = image_index_save(store, key, image.id, err);
    image_done(&image);
    return r;
}

/* Removes an image's record unless a run has it.  Return: 0, -EBUSY, -errno with a text. */
static int remove_record(const struct store *store, const char *id, struct err *err) {
    char path[16 + IMAGE_INDEX_TARGET_BYTES];
    _cleanup_close_ int fd = -1;

    snprintf(path, sizeof path, "images/%s", id);
    fd = openat(store->fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return 0;
    if (fd < 0)
        return store_errno(store, "cannot open an image's record", err);
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, -EBUSY, "image %.12s: a run is using it", id);
    if (sys_unlinkat(store->fd, path, 0) < 0)
        return store_errno(store, "cannot remove an image's record", err);
    return 0;
}

/* How many entries of the index beside @but are names of an image. */
static int count_references(const struct store *store, const char *id, const char *but,
                            size_t *ret_n, struct err *err) {
    _cleanup_strv_ struct strv keys = {0};
    int r = store_list(store, "index", &keys, err);

    *ret_n = 0;
    for (size_t i = 0; r == 0 && i < keys.n; i++) {
        char target[IMAGE_INDEX_TARGET_BYTES];

        if (str_after(keys.items[i], IMAGE_INDEX_NAME_PREFIX) && !str_eq(keys.items[i], but) &&
            target_of(store, keys.items[i], target) == 0 && str_eq(target, id))
            (*ret_n)++;
    }
    return r;
}

int image_remove(const struct store *store, const char *reference, struct err *err) {
    char key[IMAGE_INDEX_KEY_BYTES] = "", id[IMAGE_INDEX_TARGET_BYTES];
    _cleanup_ref_ struct ref ref = REF_INIT;
    size_t n_others = 0;
    uint64_t bytes;
    int r = image_find_id(store, reference, id, err);

    if (r < 0)
        err_wrap(err, "image %s", reference);
    if (r == 1) {
        r = ref_parse(reference, &ref, err);
        if (r == 0 && ref.kind != REF_NAME)
            return err_set(err, -EINVAL, "image %s: write a name or an id", reference);
        if (r == 0)
            r = image_index_name_key(&ref, key, err);
        if (r == 0 && target_of(store, key, id) != 0)
            return no_such_image(reference, err);
        if (r == 0)
            r = count_references(store, id, key, &n_others, err);
    }
    if (r == 0 && n_others == 0)
        r = remove_record(store, id, err);
    if (r == 0 && *key)
        r = image_index_remove(store, key, err);
    if (r >= 0 && n_others == 0)
        r = image_prune(store, false, &bytes, err);
    return r;
}

/* Removes entries of the index whose image is gone; counts those that lead to each image. */
static int prune_index(const struct store *store, struct strv *ret_referenced, bool unnamed,
                       struct err *err) {
    _cleanup_strv_ struct strv keys = {0};
    int r = store_list(store, "index", &keys, err);

    for (size_t i = 0; r == 0 && i < keys.n; i++) {
        char id[IMAGE_INDEX_TARGET_BYTES], path[16 + IMAGE_INDEX_TARGET_BYTES];
        bool is_name = str_after(keys.items[i], IMAGE_INDEX_NAME_PREFIX) != NULL;

        if (str_after(keys.items[i], IMAGE_INDEX_SIZE_PREFIX) ||
            str_after(keys.items[i], IMAGE_INDEX_DIGEST_PREFIX))
            continue;
        snprintf(path, sizeof path, "images/");
        if (target_of(store, keys.items[i], id) == 0) {
            snprintf(path, sizeof path, "images/%s", id);
            if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0 &&
                (is_name || !unnamed)) {
                if (strv_push(ret_referenced, id) < 0)
                    r = err_nomem(err);
                continue;
            }
        }
        r = image_index_remove(store, keys.items[i], err);
        if (r == 1)
            r = 0;
    }
    return r;
}

static bool has(const struct strv *list, const char *text) {
    for (size_t i = 0; i < list->n; i++)
        if (str_eq(list->items[i], text))
            return true;
    return false;
}

static int add_layers(const struct strv *paths, struct strv *ret_layers, struct err *err) {
    for (size_t i = 0; i < paths->n; i++)
        if (strv_push(ret_layers, str_after(paths->items[i], "layers/")) < 0)
            return err_nomem(err);
    return 0;
}

/* Removes images that nothing refers to; the layers of the others. */
static int prune_images(const struct store *store, const struct strv *referenced,
                        struct strv *ret_layers, struct err *err) {
    _cleanup_strv_ struct strv ids = {0};
    int r = store_list(store, "images", &ids, err);

    for (size_t i = 0; r == 0 && i < ids.n; i++) {
        struct image image = IMAGE_INIT;

        if (!has(referenced, ids.items[i])) {
            r = remove_record(store, ids.items[i], err);
            if (r != -EBUSY)
                continue;
            r = 0;
        }
        if (image_read_record(&image, store, ids.items[i]) == 0) {
            r = add_layers(&image.layers, ret_layers, err);
            if (r == 0)
                r = add_layers(&image.hidden, ret_layers, err);
        }
        image_done(&image);
    }
    return r;
}

/* Takes a layer out of layers/, which is at once, and then removes it. */
static int remove_layer(const struct store *store, const char *hex, struct err *err) {
    struct store_work work = STORE_WORK_INIT;
    char path[16 + NAME_MAX], key[IMAGE_INDEX_KEY_BYTES];
    int r = store_work_begin(store, hex, &work, err);

    if (r < 0)
        return r;
    snprintf(path, sizeof path, "layers/%s", hex);
    if (sys_renameat2(store->fd, path, work.fd, "tree", RENAME_NOREPLACE) < 0)
        r = store_errno(store, "cannot move a layer aside", err);
    store_work_end(store, &work);
    snprintf(path, sizeof path, "recipes/%s", hex);
    if (r == 0 && sys_unlinkat(store->fd, path, 0) < 0 && errno != ENOENT)
        r = store_errno(store, "cannot remove a layer's recipe", err);
    if (r == 0 && snprintf(key, sizeof key, IMAGE_INDEX_SIZE_PREFIX "%s", hex) < (int)sizeof key)
        r = image_index_remove(store, key, err);
    return r < 0 ? r : 0;
}

static int prune_layers(const struct store *store, const struct strv *needed, uint64_t *ret_bytes,
                        struct err *err) {
    _cleanup_strv_ struct strv layers = {0};
    int r = store_list(store, "layers", &layers, err);

    for (size_t i = 0; r == 0 && i < layers.n; i++) {
        uint64_t bytes = image_index_layer_bytes(store, layers.items[i]);

        if (has(needed, layers.items[i]))
            continue;
        r = remove_layer(store, layers.items[i], err);
        if (r == 0)
            *ret_bytes += bytes;
    }
    return r;
}

/* A crash between a recipe and its layer, or a record and its document, leaves the one. */
static int prune_recipes(const struct store *store, struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    int r = 0;

    if (faccessat(store->fd, "recipes", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        r = store_list(store, "recipes", &names, err);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        char path[16 + NAME_MAX];

        image_document_owner(names.items[i], path, sizeof path);
        if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            continue;
        snprintf(path, sizeof path, "recipes/%s", names.items[i]);
        if (sys_unlinkat(store->fd, path, 0) < 0 && errno != ENOENT)
            r = store_errno(store, "cannot remove a layer's recipe", err);
    }
    return r;
}

int image_prune(const struct store *store, bool unnamed, uint64_t *ret_bytes, struct err *err) {
    _cleanup_strv_ struct strv referenced = {0}, layers = {0};
    _cleanup_close_ int lock_fd = -1;
    int r = store_lock_images(store, LOCK_EX, &lock_fd, err);

    *ret_bytes = 0;
    if (r == 0)
        r = prune_index(store, &referenced, unnamed, err);
    if (r == 0)
        r = prune_images(store, &referenced, &layers, err);
    if (r == 0)
        r = prune_layers(store, &layers, ret_bytes, err);
    if (r == 0)
        r = prune_recipes(store, err);
    return r;
}
