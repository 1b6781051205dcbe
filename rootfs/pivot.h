/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PIVOT_H
#define MAYFLY_PIVOT_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/** PIVOT_ON_TOP - pivot_into(): the host's root cannot be let go of, and lies under the new one */
enum { PIVOT_ON_TOP = 1 };

/**
 * pivot_into() - make a mounted tree the root and let go of the old one
 * @root_fd: the new root, mounted over "/"
 * @n_stacked: mounts that bind_stack() laid over the old root
 * @read_only: the new root's mount becomes read-only
 *
 * Context: child; ends "before pivot", begins "after pivot".  The working directory is "/" then.
 * Spec: pivot_root(2).
 * Return: 0, or PIVOT_ON_TOP in an initramfs: no program of the container may have CAP_SYS_ADMIN,
 * for it could unmount its root; or -errno with a text.
 */
int pivot_into(int root_fd, size_t n_stacked, bool read_only, struct err *err);

#endif
