/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's side, from clone(2) to PID 1 at work.
 *
 *   host's side                        this side
 *   -----------                        ---------
 *   clone                              wait for MESSAGE_BUILD
 *   write the id maps, clone trees
 *   MESSAGE_BUILD ------------------>  become root, mount, pivot, confine
 *   <------------------- MESSAGE_READY (or MESSAGE_ERROR)
 *   MESSAGE_ACTION ----------------->  a step, a copy, a workdir
 *   <-------------------- MESSAGE_DONE (or MESSAGE_ERROR)
 *   ... closes the socket              ends, and all in the container with it
 */
#include "child.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "engine/confine/caps.h"
#include "engine/confine/confine.h"
#include "engine/confine/sysctl.h"
#include "engine/connect.h"
#include "engine/message.h"
#include "engine/trees.h"
#include "engine/userns.h"
#include "init.h"
#include "net/network.h"
#include "rootfs/pivot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define MAX_ARGUMENTS_BYTES (8u << 20)

/* Waits for the host's side to have done its part; takes the trees. */
static int await_build(const struct container *container, struct trees *trees) {
    struct message message;

    *trees = TREES_INIT;
    if (message_receive(container->socket_fd, &message, trees->fds, N_ELEMENTS(trees->fds),
                        &trees->n) < 0)
        return -EPIPE;
    return message.kind == MESSAGE_BUILD ? 0 : -EPROTO;
}

/* Overwritten where it is found by its content; a caller that has moved it keeps its own. */
void child_hide_arguments(void) {
    static const char name[] = "mayfly";
    _cleanup_free_ char *text = NULL;
    size_t size = 0;

    prctl(PR_SET_NAME, name);
    if (fd_read_file(AT_FDCWD, "/proc/self/cmdline", MAX_ARGUMENTS_BYTES, &text, &size) < 0 ||
        size < sizeof name)
        return;
    for (size_t i = 0; i < size; i++)
        if (program_invocation_name[i] != text[i])
            return;
    memset(program_invocation_name, 0, size);
    memcpy(program_invocation_name, name, sizeof name);
}

static int become(const struct container *container, struct err *err) {
    int r = userns_become_root(&container->map, err);
    char byte;

    if (r < 0)
        return r;
    /* After the change of ids, which clears it. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
        return err_errno(err, "cannot set up PID 1");
    /* The host's side may have died before that: nothing is built for a dead man. */
    if (recv(container->socket_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        _exit(1);
    child_hide_arguments();
    setsid();
    umask(0);
    return 0;
}

void child_reset_signals(void) {
    static const char standard[64]; /* the kernel's struct sigaction: SIG_DFL, no flags, no mask */
    sigset_t all;

    /* Not sigaction(3), which leaves out those that the C library uses itself. */
    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, standard, NULL, NSIG / 8);
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
}

/*
 * Leaves the socket, as 3, the lock on the run's directory, as 4, and those of the standard
 * descriptors that are the steps' and no terminals.
 */
static int close_rest(struct container *container, struct err *err) {
    int lock = fcntl(container->state.fd, F_DUPFD_CLOEXEC, 5), socket_fd = container->socket_fd;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    if (null < 0)
        return err_errno(err, "cannot open /dev/null");
    for (int i = 0; i < 3; i++)
        if (container->streams)
            dup2(container->streams[i], i);
        else if (container->between[i] >= 0)
            dup2(container->between[i], i);
        else if (container->terminals[i] || !container->has_streams)
            dup2(null, i);
    container->socket_fd = 3;
    if (lock < 0 || (socket_fd != 3 && dup3(socket_fd, 3, O_CLOEXEC) < 0) ||
        dup3(lock, 4, O_CLOEXEC) < 0)
        return err_errno(err, "cannot move a descriptor");
    if (sys_close_range(5, ~0U) < 0)
        return err_errno(err, "cannot close descriptors");
    return 0;
}

/* ping(8) needs no privilege then.  Spec: icmp(7), ping_group_range. */
static void allow_ping(const struct container *container) {
    const struct id_range *last = &container->map.gids[container->map.n_gids - 1];
    _cleanup_close_ int fd = open("/proc/sys/net/ipv4/ping_group_range", O_WRONLY | O_CLOEXEC);

    /* Kernels without IPv4 have no such file, and nothing to ping. */
    if (fd >= 0)
        dprintf(fd, "0 %u\n", last->inside + last->count - 1);
}

static int build(const struct container *container, struct trees *trees, struct err *err) {
    const struct plan *plan = container->plan;
    const char *hostname = container_hostname(container);
    _cleanup_close_ int root = -1;
    size_t n_stacked = 0;
    int r;

    /* A new user namespace sees to it that no mount comes back to the host. */
    if (container->map.mode == IDMAP_HOST &&
        sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_errno(err, "cannot take the mounts apart from the host's");
    if (container->cgroup && unshare(CLONE_NEWCGROUP) < 0)
        return err_errno(err, "cannot make a cgroup namespace");
    root = trees_build(container, trees, &n_stacked, err);
    if (root < 0)
        return root;
    if (plan->net == NET_NONE) {
        r = network_setup_loopback(err);
        if (r < 0)
            return r;
    }
    if (plan->net != NET_HOST)
        allow_ping(container);
    if (plan->sysctls.n > 0) {
        r = sysctl_apply(&plan->sysctls, err);
        if (r < 0)
            return r;
    }
    /* The filter of a container around this one may refuse it; its name does then. */
    if (sethostname(hostname, strlen(hostname)) < 0 && (errno != EPERM || plan->hostname))
        return err_errno(err, "cannot set the host name %s", hostname);
    r = pivot_into(root, n_stacked, plan->read_only, err);
    if (r == PIVOT_ON_TOP && container->confine.caps & CAPS_BIT(CAP_SYS_ADMIN))
        return err_set(err, -EPERM,
                       "in an initramfs a container cannot have the capability SYS_ADMIN: it could "
                       "unmount its root and reach the host's (leave it first, with switch_root)");
    return r < 0 ? r : 0;
}

int child_main(struct container *container) {
    struct emulator *emulator = NULL;
    struct trees trees;
    struct err err = {0};
    int r, keys;

    child_reset_signals();
    r = keys = confine_leave_keyring(&err);
    if (r == -EDQUOT)
        r = 0;
    if (await_build(container, &trees) < 0)
        return 1;
    if (r == 0)
        r = become(container, &err);
    if (r == 0)
        r = build(container, &trees, &err);
    if (r == 0)
        r = close_rest(container, &err);
    if (r == 0 && keys < 0)
        r = confine_forbid_keys(&err);
    if (r == 0)
        r = confine_apply(&container->confine, container->map.mode == IDMAP_SINGLE, &emulator,
                          &err);
    if (r == 0)
        r = init_run(container, emulator, &err);
    if (r < 0) {
        const struct message message = {.kind = MESSAGE_ERROR, .err = err};

        (void)message_send(container->socket_fd, &message, NULL, 0);
    }
    return r < 0;
}
