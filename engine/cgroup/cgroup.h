/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_H
#define MAYFLY_CGROUP_H

#include "engine/base/err.h"
#include "engine/base/log.h"
#include "engine/base/str.h"
#include "engine/plan/limits.h"

#include <stdint.h>
#include <sys/types.h>

/** CGROUP_UNKNOWN - a number that this host does not tell. */
#define CGROUP_UNKNOWN UINT64_MAX

/**
 * struct cgroup_stats - what a container uses and has used; CGROUP_UNKNOWN where nobody counts
 * @memory_bytes: now, page cache included
 * @memory_cache_bytes: the part of it that would be given back for the asking
 * @memory_peak_bytes: the most at one time (version 2: from Linux 5.19 on)
 * @oom_kills: processes killed for want of memory
 * @cpu_nsec: of processor time
 * @cpu_throttled_nsec: how long it has waited for its quota
 * @pids: processes and threads now
 * @pids_peak: the most at one time (from Linux 6.1 on)
 * @io_read_bytes, @io_write_bytes: with disks
 */
struct cgroup_stats {
    uint64_t memory_bytes;
    uint64_t memory_cache_bytes;
    uint64_t memory_peak_bytes;
    uint64_t oom_kills;
    uint64_t cpu_nsec;
    uint64_t cpu_throttled_nsec;
    uint64_t pids;
    uint64_t pids_peak;
    uint64_t io_read_bytes;
    uint64_t io_write_bytes;
};

/** struct cgroup - a container's control groups: one of version 2, and some of version 1 */
struct cgroup;

/**
 * cgroup_create() - make the groups of a container, with its limits set
 * @ret_cgroup: NULL when none is asked for, or one was wanted (limits->wanted) and cannot be had;
 *              on failure what was made until then, to be destroyed
 * @name: the container's
 * @run_fd: the run's directory, in which groups are put on record before they are made
 *
 * Context: host.  May move this process into a leaf of its own group or a scope of systemd's, see
 * cgroup_base.h; no system call when neither a limit nor a group is asked for.
 * Return: 0, or -errno with a text that names the controller and the mend.
 */
int cgroup_create(struct cgroup **ret_cgroup, const struct limits *limits, const char *name,
                  int run_fd, const struct log *log, struct err *err);

/** cgroup_birth_fd() - the directory for CLONE_INTO_CGROUP; -1: there is no group of version 2. */
int cgroup_birth_fd(const struct cgroup *cgroup);

/**
 * cgroup_delegate() - let a user make groups in the container's own of version 2
 *
 * The limits themselves stay this process's.
 * Spec: cgroups(7), "Cgroups delegation".
 * Return: 0 or -errno with a text; 0 as well when there is no such group.
 */
int cgroup_delegate(const struct cgroup *cgroup, uid_t uid, gid_t gid, struct err *err);

/**
 * cgroup_hierarchies() - the hierarchies of version 1 that the container has groups in
 * @ret_names: empty; receives each as mount(8) wants it: "memory", "cpu,cpuacct"
 *
 * Return: 0 or -ENOMEM.
 */
int cgroup_hierarchies(const struct cgroup *cgroup, struct strv *ret_names);

/**
 * cgroup_enter() - put a new process into the groups of version 1
 * @pid: a child that waits; it has no children yet
 *
 * Costs some 10 ms where there is such a group, and nothing where there is none.
 * Return: 0 or -errno with a text.
 */
int cgroup_enter(const struct cgroup *cgroup, pid_t pid, struct err *err);

/** cgroup_kill() - end all processes in it, at once where the kernel can (Linux 5.14). */
void cgroup_kill(const struct cgroup *cgroup);

/**
 * cgroup_freeze() - stop all processes in it until cgroup_thaw()
 *
 * Return: 0 when all stand still, -EOPNOTSUPP with a text where there is no group that can, or
 * another -errno with a text.
 */
int cgroup_freeze(const struct cgroup *cgroup, struct err *err);

/** cgroup_thaw() - let them go on.  Return: as cgroup_freeze(). */
int cgroup_thaw(const struct cgroup *cgroup, struct err *err);

/** cgroup_stats() - read what it uses. */
void cgroup_stats(const struct cgroup *cgroup, struct cgroup_stats *ret_stats);

/** cgroup_oom_kills() - cgroup_stats.oom_kills alone; 0 when it is not known. */
uint64_t cgroup_oom_kills(const struct cgroup *cgroup);

/**
 * cgroup_destroy() - remove the groups and free the memory; NULL is allowed
 *
 * Whatever is still in them is killed first.
 * Return: 0, or -errno when one is left; it is still on record.
 */
int cgroup_destroy(struct cgroup *cgroup, const struct log *log);

/**
 * cgroup_load() - the groups of a container that another process has made
 * @run_fd: the run's directory
 *
 * For cgroup_freeze(), cgroup_thaw(), cgroup_kill() and cgroup_stats(); to be freed with
 * cgroup_close().
 * Return: 0, -ENOENT with a text when the container has none, or -errno with a text.
 */
int cgroup_load(struct cgroup **ret_cgroup, int run_fd, struct err *err);

/** cgroup_close() - free the memory; the groups stay. */
void cgroup_close(struct cgroup *cgroup);

#endif
