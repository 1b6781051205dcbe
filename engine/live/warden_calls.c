/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor's socket: only the same user is heard.  A connection begins with
 * what is asked for; most are kept until there is an answer.  Those that want a
 * program in the container are handed on to its PID 1, and those that want to be
 * attached to the relay.
 */
#include "warden_private.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/sys.h"
#include "engine/inside/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BACKLOG 128

int warden_listen(struct warden *k, struct err *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err_errno(err, "cannot make a socket");
    (void)sys_unlinkat(k->kept->dir_fd, "socket", 0);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", k->kept->dir_fd);
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0 || listen(fd, BACKLOG) < 0)
        return err_errno(err, "cannot open the container's socket");
    k->listen_fd = take_fd(fd);
    return 0;
}

static bool is_same_user(int fd) {
    struct ucred peer = {.uid = (uid_t)-1};
    socklen_t size = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

void warden_accept(struct warden *k) {
    int fd;

    while ((fd = accept4(k->listen_fd, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct caller *callers = NULL;

        if (is_same_user(fd))
            callers = reallocarray(k->callers, k->n_callers + 1, sizeof *callers);
        if (!callers) {
            close(fd);
            continue;
        }
        k->callers = callers;
        callers[k->n_callers++] = (struct caller){.fd = fd};
        /* What it wants is mostly there already. */
        warden_serve(k, k->n_callers - 1);
    }
}

static void reply(int fd, int value) {
    const struct message message = {.kind = MESSAGE_DONE, .value = value};

    (void)message_send(fd, &message, NULL, 0);
}

static void reply_error(int fd, const struct err *err) {
    const struct message message = {.kind = MESSAGE_ERROR, .err = *err};

    (void)message_send(fd, &message, NULL, 0);
}

/* Forgets a caller, whose connection somebody else has by now, or is closed. */
static void forget(struct warden *k, size_t i, bool is_handed_over) {
    if (!is_handed_over)
        close(k->callers[i].fd);
    k->callers[i] = k->callers[--k->n_callers];
}

static void answer(struct warden *k, enum ask call, int value, const struct err *err) {
    for (size_t i = k->n_callers; i-- > 0;) {
        if (!k->callers[i].has_asked || k->callers[i].call != call)
            continue;
        if (err)
            reply_error(k->callers[i].fd, err);
        else
            reply(k->callers[i].fd, value);
        forget(k, i, false);
    }
}

void warden_answer(struct warden *k, enum ask call, int value) {
    answer(k, call, value, NULL);
}

void warden_refuse(struct warden *k, enum ask call, const struct err *err) {
    answer(k, call, 0, err);
}

int warden_signal(struct warden *k, int signal) {
    const struct message message = {.kind = MESSAGE_SIGNAL, .value = signal};

    return k->main_fd < 0 ? -ESRCH : message_send(k->main_fd, &message, NULL, 0);
}

static void begin_stop(struct warden *k, int value_msec) {
    warden_stop(k, value_msec >= 0 ? (uint64_t)value_msec * NSEC_PER_MSEC
                                   : k->life->stop_timeout_nsec);
}

/* Whether there is something to wait for; else the answer is given. */
static bool must_wait(struct warden *k, const struct message *message, int fd, struct err *err) {
    switch ((enum ask)message->index) {
    case ASK_STOP:
        begin_stop(k, message->value);
        return true;
    case ASK_WAIT:
        return true;
    case ASK_WAIT_HEALTHY:
        if (!k->life->health.command)
            err_set(err, -EINVAL, "container %s has no --health-cmd", k->kept->name);
        else if (k->kept->state.health != HEALTH_HEALTHY)
            return true;
        else
            reply(fd, 0);
        break;
    case ASK_SIGNAL:
        if (warden_signal(k, message->value) < 0)
            err_set(err, -ESRCH, "container %s is not running", k->kept->name);
        else
            reply(fd, 0);
        break;
    case ASK_PAUSE:
    case ASK_UNPAUSE:
        if (warden_pause(k, message->index == ASK_PAUSE, err) == 0)
            reply(fd, 0);
        break;
    default:
        err_set(err, -EPROTO, "the supervisor of container %s does not know this call",
                k->kept->name);
    }
    if (err->code < 0)
        reply_error(fd, err);
    return false;
}

static void serve_job(struct warden *k, size_t i, struct err *err) {
    if (k->main_fd < 0)
        err_set(err, -ENOTCONN, "container %s is not running", k->kept->name);
    else if (k->kept->state.status == KEPT_PAUSED)
        err_set(err, -EBUSY, "container %s is paused: 'mayfly unpause %s' lets it go on",
                k->kept->name, k->kept->name);
    else
        (void)session_introduce(&k->session, k->callers[i].fd, err);
    if (err->code < 0)
        reply_error(k->callers[i].fd, err);
    forget(k, i, false);
}

static void attach(struct warden *k, int fd, const struct message *message, int fds[3]) {
    int wanted[3] = {-1, -1, -1};

    for (int i = 0, next = 0; i < 3; i++)
        if (message->value & 1 << i)
            wanted[i] = take_fd(fds[next++]);
    for (int i = 0; i < 3; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    if (message->window.ws_row > 0)
        relay_resize(&k->relay, &message->window);
    (void)relay_attach(&k->relay, fd, wanted, false);
}

/* Whether nothing has come yet. */
static bool is_silent(int fd) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    return poll(&poll_fd, 1, 0) == 0;
}

void warden_serve(struct warden *k, size_t i) {
    struct message message;
    int fds[3] = {-1, -1, -1}, fd = k->callers[i].fd;
    struct err err = {0};
    size_t n = 0;
    int r = is_silent(fd) ? -EAGAIN : message_receive(fd, &message, fds, 3, &n);

    if (r == -EAGAIN)
        return;
    if (r < 0 || message.kind != MESSAGE_ASK || k->callers[i].has_asked) {
        while (n-- > 0)
            close(fds[n]);
        forget(k, i, false);
        return;
    }
    if (message.index == ASK_ATTACH) {
        forget(k, i, true);
        attach(k, fd, &message, fds);
        return;
    }
    while (n-- > 0)
        close(fds[n]);
    if (message.index == ASK_JOB) {
        serve_job(k, i, &err);
        return;
    }
    k->callers[i].has_asked = true;
    k->callers[i].call = (enum ask)message.index;
    if (!must_wait(k, &message, fd, &err))
        forget(k, i, false);
}

void warden_serve_viewer(struct warden *k, size_t i) {
    struct message message;

    if (message_receive(k->relay.viewers[i].socket_fd, &message, NULL, 0, NULL) < 0 ||
        message.kind != MESSAGE_ASK) {
        relay_detach(&k->relay, i);
        return;
    }
    if (message.index == ASK_WINDOW)
        relay_resize(&k->relay, &message.window);
    else if (message.index == ASK_SIGNAL)
        (void)warden_signal(k, message.value);
}
