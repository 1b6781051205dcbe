/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_STATS_H
#define MAYFLY_KEPT_STATS_H

#include "containers.h"
#include "engine/base/err.h"
#include "engine/cgroup/cgroup.h"

/**
 * struct kept_stats - what a container uses
 * @net_received_bytes, @net_sent_bytes: of all interfaces but the loopback; CGROUP_UNKNOWN
 * @up_nsec: how long it has been running
 */
struct kept_stats {
    struct cgroup_stats cgroup;
    uint64_t net_received_bytes;
    uint64_t net_sent_bytes;
    uint64_t up_nsec;
};

/**
 * kept_stats() - ask what a container that lives uses
 *
 * Context: host.
 * Return: 0, -ENOTCONN with a text when it does not run, -ENOENT with a text when it has no cgroup,
 * or -errno with a text.
 */
int kept_stats(const struct containers *containers, const struct kept *kept,
               struct kept_stats *ret_stats, struct err *err);

#endif
