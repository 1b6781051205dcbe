/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEEPS_H
#define MAYFLY_KEEPS_H

#include "base/err.h"
#include "engine/plan/plan.h"
#include "rootfs/store.h"
#include "supervise.h"

/**
 * struct keeps - a run's kept directories, locked as long as they are open
 * @items: one for each of the plan's, in its order; NULL: there are none
 */
struct keeps {
    struct keeps_item {
        int fd;
        char name[96]; /* in the store's keep/ */
    } * items;
    size_t n;
};

/**
 * keeps_open() - open and lock what a plan asks for, waiting for other runs where that is needed
 *
 * Return: 0, a SUPERVISE_ condition, or -errno with a text; keeps_close() is due either way.
 */
int keeps_open(struct keeps *keeps, const struct plan *plan, const struct store *store,
               struct supervisor *supervisor, struct err *err);

void keeps_close(struct keeps *keeps);

#endif
