/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SYSCTL_H
#define MAYFLY_SYSCTL_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>

/**
 * sysctl_add() - append a switch of the kernel's, to be set for the container alone
 * @spec: NAME=VALUE, NAME with dots or slashes
 *
 * Return: 0, -EINVAL with a text for one that is no switch of a namespace, -ENOMEM.
 */
int sysctl_add(struct strv *sysctls, const char *spec, struct err *err);

/** sysctl_is_network() - whether one is of the network namespace. */
bool sysctl_is_network(const char *spec);

/**
 * sysctl_apply() - set them
 *
 * Context: child before pivot, root in namespaces of its own; /proc is the host's.
 * Return: 0 or -errno with a text.
 */
int sysctl_apply(const struct strv *sysctls, struct err *err);

#endif
