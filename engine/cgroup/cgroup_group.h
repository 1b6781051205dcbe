/* SPDX-License-Identifier: Apache-2.0 */
/* What the files about a container's groups share; others use cgroup.h. */
#ifndef MAYFLY_CGROUP_GROUP_H
#define MAYFLY_CGROUP_GROUP_H

#include "cgroup.h"
#include "cgroup_host.h"

#include <stddef.h>

/**
 * struct cgroup_group - one group
 * @fd: its directory; -1: there is none
 * @path: absolute; owned
 * @controllers: version 1: those bound to its hierarchy
 */
struct cgroup_group {
    int fd;
    char *path;
    unsigned controllers;
};

/* See cgroup.h; @leaf: where mayfly itself has moved to, NULL: nowhere; owned. */
struct cgroup {
    struct cgroup_group v2;
    struct cgroup_group v1[CGROUP_HOST_MAX];
    size_t n_v1;
    char *leaf;
};

/** cgroup_group_v1() - the group of version 1 with this controller, or NULL. */
const struct cgroup_group *cgroup_group_v1(const struct cgroup *cgroup, unsigned controller);

#endif
