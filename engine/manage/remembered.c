/* SPDX-License-Identifier: Apache-2.0 */
/* Commands about remembered steps and kept directories, as images.c is for images. */
#include "remembered.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "images_work.h"

#include <errno.h>
#include <inttypes.h>

int remembered_list(struct images *images, struct remembered *ret_remembered, struct err *err) {
    int r;

    *ret_remembered = (struct remembered){0};
    r = step_list(&images->store, &ret_remembered->steps, err);
    if (r == 0)
        r = keep_list(&images->store, true, &ret_remembered->keeps, err);
    if (r < 0)
        remembered_done(ret_remembered);
    return r;
}

void remembered_done(struct remembered *remembered) {
    step_entries_done(&remembered->steps);
    keep_entries_done(&remembered->keeps);
}

static int prune(struct images_work *work, struct err *err) {
    const struct store *store = &work->images->store;
    uint64_t bytes = 0, more = 0;
    size_t n;
    int r = step_prune(store, work->flag, clock_realtime(), &n, &bytes, err);

    if (r == 0 && work->flag)
        r = keep_prune(store, &n, &more, err);
    buf_printf(&work->answer, "%" PRIu64, bytes + more);
    return r;
}

int remembered_prune(struct images *images, bool all, uint64_t *ret_bytes, struct err *err) {
    struct images_work work = {.images = images, .function = prune, .flag = all};
    _cleanup_free_ char *answer = NULL;
    int r = images_work_call(&work, &answer, err);

    if (r == 0 && str_to_u64(answer, UINT64_MAX, ret_bytes) < 0)
        r = err_set(err, -EIO, "the result of the removal is no number");
    return r;
}
