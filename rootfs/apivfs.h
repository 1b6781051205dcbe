/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_APIVFS_H
#define MAYFLY_APIVFS_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct apivfs - what differs between containers
 * @host_network: the network namespace is the host's: its /sys is shown, and its /etc/resolv.conf
 *                and /etc/hosts
 * @cgroup: its control groups are shown in /sys/fs/cgroup, as the tops and, unless @privileged or
 *          @owns_cgroup, read-only
 * @hierarchies: those of version 1, as cgroup_hierarchies() names them; none: version 2
 * @shm_bytes: size of /dev/shm
 * @host_root: its root has the number of the host's: nodes of the host's are bound read-only, which
 *             keeps their owner and mode, and not who writes to the device
 * @tty_group: group 5 exists in the user namespace and owns the terminals
 * @privileged: nothing is hidden, and nothing read-only
 * @label: of SELinux's for what is mounted here; NULL: none
 * @unmasked: patterns of paths that are neither hidden nor made read-only, "ALL" for all; or NULL
 */
struct apivfs {
    bool host_network;
    bool cgroup;
    bool owns_cgroup;
    const struct strv *hierarchies;
    uint64_t shm_bytes;
    bool host_root;
    bool tty_group;
    bool privileged;
    const char *label;
    const struct strv *unmasked;
};

/**
 * apivfs_mount_labelled() - mount(2) a file system of this container's own with its label
 * @label: of SELinux's for all that is in it; NULL: none
 *
 * Return: 0 or -errno.
 */
int apivfs_mount_labelled(const char *type, const char *path, unsigned long flags,
                          const char *options, const char *label);

/**
 * apivfs_mount() - mount /proc, /sys and /dev of a container
 * @root_fd: the container's root, mounted in the caller's mount namespace
 *
 * /proc with its dangerous files masked and its switches read-only; /sys read-only; /dev on a tmpfs
 * with null, zero, full, random, urandom, tty, a devpts of its own and shm.
 * Context: child before pivot (the kernel wants to see the host's /proc); umask 0.
 * Spec: OCI runtime-spec, config-linux.md, "Default Filesystems", "Default Devices".
 * Return: 0 or -errno with a text.
 */
int apivfs_mount(int root_fd, const struct apivfs *apivfs, struct err *err);

/**
 * apivfs_mount_proc() - mount /proc alone, over one that is there: that of this process's pid
 * namespace
 *
 * Context: child after pivot; changes its directory.
 * Return: 0 or -errno with a text.
 */
int apivfs_mount_proc(int root_fd, const struct apivfs *apivfs, struct err *err);

/**
 * apivfs_hide() - hide files and directories of the container
 * @paths: absolute in the container; links stay inside; those that are not there are passed over
 * @host_root: as in struct apivfs
 *
 * Context: child before pivot, after all else was mounted.
 * Return: 0 or -errno with a text.
 */
int apivfs_hide(int root_fd, const struct strv *paths, bool host_root, struct err *err);

#endif
