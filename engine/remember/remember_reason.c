/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a step runs although the like of it is remembered.  Of those that have the
 * same below them, that with the same command is taken, else one in the same
 * place, the most like and then the newest of them; for a run's first step also one that was made
 * on what the same reference meant before.  The first fact in which the two differ is the reason.
 */
#include "remember_reason.h"

#include "engine/base/cleanup.h"
#include "remember_key.h"
#include "rootfs/step_store.h"

static const char *value_of(const struct strv *facts, const char *label) {
    const struct step_record record = {.facts = *facts};

    return step_record_fact(&record, label);
}

static bool has_same(const struct strv *a, const struct strv *b, const char *label) {
    const char *x = value_of(a, label), *y = value_of(b, label);

    return x && y && str_eq(x, y);
}

/* How near a remembered step is to the one that runs; 0: not at all. */
static int likeness(const struct step_record *record, const struct remember_miss *miss) {
    bool same_below = has_same(&record->facts, miss->facts, "previous");
    bool same_command = has_same(&record->facts, miss->facts, "command");

    if (record->number != miss->index + 1)
        return 0;
    if (same_below && !same_command)
        return miss->is_first ? 0 : 2; /* on an image anything may come first */
    if (same_below)
        return 3;
    return same_command && record->image && str_eq(record->image, miss->plan->image);
}

static const struct content *content_of(const struct remember_miss *miss, const char *label,
                                        const char **ret_name) {
    const char *target = str_after(label, "volume ");

    if (str_after(label, "upload\t")) {
        *ret_name = miss->plan->actions[miss->index].source;
        return miss->upload;
    }
    for (size_t i = 0; target && i < miss->plan->n_volumes; i++) {
        const char *rest = str_after(target, miss->plan->volumes[i].target);

        if (rest && *rest == '\t') {
            *ret_name = miss->plan->volumes[i].source;
            return &miss->volumes[i];
        }
    }
    return NULL;
}

static void explain(const struct store *store, const struct step_record *record,
                    const struct remember_miss *miss, struct buf *text) {
    size_t n;
    const char *label = remember_key_difference(&record->facts, miss->facts, &n), *name, *before;
    const struct content *content;
    char own[128];

    if (!label)
        return;
    if (str_after(label, "previous\t")) {
        buf_puts(text, miss->is_first ? "the image changed" : "what is below it changed");
        return;
    }
    content = content_of(miss, label, &name);
    snprintf(own, sizeof own, "%.*s", (int)(n < sizeof own ? n : sizeof own - 1), label);
    before = content ? value_of(&record->facts, own) : NULL;
    if (before) {
        const char *space = strchr(before, ' ');
        size_t size = text->size;

        content_difference(store, space ? space + 1 : before, content, text);
        if (text->size == size)
            buf_printf(text, "%s changed", name);
        return;
    }
    buf_printf(text, "%s%s changed", str_after(own, "-") ? "" : "the ", own);
}

int remember_reason(const struct store *store, const struct remember_miss *miss,
                    struct buf *ret_text) {
    _cleanup_step_entries_ struct step_entries entries = {0};
    const struct step_record *nearest = NULL;
    int r = step_list(store, &entries, NULL), best = 0;
    size_t least = SIZE_MAX;

    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        const struct step_record *record = &entries.items[i].step.record;
        size_t distance = remember_key_distance(&record->facts, miss->facts);
        int like = likeness(record, miss);

        if (like > best || (like > 0 && like == best && distance <= least)) {
            best = like;
            least = distance;
            nearest = record;
        }
    }
    if (nearest)
        explain(store, nearest, miss, ret_text);
    return r;
}
