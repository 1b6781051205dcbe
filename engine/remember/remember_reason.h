/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REMEMBER_REASON_H
#define MAYFLY_REMEMBER_REASON_H

#include "content.h"
#include "engine/base/buf.h"
#include "engine/base/str.h"
#include "engine/plan/plan.h"
#include "rootfs/store.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct remember_miss - a step for which nothing was found
 * @is_first: nothing remembered is below it but the image
 * @facts: what its key was made of
 * @volumes: what the plan's volumes hold
 * @upload: what an upload copies; NULL for others
 */
struct remember_miss {
    const struct plan *plan;
    size_t index;
    bool is_first;
    const struct strv *facts;
    const struct content *volumes;
    const struct content *upload;
};

/**
 * remember_reason() - why a step has to run, from what is remembered of the same step
 * @ret_text: appended to: "src/main.c changed", "the command changed", "the image changed";
 *            nothing when it is new
 *
 * Reads the record of every remembered step.
 * Return: 0 or -errno.
 */
int remember_reason(const struct store *store, const struct remember_miss *miss,
                    struct buf *ret_text);

#endif
