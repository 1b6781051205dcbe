/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_RECORD_H
#define MAYFLY_CGROUP_RECORD_H

#include "engine/base/err.h"

enum cgroup_kind {
    CGROUP_KIND_V2,   /* a container's group of version 2 */
    CGROUP_KIND_V1,   /* one of version 1 */
    CGROUP_KIND_LEAF, /* the group that mayfly itself has moved into */
};

/**
 * cgroup_record_add() - put a group on record before it is made
 * @run_fd: the run's directory in the store
 * @path: absolute
 *
 * Return: 0 or -errno with a text.
 */
int cgroup_record_add(int run_fd, enum cgroup_kind kind, const char *path, struct err *err);

/**
 * cgroup_record_each() - call a function for each group on record, in their order
 *
 * Return: 0, -ENOENT when there is no record, or the first value that is not 0 of @function.
 */
int cgroup_record_each(int run_fd,
                       int (*function)(void *argument, enum cgroup_kind kind, const char *path),
                       void *argument);

/**
 * cgroup_record_clean() - remove the groups that a killed run has left
 * @run_fd: the run's directory, whose processes are gone or dying
 */
void cgroup_record_clean(int run_fd);

#endif
