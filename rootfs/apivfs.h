/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_APIVFS_H
#define MAYFLY_APIVFS_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct apivfs - what differs between containers
 * @host_network: the network namespace is the host's: its /sys is shown, and its /etc/resolv.conf
 *                and /etc/hosts
 * @cgroup: its group of version 2 is shown in /sys/fs/cgroup, as the top and read-only
 * @shm_bytes: size of /dev/shm
 * @tty_group: group 5 exists in the user namespace and owns the terminals
 */
struct apivfs {
    bool host_network;
    bool cgroup;
    uint64_t shm_bytes;
    bool tty_group;
};

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

#endif
