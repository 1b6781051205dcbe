/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_WISHES_H
#define MAYFLY_WISHES_H

#include "engine/base/err.h"
#include "rootfs/store.h"

#include <stdint.h>

/**
 * struct wishes - what an image that has to be brought in is to be
 * @platform: OS/ARCHITECTURE[/VARIANT]; NULL: this machine's
 * @insecure: registries that may be spoken to without TLS, separated by commas; or NULL
 * @max_image_bytes: unpacked; 0: as of every store
 */
struct wishes {
    char *platform;
    char *insecure;
    uint64_t max_image_bytes;
};

/**
 * wishes_set() - take over an option
 * @name: "platform", "insecure-registry", "max-image-size"
 *
 * Return: 0, -ENOENT for another name, -EINVAL with a text, -ENOMEM.
 */
int wishes_set(struct wishes *wishes, const char *name, const char *value, struct err *err);

/** wishes_apply() - have imports into a store heed them; @wishes is lent as long as the store. */
void wishes_apply(const struct wishes *wishes, struct store *store);

void wishes_done(struct wishes *wishes);

#endif
