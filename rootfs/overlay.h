/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_OVERLAY_H
#define MAYFLY_OVERLAY_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/** OVERLAY_MAX_LOWER - what fits into the one page of mount(2)'s options. */
#define OVERLAY_MAX_LOWER 200

/**
 * struct overlay - the directories of an overlay
 * @lower_fds: O_PATH descriptors, the lowest layer first; 1 to OVERLAY_MAX_LOWER
 * @upper_fd, @work_fd: O_PATH descriptors, on one mount; the work directory empty, or left by the
 *                      same overlay
 * @label: of SELinux's for all files that it shows; NULL: each has its own
 * @lasting: what is changed is kept: it is synced as programs ask for it, and when it is unmounted
 */
struct overlay {
    const int *lower_fds;
    size_t n_lower;
    int upper_fd;
    int work_fd;
    const char *label;
    bool lasting;
};

/**
 * overlay_mount() - mount an overlay
 * @target: path of the mount point; "/" stacks it over the root, reached as "/.." from then on
 *
 * Mounted `volatile` unless @lasting: what is thrown away is never synced.  Mounted `userxattr`:
 * the same layers serve root and users.  All directories have to be on mounts of the caller's mount
 * namespace. Context: child before pivot, CAP_SYS_ADMIN in its user namespace, /proc at /proc.
 * Spec: Documentation/filesystems/overlayfs.rst.
 * Return: 0 or -errno with a text; -EOPNOTSUPP: not in a user namespace, on these file systems, or
 * on ID-mapped mounts of them, which takes Linux 5.19.
 */
int overlay_mount(const struct overlay *overlay, const char *target, struct err *err);

#endif
