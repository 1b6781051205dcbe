/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A step is started as posix_spawn(3) does it: the child borrows PID 1's memory
 * until execve(2), which spares copying page tables and lets the child leave
 * word of what failed in plain memory.  Until then it makes system calls only,
 * no library call that keeps state; ids are changed by bare system calls, since
 * the C library's would look for other threads.
 */
#include "step.h"

#include "engine/base/cleanup.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum stage {
    STAGE_ENTER,
    STAGE_STDIO,
    STAGE_ULIMITS,
    STAGE_FILTER,
    STAGE_IDS,
    STAGE_WORKDIR,
    STAGE_EXEC
};

struct launch {
    const struct step *step;
    const char *path; /* value of PATH */
    char candidate[PATH_MAX];
    /* Written by the child. */
    enum stage failed_stage;
    int failed_errno;
};

static void set_stdio(const struct step *step) {
    setsid();
    if (step->terminal_fd >= 0)
        ioctl(step->terminal_fd, TIOCSCTTY, 0);
    /* All sources are above 2, or at their own place. */
    for (int i = 0; i < 3; i++) {
        int from = step->stdio[i] >= 0 ? step->stdio[i] : step->terminal_fd;

        if (from == i)
            fcntl(i, F_SETFD, 0);
        else
            dup2(from, i);
    }
}

static int set_ids(const struct user *user) {
    if (!user)
        return 0;
    if (user->uid == 0 && user->gid == 0 && user->n_groups == 0)
        return 0;
    if (syscall(SYS_setgroups, user->n_groups, user->groups) < 0 ||
        syscall(SYS_setresgid, user->gid, user->gid, user->gid) < 0)
        return -1;
    return user->uid ? (int)syscall(SYS_setresuid, user->uid, user->uid, user->uid) : 0;
}

/* Tries each directory of PATH; returns with errno set, the most telling one. */
static void exec_in_path(struct launch *launch) {
    const struct step *step = launch->step;
    const char *name = step->argv[0];
    int worst = ENOENT;

    if (strchr(name, '/')) {
        execve(name, step->argv, step->env);
        return;
    }
    for (const char *p = launch->path, *end; *name; p = end + 1) {
        end = strchrnul(p, ':');
        if ((size_t)(end - p) + strlen(name) + 2 <= sizeof launch->candidate) {
            char *q = mempcpy(launch->candidate, p, (size_t)(end - p));

            *q++ = '/';
            strcpy(q, name);
            execve(end == p ? name : launch->candidate, step->argv, step->env);
            if (errno != ENOENT && errno != ENOTDIR)
                worst = errno;
        }
        if (!*end)
            break;
    }
    errno = worst;
}

static int child(void *argument) {
    struct launch *launch = argument;
    const struct step *step = launch->step;
    sigset_t none;

    launch->failed_stage = STAGE_ENTER;
    launch->failed_errno = step->enter ? -step->enter(step->argument) : 0;
    if (launch->failed_errno)
        _exit(127);
    launch->failed_stage = STAGE_STDIO;
    set_stdio(step);
    launch->failed_stage = STAGE_ULIMITS;
    if (step->ulimits && ulimits_apply(step->ulimits) < 0) {
        launch->failed_errno = errno;
        _exit(127);
    }
    umask(022);
    sys_close_range(3, ~0U);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* From here on a profile may forbid what it likes, execve(2) aside. */
    launch->failed_stage = STAGE_FILTER;
    errno = -confine_step(step->confine);
    if (errno == 0) {
        launch->failed_stage = STAGE_IDS;
        if (set_ids(step->user) == 0) {
            launch->failed_stage = STAGE_WORKDIR;
            if (chdir(step->workdir) == 0) {
                launch->failed_stage = STAGE_EXEC;
                exec_in_path(launch);
            }
        }
    }
    launch->failed_errno = errno;
    _exit(127);
}

int step_enter(const struct step *step) {
    int r;

    set_stdio(step);
    umask(022);
    if (step->ulimits && ulimits_apply(step->ulimits) < 0)
        return -errno;
    r = confine_step(step->confine);
    if (r < 0)
        return r;
    if (set_ids(step->user) < 0 || chdir(step->workdir) < 0)
        return -errno;
    return confine_closure(step->confine);
}

static int explain(const struct launch *launch, struct err *err) {
    const char *program = launch->step->argv[0];
    int code = -launch->failed_errno;

    errno = launch->failed_errno;
    switch (launch->failed_stage) {
    case STAGE_ENTER:
        return code; /* it has said why */
    case STAGE_STDIO:
        return err_errno(err, "cannot give a step its standard input and output");
    case STAGE_ULIMITS:
        return err_set(err, -EINVAL, "--ulimit: a limit cannot be set: %s",
                       strerror(launch->failed_errno));
    case STAGE_FILTER:
        if (code == -ENOENT)
            return err_set(err, code,
                           "--security-opt apparmor=%s: the kernel has no such profile: load it "
                           "with apparmor_parser",
                           launch->step->confine->apparmor);
        return err_errno(err, "cannot put a step under the profile or label of --security-opt");
    case STAGE_IDS:
        return err_set(err, -EPERM, "cannot become user %u of the container: %s",
                       launch->step->user->uid, strerror(launch->failed_errno));
    case STAGE_WORKDIR:
        return err_set(err, -EBADF, "cannot enter the workdir %s: %s", launch->step->workdir,
                       strerror(launch->failed_errno));
    case STAGE_EXEC:
        break;
    }
    if (code == -ENOENT && access(program, F_OK) == 0)
        return err_set(err, -EACCES, "%s cannot be executed: its interpreter or loader is missing",
                       program);
    if (code == -ENOENT && str_eq(program, "/bin/sh"))
        return err_set(err, -ENOENT,
                       "the image has no /bin/sh, which -S needs: run a program with -X");
    if (code == -ENOENT || code == -ENOTDIR)
        return err_set(err, -ENOENT, "the image has no program %s", program);
    if (code == -ENOEXEC)
        return err_set(err, -EACCES,
                       "%s cannot be executed: not a program for this machine, or a script without "
                       "a #! line",
                       program);
    return err_set(err, -EACCES, "%s cannot be executed: %s", program, strerror(-code));
}

static const char *path_of(char *const *env) {
    for (; *env; env++)
        if (strncmp(*env, "PATH=", 5) == 0)
            return *env + 5;
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

pid_t step_spawn(const struct step *step, struct err *err) {
    static char stack[64 * 1024] __attribute__((aligned(64)));
    struct launch launch = {.step = step, .path = path_of(step->env)};
    pid_t pid;

    if (fault_point("spawn"))
        return err_errno(err, "cannot start a step");
    /* CLONE_VFORK: returns when the child has called execve(2) or is gone. */
    pid = clone(child, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD, &launch);
    if (pid < 0)
        return err_errno(err, "cannot start a step");
    return launch.failed_errno ? explain(&launch, err) : pid;
}
