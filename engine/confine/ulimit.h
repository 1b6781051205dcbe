/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ULIMIT_H
#define MAYFLY_ULIMIT_H

#include "engine/base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** ULIMIT_UNLIMITED - no limit, also of the kernel's. */
#define ULIMIT_UNLIMITED UINT64_MAX

/** struct ulimit - a limit of each process by itself; @resource is one of RLIMIT_x */
struct ulimit {
    int resource;
    uint64_t soft;
    uint64_t hard;
};

/** struct ulimits - @n of them; owned */
struct ulimits {
    struct ulimit *items;
    size_t n;
};

/** ulimits_done() - free all; none are left. */
void ulimits_done(struct ulimits *ulimits);

/**
 * ulimits_add() - set a limit, instead of an earlier one of the same kind
 * @spec: NAME=SOFT[:HARD], as with docker: names are those of setrlimit(2) in small letters
 * (nofile, nproc, core, ...), -1 and "unlimited" lift a limit
 *
 * Return: 0, -EINVAL with a text, -ENOMEM.
 */
int ulimits_add(struct ulimits *ulimits, const char *spec, struct err *err);

/**
 * ulimits_prepare() - let a new process, and all of its children, have these limits
 * @pid: a child that waits
 *
 * Raises its hard limits where they are below.
 * Context: host.
 * Return: 0, or -errno with a text that names the limit and the mend.
 */
int ulimits_prepare(const struct ulimits *ulimits, pid_t pid, struct err *err);

/**
 * ulimits_apply() - take the limits on
 *
 * Context: a child that is to become a program; system calls alone.
 * Return: 0, or -1 and errno.
 */
int ulimits_apply(const struct ulimits *ulimits);

#endif
