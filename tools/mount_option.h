/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MOUNT_OPTION_H
#define MAYFLY_MOUNT_OPTION_H

#include "engine/base/err.h"
#include "engine/live/life.h"

/**
 * mount_option_apply() - docker's --mount as a volume or a tmpfs
 * @value: type=bind,source=SRC,target=DST[,readonly] or type=tmpfs,target=DST[,tmpfs-size=SIZE]
 *         [,tmpfs-mode=MODE];
 * the other spellings of src, dst, destination and ro as well
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int mount_option_apply(struct life *life, const char *value, struct err *err);

#endif
