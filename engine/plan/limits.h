/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LIMITS_H
#define MAYFLY_LIMITS_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** LIMITS_CPU_PERIOD_USEC - in each period of this length a container may use its quota. */
#define LIMITS_CPU_PERIOD_USEC UINT64_C(100000)

/** LIMITS_MEMORY_LEAST - PID 1 and a shell fit into this; bytes. */
#define LIMITS_MEMORY_LEAST (UINT64_C(2) << 20)

/** LIMITS_UNLIMITED - of memory and swap together: swap has no limit. */
#define LIMITS_UNLIMITED UINT64_MAX

/** LIMITS_MAX_CPUS - CPU numbers are below this. */
#define LIMITS_MAX_CPUS 8192

/**
 * struct io_limit - what a container may do with one disk
 * @path: a block device, or a file or directory on it; owned
 * @read_bps, @write_bps: bytes a second; @read_iops, @write_iops: operations a second; 0: no limit
 */
struct io_limit {
    char *path;
    uint64_t read_bps;
    uint64_t write_bps;
    uint64_t read_iops;
    uint64_t write_iops;
};

/**
 * struct limits - what a container may use of its host; 0 or NULL is no limit
 * @memory_bytes: the page cache of its files included
 * @memory_swap_bytes: memory and swap together; 0: as @memory_bytes, no swap; LIMITS_UNLIMITED
 * @cpu_quota_usec: of processor time in each LIMITS_CPU_PERIOD_USEC, all CPUs together
 * @cpu_shares: weight against others that want the CPU too; 1024 is what everything has unless told
 * @cpuset: the CPUs it may use, as in "0-3,8"; owned
 * @pids: processes and threads, PID 1 included
 * @io: @n_io of them; owned
 * @wanted: a cgroup of its own where the host lets us, also without a limit: to pause it, to count
 *          what it uses
 */
struct limits {
    uint64_t memory_bytes;
    uint64_t memory_swap_bytes;
    uint64_t cpu_quota_usec;
    uint64_t cpu_shares;
    char *cpuset;
    uint64_t pids;
    struct io_limit *io;
    size_t n_io;
    bool wanted;
};

/** limits_done() - free all that the limits hold; none are left. */
void limits_done(struct limits *limits);

/** limits_any() - whether there is a limit, so that a host that cannot enforce it is an error. */
bool limits_any(const struct limits *limits);

/** limits_check() - find what is wrong between limits.  Return: 0 or -EINVAL with a text. */
int limits_check(const struct limits *limits, struct err *err);

/**
 * limits_set_memory(), ... - set one limit as people write it; the names are the options'
 *
 * memory, memory-swap: bytes with k, m or g; memory-swap also -1.  cpus: a number with a fraction.
 * cpu-shares: 2 to 262144.  cpuset: numbers and ranges.  pids: a number; 0 and -1 lift the limit.
 * Return: 0, -EINVAL with a text that names the option and the mend, -ENOMEM.
 */
int limits_set_memory(struct limits *limits, const char *value, struct err *err);
int limits_set_memory_swap(struct limits *limits, const char *value, struct err *err);
int limits_set_cpus(struct limits *limits, const char *value, struct err *err);
int limits_set_cpu_shares(struct limits *limits, const char *value, struct err *err);
int limits_set_cpuset(struct limits *limits, const char *value, struct err *err);
int limits_set_pids(struct limits *limits, const char *value, struct err *err);

/**
 * limits_add_io() - limit one disk
 * @spec: PATH:KEY=NUMBER[,KEY=NUMBER]..., KEY being rbps, wbps (bytes a second; with k, m or g),
 *        riops or wiops
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int limits_add_io(struct limits *limits, const char *spec, struct err *err);

/** struct cpu_mask - a set of CPUs, by number */
struct cpu_mask {
    uint64_t bits[LIMITS_MAX_CPUS / 64];
};

/**
 * cpu_mask_parse() - read a list like "0-3,8"
 *
 * Spec: cpuset(7), "List format".  The empty list is none.
 * Return: 0, -EINVAL when it is no list, -ERANGE for a CPU from LIMITS_MAX_CPUS on.
 */
int cpu_mask_parse(const char *text, struct cpu_mask *ret_mask);

/** cpu_mask_holds() - whether all of @part is in @whole. */
bool cpu_mask_holds(const struct cpu_mask *whole, const struct cpu_mask *part);

/** limits_format_bytes() - append a size for people: "64 MiB", "1.5 GiB", "512 B". */
void limits_format_bytes(struct buf *buf, uint64_t bytes);

#endif
