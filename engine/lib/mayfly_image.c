/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about images: each opens the store in a child, as the commands do it in
 * a process of their own.  What an image list says crosses as lines, a field each.
 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/manage/images.h"
#include "library.h"
#include "lines.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct request {
    const char *store;
    const char *reference;
    const char *name;
    bool flag;
    int (*function)(struct images *images, const struct request *request, struct buf *answer,
                    struct err *err);
};

static int work(void *argument, struct buf *answer, struct err *err) {
    const struct request *request = argument;
    _cleanup_images_ struct images images = IMAGES_INIT;
    int r = images_open(&images, request->store, NULL, err);

    return r < 0 ? r : request->function(&images, request, answer, err);
}

static int call(struct request *request, char **ret_answer, struct mayfly_error *error) {
    struct err err = {0};

    return library_return(library_call(work, request, ret_answer, &err), &err, error);
}

/* --- the list -------------------------------------------------------------------- */

static int list(struct images *images, const struct request *request, struct buf *answer,
                struct err *err) {
    struct image_entries entries = {0};
    int r = images_list(images, &entries, err);

    (void)request;
    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        const struct image_entry *entry = &entries.items[i];

        buf_printf(answer, "%s\n%s\n%s\n%s\n%" PRIu64 "\n", entry->name ? entry->name : "",
                   entry->id, entry->created ? entry->created : "",
                   entry->architecture ? entry->architecture : "", entry->size_bytes);
    }
    image_entries_done(&entries);
    return r;
}

static bool take_image(struct lines *lines, struct mayfly_image *image) {
    return lines_text(lines, &image->name) && lines_text(lines, &image->id) &&
           lines_text(lines, &image->created) && lines_text(lines, &image->architecture) &&
           lines_number(lines, &image->size_bytes);
}

int mayfly_image_list(const char *store, struct mayfly_image **ret_images, size_t *ret_n,
                      struct mayfly_error *error) {
    struct request request = {.store = store, .function = list};
    _cleanup_free_ char *answer = NULL;
    struct mayfly_image *images = NULL;
    struct lines lines;
    struct err err = {0};
    size_t n = 0;
    int r = call(&request, &answer, error);

    if (r < 0)
        return r;
    for (lines_init(&lines, answer); !lines_end(&lines); n++) {
        struct mayfly_image *more = reallocarray(images, n + 1, sizeof *more);

        if (more) {
            images = more;
            images[n] = (struct mayfly_image){0};
        }
        if (!more || !take_image(&lines, &images[n])) {
            mayfly_image_list_free(images, more ? n + 1 : n);
            return library_return(err_nomem(&err), &err, error);
        }
    }
    *ret_images = images;
    *ret_n = n;
    return 0;
}

void mayfly_image_list_free(struct mayfly_image *images, size_t n) {
    for (size_t i = 0; images && i < n; i++) {
        free(images[i].name);
        free(images[i].id);
        free(images[i].created);
        free(images[i].architecture);
    }
    free(images);
}

/* --- into the store ---------------------------------------------------------------- */

static int pull(struct images *images, const struct request *request, struct buf *answer,
                struct err *err) {
    _cleanup_free_ char *id = NULL;
    int r = images_pull(images, request->reference, &id, err);

    if (r == 0)
        buf_puts(answer, id);
    return r;
}

int mayfly_image_pull(const char *store, const char *reference, char **ret_id,
                      struct mayfly_error *error) {
    struct request request = {.store = store, .reference = reference, .function = pull};

    return call(&request, ret_id, error);
}

static int load(struct images *images, const struct request *request, struct buf *answer,
                struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    int r = images_load(images, request->reference, &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++)
        buf_printf(answer, "%s\n", names.items[i]);
    return r;
}

int mayfly_image_load(const char *store, const char *path, char **ret_names,
                      struct mayfly_error *error) {
    struct request request = {.store = store, .reference = path, .function = load};

    return call(&request, ret_names, error);
}

static int import(struct images *images, const struct request *request, struct buf *answer,
                  struct err *err) {
    _cleanup_free_ char *id = NULL;
    int r = images_import(images, request->reference, request->name, &id, err);

    if (r == 0)
        buf_puts(answer, id);
    return r;
}

int mayfly_image_import(const char *store, const char *source, const char *name, char **ret_id,
                        struct mayfly_error *error) {
    struct request request = {
        .store = store, .reference = source, .name = name, .function = import};

    return call(&request, ret_id, error);
}

/* --- names, and out of the store ---------------------------------------------------- */

static int tag(struct images *images, const struct request *request, struct buf *answer,
               struct err *err) {
    (void)answer;
    return images_tag(images, request->reference, request->name, err);
}

int mayfly_image_tag(const char *store, const char *reference, const char *name,
                     struct mayfly_error *error) {
    struct request request = {
        .store = store, .reference = reference, .name = name, .function = tag};

    return call(&request, NULL, error);
}

static int remove_image(struct images *images, const struct request *request, struct buf *answer,
                        struct err *err) {
    (void)answer;
    return images_remove(images, request->reference, request->flag, err);
}

int mayfly_image_remove(const char *store, const char *reference, bool force,
                        struct mayfly_error *error) {
    struct request request = {
        .store = store, .reference = reference, .flag = force, .function = remove_image};

    return call(&request, NULL, error);
}

static int prune(struct images *images, const struct request *request, struct buf *answer,
                 struct err *err) {
    uint64_t bytes = 0;
    int r = images_prune(images, request->flag, &bytes, err);

    buf_printf(answer, "%" PRIu64, bytes);
    return r;
}

int mayfly_image_prune(const char *store, bool unnamed, uint64_t *ret_bytes,
                       struct mayfly_error *error) {
    struct request request = {.store = store, .flag = unnamed, .function = prune};
    _cleanup_free_ char *answer = NULL;
    int r = call(&request, &answer, error);

    if (r == 0 && ret_bytes)
        (void)str_to_u64(answer, UINT64_MAX, ret_bytes);
    return r;
}
