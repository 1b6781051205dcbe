/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_OVERLAY_OLDER_H
#define MAYFLY_OVERLAY_OLDER_H

#include "overlay.h"

/**
 * overlay_detached() - an overlay mounted with the host's root's rights, for a kernel that lets no
 * other mount one (before Linux 5.11)
 *
 * Its layers and upper directory have to be marked, overlay_mark().
 * Context: host, CAP_SYS_ADMIN in the first user namespace, one thread; all directories on mounts
 * of the caller's mount namespace.
 * Spec: fsopen(2), fsconfig(2), fsmount(2); Documentation/filesystems/overlayfs.rst.
 * Return: a detached mount without devices, or -errno with a text.
 */
int overlay_detached(const struct overlay *overlay, struct err *err);

/**
 * overlay_mark() - make what is opaque for overlays of either kind opaque for both
 * @dir_fd, @name: a layer, or an upper directory that nobody changes; one that is not there is none
 *
 * Context: as overlay_detached().
 * Return: 0 or -errno with a text.
 */
int overlay_mark(int dir_fd, const char *name, struct err *err);

#endif
