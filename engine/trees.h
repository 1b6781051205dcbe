/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TREES_H
#define MAYFLY_TREES_H

#include "base/err.h"
#include "container.h"
#include "message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mount.h>

/** TREES_UNMAPPABLE - trees_open(): a file system here cannot be ID-mapped; another mode may do. */
#define TREES_UNMAPPABLE 1

/**
 * struct trees - the host directories and files that a container is built from
 * @n: 0 when this process may not clone mounts: the container's side opens paths then
 * @fds: detached mounts: the store, then the image's layers unless they lie in the store, then each
 *       volume's source (for a copy-on-write file the directory that holds it)
 */
struct trees {
    int fds[MESSAGE_MAX_FDS];
    size_t n;
};

#define TREES_INIT ((struct trees){.n = 0})

/**
 * trees_check_volumes() - find out what the volumes' sources are
 *
 * Fills container->volumes.
 * Context: host.
 * Return: 0, or -errno with a text that names the volume.
 */
int trees_check_volumes(struct container *container, struct err *err);

/**
 * trees_volume_attributes() - MOUNT_ATTR_* of a volume
 *
 * Volumes never bring devices or set-user-id programs of the host into a container.
 */
static inline uint64_t trees_volume_attributes(const struct volume *volume) {
    return MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID |
           (volume->mode == VOLUME_RO ? MOUNT_ATTR_RDONLY : 0);
}

/**
 * trees_open() - clone the mounts that root's containers are built from
 * @userns_fd: of the container, by which they are ID-mapped; -1: they are not
 *
 * Context: host.
 * Return: 0, TREES_UNMAPPABLE with a text that names the file system, or -errno with a text.
 */
int trees_open(struct trees *trees, const struct container *container, int userns_fd,
               struct err *err);

/** trees_close() - close every descriptor. */
void trees_close(struct trees *trees);

/**
 * trees_build() - mount the container's root and everything in it
 * @trees: from the host's side; consumed
 * @ret_stacked: how many mounts lie over the old root (pivot_into())
 * container lives (state_clean()); -1 when it failed before
 *
 * Context: child before pivot, root of its user namespace, umask 0.
 * Return: the O_PATH descriptor of the container's root, or -errno with a text.
 */
int trees_build(const struct container *container, struct trees *trees, size_t *ret_stacked,
                struct err *err);

#endif
