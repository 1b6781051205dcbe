/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 has given up what a privileged program is to have, and nobody gets that
 * back; so such a program comes from outside:
 *
 *   caller --MESSAGE_ENTER--> PID 1, which answers with its namespaces
 *   └─ enters all of them, and waits
 *      └─ server: in the container, no child of PID 1's
 *         └─ the program
 *
 * The server does for its one job what PID 1 does for all others (jobs.c), and
 * ends with it, or with its caller.  What the program leaves behind becomes PID
 * 1's, as ever.
 *
 * Spec: setns(2): a new pid namespace is that of children; the user namespace
 * comes first, as it gives the capabilities that the others take.
 */
#include "enter.h"

#include "child.h"
#include "engine/base/cleanup.h"
#include "engine/base/sys.h"
#include "engine/confine/confine.h"
#include "engine/message.h"
#include "engine/userns.h"
#include "jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

static const char *const names[ENTER_N_NAMESPACES] = {
    "user", "mnt", "pid_for_children", "net", "ipc", "uts", "cgroup",
};

int enter_open(const struct inside *inside, int ret_fds[ENTER_N_NAMESPACES], struct err *err) {
    char path[40];

    for (size_t i = 0; i < ENTER_N_NAMESPACES; i++) {
        snprintf(path, sizeof path, "%sself/ns/%s", inside->proc_fd >= 0 ? "" : "/proc/", names[i]);
        ret_fds[i] = openat(inside->proc_fd, path, O_RDONLY | O_CLOEXEC);
        if (ret_fds[i] >= 0)
            continue;
        err_errno(err, "cannot open the container's namespaces");
        while (i-- > 0)
            close(ret_fds[i]);
        return err->code;
    }
    return 0;
}

/* Some are the host's own (--net host, --userns host), which nobody enters anew. */
static bool is_own(int fd, const char *name) {
    struct stat own, other;
    char path[40];

    snprintf(path, sizeof path, "/proc/self/ns/%s", name);
    return stat(path, &own) == 0 && fstat(fd, &other) == 0 && own.st_ino == other.st_ino &&
           own.st_dev == other.st_dev;
}

static int join(const struct container *container, const int *namespaces, struct err *err) {
    bool own[ENTER_N_NAMESPACES];

    /* As long as /proc is the host's. */
    for (size_t i = 0; i < ENTER_N_NAMESPACES; i++)
        own[i] = is_own(namespaces[i], names[i]);
    for (size_t i = 0; i < ENTER_N_NAMESPACES; i++) {
        if (!own[i] && setns(namespaces[i], 0) < 0)
            return err_errno(err, "cannot enter the container's %s namespace", names[i]);
        if (i == 0 && userns_become_root(&container->map, err) < 0)
            return err->code;
    }
    return 0;
}

/* The socket, as 3, is all that comes along. */
static int leave_behind(int socket_fd, struct err *err) {
    if ((socket_fd != 3 && dup3(socket_fd, 3, O_CLOEXEC) < 0) || sys_close_range(4, ~0U) < 0)
        return err_errno(err, "cannot close descriptors");
    return 0;
}

static void reap(struct jobs *jobs, int signal_fd) {
    struct signalfd_siginfo info[16];
    int status;
    pid_t pid;

    while (read(signal_fd, info, sizeof info) == (ssize_t)sizeof info)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        jobs_reap(jobs, pid, status);
}

/* How it went: the job can be asked for, or @err. */
static void tell(int socket_fd, const struct err *err) {
    const struct message message = {.kind = err->code < 0 ? MESSAGE_ERROR : MESSAGE_DONE,
                                    .err = *err};

    (void)message_send(socket_fd, &message, NULL, 0);
}

/* Until the job has ended, or who asked for it has. */
static int serve(const struct container *container, struct err *err) {
    struct jobs jobs = {0};
    struct inside inside;
    sigset_t all;
    int signal_fd, r = inside_init(&inside, container, NULL, err);

    sigfillset(&all);
    signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    if (r == 0 && (signal_fd < 0 || jobs_add(&jobs, 3) < 0))
        r = err_errno(err, "cannot begin in the container");
    if (r == 0)
        tell(3, err);
    while (r == 0 && jobs.n > 0) {
        struct pollfd *fds = jobs_poll(&jobs, 1);

        if (!fds)
            return err_nomem(err);
        fds[0] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
        if (poll(fds, 1 + jobs.n, -1) < 0)
            continue;
        reap(&jobs, signal_fd);
        jobs_dispatch(&jobs, &inside, fds + 1);
    }
    return r;
}

static int begin(const struct container *container, const int *namespaces, struct err *err) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), r;

    child_reset_signals();
    /* Nothing in the container looks into a process that still is the host's. */
    if (null < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
        return err_errno(err, "cannot set up a process for the container");
    child_hide_arguments();
    for (int i = 0; i < 3; i++)
        dup2(null, i);
    close(null);
    r = confine_leave_keyring(err);
    if (r == -EDQUOT)
        return err_set(err, r, "the user has as many keys as may be (keyrings(7))");
    return r < 0 ? r : join(container, namespaces, err);
}

int enter_run(const struct container *container, const int *namespaces, int socket_fd) {
    struct err err = {0};
    int r = begin(container, namespaces, &err);
    pid_t pid = r < 0 ? -1 : fork();

    if (r == 0 && pid < 0)
        r = err_errno(&err, "cannot make a process in the container");
    if (pid == 0) {
        r = leave_behind(socket_fd, &err);
        if (r == 0)
            r = serve(container, &err);
        if (r < 0)
            tell(3, &err);
        return r < 0;
    }
    if (r < 0)
        tell(socket_fd, &err);
    (void)sys_close_range(0, ~0U);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return r < 0;
}
