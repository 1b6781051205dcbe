/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LANDLOCK_H
#define MAYFLY_LANDLOCK_H

#include "engine/base/err.h"

/**
 * landlock_keep_inside() - keep this process and its children from abstract sockets and processes
 * that are not theirs
 *
 * Does nothing where the kernel cannot (before Linux 6.12, or without Landlock).
 * Context: PID 1, while it has CAP_SYS_ADMIN in its user namespace.
 * Spec: landlock(7), "Scope flags".
 * Return: 0 or -errno with a text.
 */
int landlock_keep_inside(struct err *err);

#endif
