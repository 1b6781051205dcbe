/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_BASE_H
#define MAYFLY_CGROUP_BASE_H

#include "cgroup_host.h"
#include "engine/base/err.h"
#include "engine/base/log.h"

#include <stdbool.h>

/** CGROUP_PREFIX - what the names of all groups of mayfly begin with. */
#define CGROUP_PREFIX "mayfly"

/**
 * struct cgroup_base - the group of version 2 in which a container's is made
 * @fd: its directory, under an exclusive flock(2) until cgroup_base_unlock()
 * @path: absolute; owned
 * @enabled: the controllers that groups in it have
 * @leaf: the group in it that mayfly has moved into, to be left with cgroup_base_leave(); NULL: it
 *        did not have to; owned
 */
struct cgroup_base {
    int fd;
    char *path;
    unsigned enabled;
    char *leaf;
};

#define CGROUP_BASE_INIT ((struct cgroup_base){.fd = -1})

/**
 * struct cgroup_request - what a group of version 2 has to offer
 * @needed: controllers without which it is of no use
 * @useful: controllers to count with, where they cost nothing
 * @run_fd: the run's directory, for the record; -1: nothing is changed, not even for @needed
 */
struct cgroup_request {
    unsigned needed;
    unsigned useful;
    int run_fd;
};

/**
 * cgroup_base_open() - find the group in which a container's group can be made
 * @host: read anew when the process had to be moved
 *
 * In this order: this process's own group, where it holds no process or is the hierarchy's top;
 * for @needed, own group after its processes were moved to a leaf, where that is allowed;
 * a scope that systemd makes and delegates; the nearest group above that may be used.
 * Return: 0, or -errno with a text that names the controller and the mend.
 */
int cgroup_base_open(struct cgroup_base *base, struct cgroup_host *host,
                     const struct cgroup_request *request, const struct log *log, struct err *err);

/** cgroup_base_unlock() - others may use the base again; the container's group has been made. */
void cgroup_base_unlock(struct cgroup_base *base);

/** cgroup_base_done() - free and close; nothing is undone. */
void cgroup_base_done(struct cgroup_base *base);

/**
 * cgroup_base_leave() - move what is in a leaf back to where it was, and remove the leaf
 * @leaf: absolute path; one that other containers still need is left to them
 */
void cgroup_base_leave(const char *leaf);

/** cgroup_base_is_ours() - whether a path's last part is a name that mayfly gives. */
bool cgroup_base_is_ours(const char *path);

#endif
