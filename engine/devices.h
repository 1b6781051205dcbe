/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DEVICES_H
#define MAYFLY_DEVICES_H

#include "base/err.h"
#include "container.h"
#include "trees.h"

/**
 * devices_check() - look whether the plan's devices are there, and may be given
 *
 * Context: host.
 * Return: 0 or -errno with a text that names the device.
 */
int devices_check(const struct container *container, struct err *err);

/**
 * devices_open() - make a node for each of the plan's devices, and append it to @trees
 *
 * Its owner is nobody of the container's, and its mode says what the container may.
 * Context: host, root's containers.
 * Return: 0 or -errno with a text.
 */
int devices_open(const struct container *container, struct trees *trees, struct err *err);

/**
 * devices_clone() - the host's own node as a detached mount
 *
 * Context: child before pivot, or host.
 * Return: a descriptor or -errno.
 */
int devices_clone(const struct container *container, const struct device *device);

#endif
