/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in another network namespace.  A process with privileges goes there and
 * comes back.  One without can only go where it is root, into the user
 * namespace that owns the other, and there is no way back from that: so a
 * child goes, which shares memory and descriptors with this process, while
 * this process waits for it as after vfork(2).  What the child opens stays
 * open here; that it was opened by root of that namespace is what the kernel
 * asks about when such a socket is used later.
 *
 * Spec: setns(2), user_namespaces(7), ioctl_ns(2), clone(2).
 */
#include "network_enter.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#define STACK_BYTES (256u << 10)

static int open_own(struct err *err) {
    int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    return fd < 0 ? err_errno(err, "this process's network namespace") : fd;
}

/** go_back() - Return: @r, or why the way back is closed. */
static int go_back(int fd, int r, struct err *err) {
    if (setns(fd, CLONE_NEWNET) < 0)
        return err_errno(err, "back to the host's network namespace");
    return r;
}

int network_enter_new(struct err *err) {
    _cleanup_close_ int back = open_own(err), fd = -1;
    int r;

    if (back < 0)
        return back;
    if (unshare(CLONE_NEWNET) < 0)
        return err_errno(err, "a network namespace for the bridge");
    fd = open_own(err);
    r = go_back(back, fd < 0 ? fd : 0, err);
    return r < 0 ? r : take_fd(fd);
}

int network_enter_owner(int ns_fd, struct err *err) {
    int fd = ioctl(ns_fd, NS_GET_USERNS);

    /* The kernel's own descriptor, which it opens with O_CLOEXEC. */
    return fd < 0 ? err_errno(err, "the user namespace of the bridge") : fd;
}

static int call_here(int ns_fd, int (*function)(void *argument, struct err *err), void *argument,
                     struct err *err) {
    _cleanup_close_ int back = open_own(err);
    int r;

    if (back < 0)
        return back;
    if (setns(ns_fd, CLONE_NEWNET) < 0)
        return err_errno(err, "the bridge's network namespace");
    r = function(argument, err);
    return go_back(back, r, err);
}

/** struct call - what the child does, and what came of it */
struct call {
    int owner_fd;
    int ns_fd;
    int (*function)(void *argument, struct err *err);
    void *argument;
    struct err *err;
    int result;
};

static int run_call(void *argument) {
    struct call *call = argument;

    if (setns(call->owner_fd, CLONE_NEWUSER) < 0 || setns(call->ns_fd, CLONE_NEWNET) < 0)
        call->result = err_errno(call->err, "the bridge's network namespace");
    else
        call->result = call->function(call->argument, call->err);
    _exit(0);
}

static int call_as_owner(struct call *call, struct err *err) {
    sigset_t all, before;
    int status, dumpable = prctl(PR_GET_DUMPABLE);
    pid_t pid;
    char *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);

    if (stack == MAP_FAILED)
        return err_nomem(err);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid =
        clone(run_call, stack + STACK_BYTES, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, call);
    if (pid < 0)
        call->result = err_errno(err, "cannot make a process");
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    /* Memory is shared, and so is this: others of this user have to find the namespace here. */
    if (dumpable == 1)
        prctl(PR_SET_DUMPABLE, 1);
    sigprocmask(SIG_SETMASK, &before, NULL);
    munmap(stack, STACK_BYTES);
    return call->result;
}

int network_enter(int ns_fd, bool with_owner, int (*function)(void *argument, struct err *err),
                  void *argument, struct err *err) {
    struct call call = {
        .ns_fd = ns_fd, .function = function, .argument = argument, .err = err, .result = -EPIPE};
    _cleanup_close_ int owner_fd = -1;

    if (!with_owner)
        return call_here(ns_fd, function, argument, err);
    owner_fd = call.owner_fd = network_enter_owner(ns_fd, err);
    return owner_fd < 0 ? owner_fd : call_as_owner(&call, err);
}
