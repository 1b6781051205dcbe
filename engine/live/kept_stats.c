/* SPDX-License-Identifier: Apache-2.0 */
/* What a container uses: its cgroup tells, and its network namespace's counters. */
#include "kept_stats.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define MAX_FILE_BYTES (1u << 20)

/* Spec: proc(5), /proc/[pid]/net/dev: eight counters received, then those sent. */
static void read_network(pid_t pid, struct kept_stats *stats) {
    _cleanup_free_ char *text = NULL;
    char path[40];

    stats->net_received_bytes = stats->net_sent_bytes = CGROUP_UNKNOWN;
    snprintf(path, sizeof path, "/proc/%d/net/dev", (int)pid);
    if (fd_read_file(AT_FDCWD, path, MAX_FILE_BYTES, &text, NULL) < 0)
        return;
    stats->net_received_bytes = stats->net_sent_bytes = 0;
    for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
        char *colon = strchr(line, ':');
        uint64_t received, sent;

        line += strspn(line, " ");
        if (colon && !str_after(line, "lo:") &&
            sscanf(colon + 1, "%" SCNu64 " %*u %*u %*u %*u %*u %*u %*u %" SCNu64, &received,
                   &sent) == 2) {
            stats->net_received_bytes += received;
            stats->net_sent_bytes += sent;
        }
    }
}

int kept_stats(const struct containers *containers, const struct kept *kept,
               struct kept_stats *ret_stats, struct err *err) {
    _cleanup_close_ int run_fd = -1;
    struct cgroup *cgroup = NULL;
    int r;

    if (!kept_is_live(kept))
        return err_set(err, -ENOTCONN, "container %s is not running", kept->name);
    run_fd = kept_open_run(containers, kept);
    if (run_fd < 0)
        return err_set(err, -ENOTCONN, "container %s has just ended", kept->name);
    r = cgroup_load(&cgroup, run_fd, err);
    if (r == -ENOENT)
        return err_set(err, r,
                       "container %s has no cgroup, which alone counts what it uses: 'mayfly "
                       "doctor' says what this host lacks",
                       kept->name);
    if (r < 0)
        return err_wrap(err, "container %s", kept->name);
    cgroup_stats(cgroup, &ret_stats->cgroup);
    cgroup_close(cgroup);
    read_network(kept->state.pid, ret_stats);
    ret_stats->up_nsec = clock_realtime() - kept->state.started_nsec;
    return 0;
}
