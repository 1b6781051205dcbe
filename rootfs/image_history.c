/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's configuration tells of each step that it was made in, the first one first, and marks
 * those that left no layer.  Who wrote it may have told of fewer layers than there are: the
 * uppermost are taken for those that it says nothing of.
 */
#include "image_history.h"

#include "engine/base/cleanup.h"
#include "image.h"
#include "image_document.h"
#include "image_index.h"
#include "manifest_json.h"

#include <errno.h>

struct history {
    const struct store *store;
    const struct image *image;
    const json_t *steps;
    image_history_emit *emit;
    void *context;
};

static uint64_t layer_bytes(const struct history *history, size_t i) {
    const struct strv *hidden = &history->image->hidden, *layers = &history->image->layers;
    const char *path = i < hidden->n ? hidden->items[i] : layers->items[i - hidden->n];

    return image_index_layer_bytes(history->store, str_after(path, "layers/"));
}

static int emit_all(const struct history *history) {
    size_t layer = history->image->hidden.n + history->image->layers.n, n_told = 0;
    size_t n = json_length(history->steps);
    int r = 0;

    for (size_t i = 0; i < n; i++)
        n_told += !json_member(json_item(history->steps, i), "empty_layer", JSON_TRUE);
    for (; r == 0 && layer > n_told; layer--)
        r = history->emit(history->context,
                          &(struct image_history_line){.bytes = layer_bytes(history, layer - 1)});
    for (; r == 0 && n > 0; n--) {
        const json_t *step = json_item(history->steps, n - 1);
        struct image_history_line line = {
            .created = json_text(step, "created"),
            .created_by = json_text(step, "created_by"),
            .comment = json_text(step, "comment"),
        };

        /* Of more than there are, the first have none. */
        if (!json_member(step, "empty_layer", JSON_TRUE) && layer > 0)
            line.bytes = layer_bytes(history, --layer);
        r = history->emit(history->context, &line);
    }
    return r;
}

int image_history(const struct store *store, const char *reference, image_history_emit *emit,
                  void *context, struct err *err) {
    _cleanup_(image_done) struct image image = IMAGE_INIT;
    _cleanup_json_document_ json_t *root = NULL;
    struct history history = {.store = store, .image = &image, .emit = emit, .context = context};
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    int r = image_find(&image, store, reference, err);

    if (r > 0 || (r == 0 && !image.in_store))
        return err_set(err, -ENOENT, "image %s: there is none of that name in the store",
                       reference);
    if (r == 0)
        r = image_document_read(store, image.id, &text, &size, err);
    if (r == 0)
        r = json_parse(text, size, JSON_OBJECT, &root, err);
    if (r < 0 && r != -ENOENT)
        return r;
    history.steps = json_member(root, "history", JSON_ARRAY);
    r = emit_all(&history);
    return r < 0 ? err_nomem(err) : 0;
}
