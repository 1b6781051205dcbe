/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_BUILD_H
#define MAYFLY_BUILD_H

#include "base/err.h"
#include "container.h"
#include "trees.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct builder - a container's root that is being mounted
 * @next_tree: the first of @trees that is not used yet
 * @n_stacked: mounts that lie over the old root
 * @store_fd, @run_fd: the store's and the run's directory, in this mount namespace
 * @changes_fd: the directory of what is changed in the root, which is the run's or a lasting one
 * @root_fd: the container's root
 */
struct builder {
    const struct container *container;
    struct trees *trees;
    size_t next_tree;
    size_t n_stacked;
    int store_fd;
    int run_fd;
    int changes_fd;
    int root_fd;
};

/** build_label() - the label of SELinux's that the container's files have, lent; NULL: none. */
static inline const char *build_label(const struct container *container) {
    return *container->confine.selinux.mount ? container->confine.selinux.mount : NULL;
}

/**
 * build_overlay() - mount an overlay with an upper directory of its own
 * @lower_fds: @n directories, the uppermost last: owner and mode of the overlay's root are its
 * @suffix: tells this overlay's upper and work directory from others' in the run's directory; "":
 *          the root's, in @builder->changes_fd
 * @target: as for overlay_mount(); NULL: overlay_detached(), whose mount is returned
 *
 * Return: 0 or -errno with a text.
 */
int build_overlay(struct builder *builder, const int *lower_fds, size_t n, const char *suffix,
                  const char *target, struct err *err);

/** build_host_is_needed() - whether the image is `host:` and the root cannot be one layer. */
bool build_host_is_needed(const struct builder *builder);

/** build_host_layer() - an empty layer to mount the host's directories on; a descriptor. */
int build_host_layer(struct builder *builder, struct err *err);

/**
 * build_host() - show the host's directories in the container's root, each as a throw-away copy
 *
 * /proc, /sys, /dev, /run and /tmp are new.  What is no directory, or holds other mounts, is shown
 * as it is, read-only.
 * Return: 0 or -errno with a text.
 */
int build_host(struct builder *builder, struct err *err);

/**
 * build_older_root(), build_older_cow() - the overlay of the root, of the copy-on-write volume @i
 *
 * Context: host's side, the host's root; container->overlays_given.
 * Return: a detached mount, or -errno with a text.
 */
int build_older_root(const struct container *container, struct err *err);
int build_older_cow(const struct container *container, size_t i, struct err *err);

/**
 * build_older_is_better() - whether overlays that the container's side mounts could not replace
 * directories: in a store without attributes of users (a tmpfs before Linux 6.6)
 *
 * Context: host's side.
 */
bool build_older_is_better(const struct container *container);

/**
 * build_older_mark() - make what has been changed in those overlays fit for others, overlay_mark()
 *
 * Context: as above, while no container changes it.
 * Return: 0 or -errno with a text.
 */
int build_older_mark(const struct container *container, struct err *err);

#endif
