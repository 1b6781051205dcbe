/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Into a container from outside.  What enters is put into the container's cgroups
 * first: whatever else it may do, it stays within the limits.
 */
#include "kept_enter.h"

#include "ask.h"
#include "engine/base/cleanup.h"
#include "engine/inside/enter.h"
#include "engine/message.h"
#include "engine/session.h"
#include "engine/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

static int ask_namespaces(const struct kept *kept, int ret_fds[ENTER_N_NAMESPACES],
                          struct err *err) {
    _cleanup_close_ int fd = ask_job(kept, err);
    struct message message = {.kind = MESSAGE_ENTER};
    size_t n = 0;

    if (fd < 0)
        return fd;
    (void)message_send(fd, &message, NULL, 0);
    if (message_receive(fd, &message, ret_fds, ENTER_N_NAMESPACES, &n) < 0)
        return err_set(err, -EPIPE, "the container has ended");
    if (n == ENTER_N_NAMESPACES)
        return 0;
    while (n-- > 0)
        close(ret_fds[n]);
    *err = message.err;
    return err->code < 0 ? err->code : -EPROTO;
}

/* What it is made of, as far as a program in it has to know. */
static int describe(struct containers *containers, const struct kept *kept, struct life *life,
                    struct container *container, struct err *err) {
    const char *id = kept->state.image_id;
    int r = kept_life(kept, life, err);

    if (r == 0)
        r = session_choose_ids(&life->plan, &container->map, err);
    if (r == 0)
        r = image_find(&container->image, &containers->store, *id ? id : life->plan.image, err);
    if (r == IMAGE_MISSING)
        r = err_set(err, -ENOENT, "the image %s is no longer here", life->plan.image);
    container->plan = &life->plan;
    container->log = containers->log;
    container->state.name = (char *)kept->state.run;
    return r;
}

/* Where the container's programs are: an image's init has what is above to itself (boot.c). */
static int open_group(const struct cgroup *cgroup) {
    int above = cgroup_birth_fd(cgroup);
    int fd = above < 0 ? -1 : openat(above, "mayfly", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 && above >= 0 ? fcntl(above, F_DUPFD_CLOEXEC, 3) : fd;
}

/* Return: this side's end of the connection to what has entered, or -errno with a text. */
static int send_in(const struct container *container, const struct cgroup *cgroup,
                   const int *namespaces, struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1, group = open_group(cgroup), pidfd = -1;
    int pair[2], r;
    char go = 0;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    theirs = pair[1];
    pid = spawn(0, group, &pidfd, err);
    if (pid < 0)
        return pid;
    if (pid == 0) {
        close(ours);
        _exit(recv(theirs, &go, 1, 0) != 1 || enter_run(container, namespaces, theirs));
    }
    close(take_fd(theirs));
    r = cgroup_enter(cgroup, pid, err);
    if (r == 0)
        (void)send(ours, &go, 1, MSG_NOSIGNAL);
    if (r == 0)
        r = ask_await(ours, NULL, err);
    if (r == 0)
        return take_fd(ours);
    close(take_fd(ours));
    spawn_wait(pidfd);
    return r;
}

int kept_enter(struct containers *containers, const struct kept *kept, struct err *err) {
    _cleanup_close_ int run_fd = kept_open_run(containers, kept);
    struct container container = {.socket_fd = -1};
    int namespaces[ENTER_N_NAMESPACES];
    struct cgroup *cgroup = NULL;
    _cleanup_life_ struct life life;
    struct err ignored;
    int r;

    life_init(&life);
    r = describe(containers, kept, &life, &container, err);
    if (r == 0)
        r = ask_namespaces(kept, namespaces, err);
    if (r == 0) {
        if (run_fd >= 0) {
            (void)cgroup_load(&cgroup, run_fd, &ignored);
            selinux_load(&container.confine.selinux, run_fd);
        }
        r = send_in(&container, cgroup, namespaces, err);
        for (size_t i = 0; i < ENTER_N_NAMESPACES; i++)
            close(namespaces[i]);
    }
    cgroup_close(cgroup);
    image_done(&container.image);
    return r < 0 ? err_wrap(err, "container %s", kept->name) : r;
}
