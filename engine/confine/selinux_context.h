/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SELINUX_CONTEXT_H
#define MAYFLY_SELINUX_CONTEXT_H

#include "confinement.h"
#include "engine/base/err.h"

#include <stddef.h>

/** SELINUX_CONTEXT_BYTES - room for a label, its NUL included; those of containers are short. */
#define SELINUX_CONTEXT_BYTES 256

/**
 * selinux_context_set() - exchange one part of a label
 * @context: USER:ROLE:TYPE, or USER:ROLE:TYPE:LEVEL
 * @part: LABEL_USER, LABEL_ROLE, LABEL_TYPE or LABEL_LEVEL, which is added where there is none
 *
 * Context: any; pure.
 * Return: 0, -EINVAL when it is no label, -ENAMETOOLONG.
 */
int selinux_context_set(char context[SELINUX_CONTEXT_BYTES], enum label_part part,
                        const char *value);

/** selinux_context_level() - the level of a label, in @context; "" without one. */
const char *selinux_context_level(const char *context);

/**
 * selinux_setting() - the value of a key in one of SELinux's files
 * @text: lines KEY=VALUE or KEY = "VALUE", and comments
 * @size: of @ret_value
 *
 * Context: any; pure.
 * Spec: selinux_config(5), lxc_contexts(5).
 * Return: 0, -ENOENT, -ENAMETOOLONG.
 */
int selinux_setting(const char *text, const char *key, char *ret_value, size_t size);

#endif
