/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REMEMBER_PUBLISH_H
#define MAYFLY_REMEMBER_PUBLISH_H

#include "chain.h"
#include "engine/base/err.h"
#include "rootfs/step_store.h"

/**
 * struct remember_publish - a step that has succeeded, on its way into the store
 * @record: filled in but for what is found out here: id, digests, volumes, size
 * @r, @err: how it went
 */
struct remember_publish {
    struct chain *chain;
    const char *key;
    struct step_record record;
    uint64_t expires_nsec;
    int r;
    struct err err;
};

/**
 * remember_publish() - make the container's changes a remembered step
 * @context: a struct remember_publish
 *
 * Context: session->keep: the container is dead and its directory is still there.
 */
void remember_publish(void *context, const struct container *container);

/**
 * remember_verify() - compare a step's files with their digest
 *
 * Return: 0, 1 when they differ or nothing is known of them, or -errno with a text.
 */
int remember_verify(const struct idmap *map, const struct step *step, struct err *err);

#endif
