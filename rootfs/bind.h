/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BIND_H
#define MAYFLY_BIND_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * bind_clone() - a detached copy of a mount, from a directory or file downwards
 * @dir_fd, @path: what; "" for @dir_fd itself
 * @recursive: with the mounts below it
 * @attributes: MOUNT_ATTR_* to set
 * @userns_fd: the mount is ID-mapped by this user namespace; -1: not
 *
 * Context: host or child; CAP_SYS_ADMIN over the mount namespace, and over the file system's user
 * namespace for an ID map (kernel 5.12).
 * Spec: open_tree(2), mount_setattr(2).
 * Return: a descriptor, or -errno without a text.
 */
int bind_clone(int dir_fd, const char *path, bool recursive, uint64_t attributes, int userns_fd);

/**
 * bind_stack() - lay a detached mount over the root directory
 *
 * A mount has to be part of the mount namespace before overlayfs takes layers from it.  Over the
 * root it needs no mount point; absolute paths still lead into the old root beneath.
 * Context: child before pivot.
 * Return: 0 or -errno with a text.
 */
int bind_stack(int tree_fd, struct err *err);

/**
 * bind_target() - find or make the place where something is mounted in a container
 * @root_fd: the container's root
 * @path: absolute; links in it stay inside the root
 * @is_directory: make a directory or a file when it is missing
 *
 * Refuses what lies in /proc or in /sys.
 * Context: child before pivot.
 * Return: an O_PATH descriptor, or -errno with a text that names @path.
 */
int bind_target(int root_fd, const char *path, bool is_directory, struct err *err);

/** bind_attach() - mount @tree_fd on @target_fd.  Return: 0 or -errno without a text. */
int bind_attach(int tree_fd, int target_fd);

#endif
