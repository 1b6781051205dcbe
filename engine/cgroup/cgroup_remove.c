/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a group.  It can be removed once no process is in it; a process
 * leaves when the kernel is done with it, a moment after its parent has seen it
 * die.  Version 2 says so by an event on cgroup.events; version 1 says nothing,
 * and is asked again after a pause that doubles.
 */
#include "cgroup_remove.h"

#include "cgroup_file.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <time.h>

/* How long dying processes are waited for. */
#define DEATH_NSEC (10 * NSEC_PER_SEC)
#define FIRST_PAUSE_NSEC (NSEC_PER_MSEC / 10)
#define LONGEST_PAUSE_NSEC (20 * NSEC_PER_MSEC)
/* Groups below groups that a nested engine may have left. */
#define MAX_DEPTH 32

static void kill_listed(int dir_fd) {
    _cleanup_free_ char *text = NULL;

    if (cgroup_file_read(dir_fd, "cgroup.procs", &text) < 0)
        return;
    for (char *p = text, *end; *p; p = end + (*end == '\n')) {
        long pid = strtol(p, &end, 10);

        if (end == p)
            return;
        if (pid > 0)
            (void)kill((pid_t)pid, SIGKILL);
    }
}

void cgroup_kill_all(int dir_fd) {
    if (cgroup_file_write(dir_fd, "cgroup.kill", "1") == 0)
        return;
    kill_listed(dir_fd);
    /* What is frozen by version 1 does not even die. */
    (void)cgroup_file_write(dir_fd, "freezer.state", "THAWED");
}

/* Waits until the group may be empty.  Return: false when the deadline has passed. */
static bool await_change(int dir_fd, uint64_t deadline_nsec, uint64_t *pause_nsec) {
    const struct timespec pause = {.tv_nsec = (long)*pause_nsec};

    if (clock_monotonic() >= deadline_nsec)
        return false;
    if (cgroup_file_await(dir_fd, "populated", 0, deadline_nsec) == -ETIMEDOUT)
        return false;
    /* The event of version 2 comes a moment before the removal is possible, version 1 has none. */
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    if (*pause_nsec < LONGEST_PAUSE_NSEC)
        *pause_nsec *= 2;
    return true;
}

static int remove_at(int parent_fd, const char *name, uint64_t deadline_nsec, int depth);

/* Removes the groups below the one that @dir_fd is open on. */
static void remove_below(int dir_fd, uint64_t deadline_nsec, int depth) {
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir && fd >= 0)
        close(fd);
    while (dir && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && !str_is_dots(entry->d_name))
            (void)remove_at(dir_fd, entry->d_name, deadline_nsec, depth + 1);
}

static int remove_at(int parent_fd, const char *name, uint64_t deadline_nsec, int depth) {
    uint64_t pause_nsec = FIRST_PAUSE_NSEC;
    _cleanup_close_ int fd = -1;

    while (sys_unlinkat(parent_fd, name, AT_REMOVEDIR) < 0) {
        if (errno == ENOENT)
            return 0;
        if (errno != EBUSY || depth > MAX_DEPTH)
            return -errno;
        if (fd < 0)
            fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            return errno == ENOENT ? 0 : -errno;
        cgroup_kill_all(fd);
        remove_below(fd, deadline_nsec, depth);
        if (!await_change(fd, deadline_nsec, &pause_nsec))
            return -EBUSY;
    }
    return 0;
}

int cgroup_remove(const char *path) {
    return remove_at(AT_FDCWD, path, clock_monotonic() + DEATH_NSEC, 0);
}
