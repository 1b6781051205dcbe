/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's groups do and tell while it lives: freezing, killing,
 * counting.  Each number is asked of version 2 first, then of the controller of
 * version 1; what neither has stays unknown.
 */
#include "cgroup_file.h"
#include "cgroup_group.h"
#include "cgroup_remove.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"

#include <errno.h>
#include <time.h>

/* How long a freeze may take: a process in the middle of a slow system call stands still late. */
#define FREEZE_NSEC (10 * NSEC_PER_SEC)

void cgroup_kill(const struct cgroup *cgroup) {
    if (!cgroup)
        return;
    for (size_t i = 0; i < cgroup->n_v1; i++)
        cgroup_kill_all(cgroup->v1[i].fd);
    if (cgroup->v2.fd >= 0)
        cgroup_kill_all(cgroup->v2.fd);
}

/* Version 1 tells nothing: it is asked again after a pause. */
static int await_v1(int dir_fd, const char *state) {
    uint64_t deadline = clock_monotonic() + FREEZE_NSEC;
    const struct timespec pause = {.tv_nsec = (long)NSEC_PER_MSEC};

    for (;;) {
        _cleanup_free_ char *text = NULL;
        int r = cgroup_file_read(dir_fd, "freezer.state", &text);

        if (r < 0 || strncmp(text, state, strlen(state)) == 0)
            return r;
        if (clock_monotonic() >= deadline)
            return -ETIMEDOUT;
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
}

static int switch_frozen(const struct cgroup *cgroup, bool frozen, struct err *err) {
    const struct cgroup_group *freezer = cgroup ? cgroup_group_v1(cgroup, CGROUP_FREEZER) : NULL;
    const char *word = frozen ? "FROZEN" : "THAWED";
    int r = -ENOENT;

    if (cgroup && cgroup->v2.fd >= 0) {
        r = cgroup_file_write(cgroup->v2.fd, "cgroup.freeze", frozen ? "1" : "0");
        if (r == 0)
            r = cgroup_file_await(cgroup->v2.fd, "frozen", frozen, clock_monotonic() + FREEZE_NSEC);
    }
    if (r == -ENOENT && freezer) {
        r = cgroup_file_write(freezer->fd, "freezer.state", word);
        if (r == 0)
            r = await_v1(freezer->fd, word);
    }
    if (r == -ENOENT)
        return err_set(err, -EOPNOTSUPP,
                       "the container has no cgroup of its own, by which it could be stopped: "
                       "'mayfly doctor' says what this host lacks");
    if (r < 0) {
        errno = -r;
        return err_errno(err, frozen ? "cannot stop the container's processes"
                                     : "cannot let the container's processes go on");
    }
    return 0;
}

int cgroup_freeze(const struct cgroup *cgroup, struct err *err) {
    int r = switch_frozen(cgroup, true, err);

    /* Half of a container standing still is worse than none. */
    if (r == -ETIMEDOUT)
        (void)switch_frozen(cgroup, false, NULL);
    return r;
}

int cgroup_thaw(const struct cgroup *cgroup, struct err *err) {
    return switch_frozen(cgroup, false, err);
}

static void read_number(const struct cgroup_group *group, const char *file, uint64_t unit,
                        uint64_t *place) {
    uint64_t value;

    if (*place == CGROUP_UNKNOWN && group && group->fd >= 0 &&
        cgroup_file_read_u64(group->fd, file, &value) == 0 && value != CGROUP_FILE_MAX)
        *place = value * unit;
}

static void read_key(const struct cgroup_group *group, const char *file, const char *key,
                     uint64_t unit, uint64_t *place) {
    uint64_t value;

    if (*place == CGROUP_UNKNOWN && group && group->fd >= 0 &&
        cgroup_file_read_key(group->fd, file, key, &value) == 0)
        *place = value * unit;
}

/* Adds up what "MAJOR:MINOR rbytes=N wbytes=N ..." lines say of each disk. */
static void read_io_v2(const struct cgroup_group *group, struct cgroup_stats *stats) {
    _cleanup_free_ char *text = NULL;

    if (group->fd < 0 || cgroup_file_read(group->fd, "io.stat", &text) < 0)
        return;
    stats->io_read_bytes = stats->io_write_bytes = 0;
    for (char *word, *rest = text; (word = strsep(&rest, " \n"));) {
        const char *read_bytes = str_after(word, "rbytes="), *written = str_after(word, "wbytes=");

        if (read_bytes)
            stats->io_read_bytes += strtoull(read_bytes, NULL, 10);
        if (written)
            stats->io_write_bytes += strtoull(written, NULL, 10);
    }
}

/* "MAJOR:MINOR Read N" and so on. */
static void read_io_v1(const struct cgroup_group *group, struct cgroup_stats *stats) {
    _cleanup_free_ char *text = NULL;

    if (!group || cgroup_file_read(group->fd, "blkio.throttle.io_service_bytes", &text) < 0)
        return;
    stats->io_read_bytes = stats->io_write_bytes = 0;
    for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
        const char *read_bytes = strstr(line, " Read "), *written = strstr(line, " Write ");

        if (read_bytes)
            stats->io_read_bytes += strtoull(read_bytes + 6, NULL, 10);
        if (written)
            stats->io_write_bytes += strtoull(written + 7, NULL, 10);
    }
}

