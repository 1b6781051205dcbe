/* SPDX-License-Identifier: Apache-2.0 */
/* A container's groups on this host, whatever version they are of: skipped where there are none. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/cgroup/cgroup.h"
#include "engine/cgroup/cgroup_record.h"
#include "engine/cgroup/cgroup_remove.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct scratch scratch;

static void setup(void) {
    scratch_init(&scratch);
}

static void teardown(void) {
    scratch_done(&scratch);
}

TestSuite(cgroup, .init = setup, .fini = teardown);

static struct cgroup *create(void) {
    const struct limits limits = {.wanted = true};
    struct cgroup *cgroup = NULL;
    struct err err = {0};

    cr_assert_eq(cgroup_create(&cgroup, &limits, "unit", scratch.fd, NULL, &err), 0, "%s",
                 err.message);
    if (!cgroup)
        cr_skip_test("no cgroup can be made by this user here");
    return cgroup;
}

/* A process in the group that writes a byte to @fd again and again. */
static pid_t start(const struct cgroup *cgroup, int fd) {
    struct clone_args args = {.exit_signal = SIGCHLD};
    struct err err = {0};
    pid_t pid;

    if (cgroup_birth_fd(cgroup) >= 0) {
        args.flags = CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup_birth_fd(cgroup);
    }
    pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
    if (pid == 0)
        for (;;)
            if (write(fd, ".", 1) < 0)
                _exit(1);
    cr_assert_gt(pid, 0, "%m");
    cr_assert_eq(cgroup_enter(cgroup, pid, &err), 0, "%s", err.message);
    return pid;
}

static void drain(int fd) {
    char bytes[4096];

    cr_assert_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    while (read(fd, bytes, sizeof bytes) > 0)
        ;
}

/* --- freezing ----------------------------------------------------------------- */

Test(cgroup, freeze_and_thaw) {
    struct cgroup *cgroup = create(), *other = NULL;
    struct pollfd readable = {.events = POLLIN};
    struct cgroup_stats stats;
    struct err err = {0};
    int pipe_fds[2], status;
    pid_t pid;

    cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    readable.fd = pipe_fds[0];
    pid = start(cgroup, pipe_fds[1]);
    cr_assert_eq(poll(&readable, 1, 10000), 1);

    /* As another command would. */
    cr_assert_eq(cgroup_load(&other, scratch.fd, &err), 0, "%s", err.message);
    cr_assert_eq(cgroup_freeze(other, &err), 0, "%s", err.message);
    drain(pipe_fds[0]);
    cr_expect_eq(poll(&readable, 1, 20), 0, "it goes on though it is frozen");
    cr_assert_eq(cgroup_thaw(other, &err), 0, "%s", err.message);
    cr_expect_eq(poll(&readable, 1, 10000), 1, "it does not go on");

    cgroup_stats(other, &stats);
    cr_expect_neq(stats.cpu_nsec, CGROUP_UNKNOWN);
    cgroup_close(other);
    cgroup_kill(cgroup);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_expect_eq(cgroup_destroy(cgroup, NULL), 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

/* --- the end ------------------------------------------------------------------ */

static int count(void *argument, enum cgroup_kind kind, const char *path) {
    int *n = argument;

    (void)kind;
    *n += access(path, F_OK) == 0;
    return 0;
}

Test(cgroup, a_frozen_group_is_removed_with_its_processes) {
    struct cgroup *cgroup = create();
    struct err err = {0};
    int pipe_fds[2], status, n = 0;
    pid_t pid;

    cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid = start(cgroup, pipe_fds[1]);
    cr_assert_eq(cgroup_freeze(cgroup, &err), 0, "%s", err.message);
    cr_assert_eq(cgroup_record_each(scratch.fd, count, &n), 0);
    cr_expect_gt(n, 0);
    /* As after a kill of mayfly: by the record alone. */
    cgroup_close(cgroup);
    cgroup_record_clean(scratch.fd);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFSIGNALED(status));
    n = 0;
    cr_assert_eq(cgroup_record_each(scratch.fd, count, &n), 0);
    cr_expect_eq(n, 0, "%d groups are left", n);
    cr_expect_eq(cgroup_load(&cgroup, scratch.fd, &err), -ENOENT);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

Test(cgroup, a_record_names_what_is_ours_alone) {
    _cleanup_free_ char *path = str_printf("%s/not-ours", scratch.path);
    struct err err = {0};

    cr_assert_eq(mkdirat(scratch.fd, "not-ours", 0700), 0);
    cr_assert_eq(cgroup_record_add(scratch.fd, CGROUP_KIND_V2, path, &err), 0, "%s", err.message);
    cgroup_record_clean(scratch.fd);
    cr_expect_eq(access(path, F_OK), 0, "a directory of another name was removed");
    cr_expect_eq(cgroup_remove("/sys/fs/cgroup/mayfly-is-not-there"), 0);
}

Test(cgroup, nothing_asked_for_is_nothing_done) {
    const struct limits limits = {0};
    struct cgroup *cgroup = (struct cgroup *)&limits;

    cr_assert_eq(cgroup_create(&cgroup, &limits, "unit", -1, NULL, NULL), 0);
    cr_expect_null(cgroup);
    cr_expect_eq(cgroup_birth_fd(NULL), -1);
    cr_expect_eq(cgroup_freeze(NULL, NULL), -EOPNOTSUPP);
}
