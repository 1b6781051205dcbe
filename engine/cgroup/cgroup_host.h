/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_HOST_H
#define MAYFLY_CGROUP_HOST_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>

/** CGROUP_x - a controller of control groups, as a bit. */
#define CGROUP_CPU (1u << 0)
#define CGROUP_CPUACCT (1u << 1)
#define CGROUP_CPUSET (1u << 2)
#define CGROUP_FREEZER (1u << 3)
#define CGROUP_IO (1u << 4)
#define CGROUP_MEMORY (1u << 5)
#define CGROUP_PIDS (1u << 6)

/**
 * struct cgroup_controller - what a controller is called
 * @v2: NULL: version 2 has it in every group
 * @option: the command line's option that needs it; NULL: none
 */
struct cgroup_controller {
    unsigned bit;
    const char *v2;
    const char *v1;
    const char *option;
};

#define CGROUP_N_CONTROLLERS 7
extern const struct cgroup_controller cgroup_controllers[CGROUP_N_CONTROLLERS];

/** cgroup_controllers_parse() - the bits of a list, names between @separators; unknown ones are
 * passed over. */
unsigned cgroup_controllers_parse(const char *list, const char *separators, bool is_v2);

/** cgroup_controller_first() - the controller of the lowest bit in @mask, which is not 0. */
const struct cgroup_controller *cgroup_controller_first(unsigned mask);

/** CGROUP_HOST_MAX - hierarchies of version 1 that are looked at. */
#define CGROUP_HOST_MAX CGROUP_N_CONTROLLERS

/**
 * struct cgroup_place - this process's own group in one hierarchy
 * @top: directory where the hierarchy is mounted
 * @own: directory of the group, @top or below it
 * @controllers: bound to the hierarchy; version 1 alone
 * @is_read_only: the mount is
 */
struct cgroup_place {
    char *top;
    char *own;
    unsigned controllers;
    bool is_read_only;
};

/**
 * struct cgroup_host - the control groups that this process can see
 * @v2: its strings are NULL where version 2 is not mounted
 * @v1: @n_v1 of them; all of version 1's
 */
struct cgroup_host {
    struct cgroup_place v2;
    struct cgroup_place v1[CGROUP_HOST_MAX];
    size_t n_v1;
};

/**
 * cgroup_host_parse() - find the groups in the kernel's two lists
 * @memberships: /proc/self/cgroup
 * @mounts: /proc/self/mountinfo
 *
 * A hierarchy that is mounted nowhere, or only where this process's own group cannot be seen, is
 * left out.
 * Spec: cgroups(7), "/proc files"; proc(5), /proc/pid/mountinfo.
 * Return: 0 or -ENOMEM.
 */
int cgroup_host_parse(struct cgroup_host *host, const char *memberships, const char *mounts);

/** cgroup_host_read() - the same from /proc.  Return: 0 or -errno with a text. */
int cgroup_host_read(struct cgroup_host *host, struct err *err);

/** cgroup_host_done() - free all, nothing is left. */
void cgroup_host_done(struct cgroup_host *host);

/** cgroup_host_v1() - the hierarchy of version 1 with the controller of this bit, or NULL. */
const struct cgroup_place *cgroup_host_v1(const struct cgroup_host *host, unsigned controller);

#endif
