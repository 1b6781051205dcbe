/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REMEMBERED_H
#define MAYFLY_REMEMBERED_H

#include "engine/base/err.h"
#include "images.h"
#include "rootfs/keep_store.h"
#include "rootfs/step_store.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct remembered - what the store keeps between runs beside images
 * @steps: remembered steps, the newest last
 * @keeps: kept directories, by name
 */
struct remembered {
    struct step_entries steps;
    struct keep_entries keeps;
};

/** remembered_list() - all of it; remembered_done() frees.  Return: 0 or -errno with a text. */
int remembered_list(struct images *images, struct remembered *ret_remembered, struct err *err);

void remembered_done(struct remembered *remembered);

#define _cleanup_remembered_ __attribute__((cleanup(remembered_done)))

/**
 * remembered_prune() - remove steps that have expired
 * @all: also those that have not, and kept directories; what a run has stays
 * @ret_bytes: what was freed
 *
 * Return: as images_pull().
 */
int remembered_prune(struct images *images, bool all, uint64_t *ret_bytes, struct err *err);

#endif
