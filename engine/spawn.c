/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One clone3(2) makes the child and all of its namespaces.  When it is refused,
 * the kernel's few error numbers stand for many switches; which of them is to
 * blame is looked up only then.
 */
#include "spawn.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

/* A switch under /proc/sys as a number; -1 when it is not there. */
static long read_switch(const char *path) {
    _cleanup_free_ char *text = NULL;

    return fd_read_file(AT_FDCWD, path, 64, &text, NULL) == 0 ? atol(text) : -1;
}

int spawn_explain(int cgroup_fd, struct err *err) {
    static const char *const limits[] = {"user", "mnt", "pid", "ipc", "uts", "net", "cgroup"};
    int code = -errno;
    char path[64];

    /* What only the control group can be to blame for: its rights, its processes, its kind. */
    if (cgroup_fd >= 0 &&
        (code == -EACCES || code == -EBUSY || code == -EOPNOTSUPP || code == -ENODEV))
        return err_errno(err, "cannot start the container in its cgroup");
    if (code == -ENOSPC || code == -EUSERS) {
        for (size_t i = 0; i < N_ELEMENTS(limits); i++) {
            snprintf(path, sizeof path, "/proc/sys/user/max_%s_namespaces", limits[i]);
            if (read_switch(path) == 0)
                return err_set(err, code,
                               "%s namespaces are forbidden here (user.max_%s_namespaces is 0): "
                               "allow them with sysctl user.max_%s_namespaces=10000",
                               limits[i], limits[i], limits[i]);
        }
        return err_set(err, code,
                       "no more namespaces are allowed here: raise user.max_*_namespaces with "
                       "sysctl, or nest less deeply (32 levels at most)");
    }
    if (code == -EPERM && read_switch("/proc/sys/kernel/unprivileged_userns_clone") == 0)
        return err_set(err, code,
                       "users may not make user namespaces here: allow it with sysctl "
                       "kernel.unprivileged_userns_clone=1, or run as root");
    if (code == -EPERM)
        return err_set(err, code,
                       "the kernel refuses new namespaces: a security policy (AppArmor, a seccomp "
                       "filter of an outer container, or a chroot) forbids them");
    if (code == -ENOSYS)
        return err_set(err, code, "the kernel has no clone3");
    if (code == -EINVAL)
        return err_set(err, code,
                       "the kernel lacks one of the user, mount, pid, ipc, uts, net and cgroup "
                       "namespaces");
    return err_errno(err, "cannot make a process with namespaces of its own");
}

static void set_cgroup(struct clone_args *args, int cgroup_fd) {
    if (cgroup_fd < 0)
        return;
    args->flags |= CLONE_INTO_CGROUP;
    args->cgroup = (uint64_t)cgroup_fd;
}

pid_t spawn(uint64_t flags, int cgroup_fd, int *ret_pidfd, struct err *err) {
    int pidfd = -1;
    struct clone_args args = {
        .flags = flags | CLONE_PIDFD,
        .pidfd = (uint64_t)(uintptr_t)&pidfd,
        .exit_signal = SIGCHLD,
    };
    pid_t pid;

    set_cgroup(&args, cgroup_fd);
    pid = sys_clone3(&args);
    if (pid < 0)
        return spawn_explain(cgroup_fd, err);
    if (pid > 0)
        *ret_pidfd = pidfd;
    return pid;
}

/*
 * A child that has this process's memory goes into the other namespace, and makes there a child
 * that is this process's: it has a copy of the memory, and with it this very call, from which it
 * returns.
 */
/* NOLINTBEGIN(clang-analyzer-unix.Vfork,clang-analyzer-security.insecureAPI.vfork): on Linux the
 * child may call what this process could; setns(2) is what it is made for. */
pid_t spawn_within(int owner_fd, uint64_t flags, int cgroup_fd, int *ret_pidfd, struct err *err) {
    struct clone_args args = {.flags = flags | CLONE_PARENT};
    volatile pid_t pid = 0;
    volatile int failure = 0;
    pid_t helper;

    set_cgroup(&args, cgroup_fd);
    helper = vfork();
    if (helper < 0)
        return err_errno(err, "cannot make a process");
    if (helper == 0) {
        if (setns(owner_fd, CLONE_NEWUSER) < 0) {
            failure = errno;
            _exit(0);
        }
        pid = sys_clone3(&args);
        if (pid == 0)
            return 0;
        failure = pid < 0 ? errno : 0;
        _exit(0);
    }
    while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
        ;
    errno = failure;
    if (pid <= 0)
        return spawn_explain(cgroup_fd, err);
    *ret_pidfd = sys_pidfd_open(pid);
    return *ret_pidfd < 0 ? err_errno(err, "cannot open a process") : pid;
}
/* NOLINTEND(clang-analyzer-unix.Vfork,clang-analyzer-security.insecureAPI.vfork) */

int spawn_wait(int pidfd) {
    siginfo_t info = {0};
    int r;

    do
        r = waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return -errno;
    return info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
}
