/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MOUNT_OLDER_H
#define MAYFLY_MOUNT_OLDER_H

#include <stdbool.h>
#include <sys/mount.h>

/**
 * mount_set_detached() - the attributes of a mount that nobody sees yet
 * @tree_fd: from open_tree(2); where the kernel has no mount_setattr(2) (Linux 5.11), it stands for
 *           another mount of the same afterwards
 * @depth: AT_RECURSIVE, so that the mounts below it get them too; 0
 * @attr: with propagation MS_PRIVATE
 *
 * Context: host or child; CAP_SYS_ADMIN over the mount namespace; one thread; /proc at /proc.
 * Spec: mount_setattr(2); mount(2), "Remounting an existing mount".
 * Return: 0 or -errno without a text: -ENOSYS for an ID map that only mount_setattr(2) can set.
 */
int mount_set_detached(int tree_fd, unsigned depth, struct mount_attr *attr);

/**
 * mount_set_all() - the attributes of all mounts of a mount namespace, which become private
 *
 * Context: a mount namespace of one's own, its root a mount; else as above.
 * Return: 0 or -errno without a text: -EINVAL in a chroot, whose root is no mount.
 */
int mount_set_all(struct mount_attr *attr);

#endif
