/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_SET_H
#define MAYFLY_CGROUP_SET_H

#include "engine/base/err.h"
#include "engine/plan/limits.h"

#include <sys/types.h>

/**
 * cgroup_set_v2() - write limits to a group of version 2
 * @fd: the group's directory
 * @base_fd: that of the group above it
 *
 * Spec: the kernel's admin-guide/cgroup-v2.rst, "Controllers".
 * Return: 0, or -errno with a text that names the limit and the mend.
 */
int cgroup_set_v2(int fd, int base_fd, const struct limits *limits, struct err *err);

/**
 * cgroup_set_v1() - write the limits of one hierarchy's controllers to a group of version 1
 * @controllers: those bound to the hierarchy
 * @fd, @base_fd: as above
 *
 * Spec: the kernel's admin-guide/cgroup-v1.
 */
int cgroup_set_v1(int fd, int base_fd, unsigned controllers, const struct limits *limits,
                  struct err *err);

/**
 * cgroup_disk() - the disk that a limit is about
 * @path: a block device, or a file on a file system that has one
 *
 * A partition stands for its disk: the kernel limits whole disks.
 * Return: 0, or -errno with a text.
 */
int cgroup_disk(const char *path, dev_t *ret_device, struct err *err);

#endif