static void read_memory(const struct cgroup *cgroup, struct cgroup_stats *stats) {
    const struct cgroup_group *v2 = &cgroup->v2, *v1 = cgroup_group_v1(cgroup, CGROUP_MEMORY);

    read_number(v2, "memory.current", 1, &stats->memory_bytes);
    read_number(v1, "memory.usage_in_bytes", 1, &stats->memory_bytes);
    read_number(v2, "memory.peak", 1, &stats->memory_peak_bytes);
    read_number(v1, "memory.max_usage_in_bytes", 1, &stats->memory_peak_bytes);
    read_key(v2, "memory.stat", "inactive_file", 1, &stats->memory_cache_bytes);
    read_key(v1, "memory.stat", "total_inactive_file", 1, &stats->memory_cache_bytes);
    read_key(v2, "memory.events", "oom_kill", 1, &stats->oom_kills);
    read_key(v1, "memory.oom_control", "oom_kill", 1, &stats->oom_kills);
}

void cgroup_stats(const struct cgroup *cgroup, struct cgroup_stats *stats) {
    const struct cgroup_group *v2 = &cgroup->v2, *cpu = cgroup_group_v1(cgroup, CGROUP_CPU);
    const struct cgroup_group *pids = cgroup_group_v1(cgroup, CGROUP_PIDS);

    *stats = (struct cgroup_stats){CGROUP_UNKNOWN, CGROUP_UNKNOWN, CGROUP_UNKNOWN, CGROUP_UNKNOWN,
                                   CGROUP_UNKNOWN, CGROUP_UNKNOWN, CGROUP_UNKNOWN, CGROUP_UNKNOWN,
                                   CGROUP_UNKNOWN, CGROUP_UNKNOWN};
    read_memory(cgroup, stats);
    read_key(v2, "cpu.stat", "usage_usec", 1000, &stats->cpu_nsec);
    read_number(cgroup_group_v1(cgroup, CGROUP_CPUACCT), "cpuacct.usage", 1, &stats->cpu_nsec);
    read_key(v2, "cpu.stat", "throttled_usec", 1000, &stats->cpu_throttled_nsec);
    read_key(cpu, "cpu.stat", "throttled_time", 1, &stats->cpu_throttled_nsec);
    read_number(v2, "pids.current", 1, &stats->pids);
    read_number(pids, "pids.current", 1, &stats->pids);
    read_number(v2, "pids.peak", 1, &stats->pids_peak);
    read_number(pids, "pids.peak", 1, &stats->pids_peak);
    read_io_v1(cgroup_group_v1(cgroup, CGROUP_IO), stats);
    read_io_v2(v2, stats);
}

uint64_t cgroup_oom_kills(const struct cgroup *cgroup) {
    uint64_t n = CGROUP_UNKNOWN;

    if (!cgroup)
        return 0;
    read_key(&cgroup->v2, "memory.events", "oom_kill", 1, &n);
    read_key(cgroup_group_v1(cgroup, CGROUP_MEMORY), "memory.oom_control", "oom_kill", 1, &n);
    return n == CGROUP_UNKNOWN ? 0 : n;
}
