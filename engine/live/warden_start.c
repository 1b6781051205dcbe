/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A supervisor's birth.  It is a grandchild, so that nobody has to wait for it;
 * until it says that the container runs it stays in the caller's process group
 * and session, where ^C reaches it as well.
 */
#include "engine/base/cleanup.h"
#include "engine/message.h"
#include "engine/signals.h"
#include "warden.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* In the child: makes the grandchild, which tells its pid first. */
static void give_birth(const struct warden_request *request, int report_fd) {
    pid_t pid = fork();
    struct message message = {.kind = MESSAGE_SIGNAL};

    if (pid != 0)
        return;
    message.value = getpid();
    if (message_send(report_fd, &message, NULL, 0) == 0)
        warden_run(request, report_fd);
}

/* Waits for what it says; signals are handed on to it. */
static int await_report(int report_fd, int signal_fd, int *ret_signal, struct err *err) {
    struct pollfd fds[] = {{.fd = report_fd, .events = POLLIN},
                           {.fd = signal_fd, .events = POLLIN}};
    struct message message;
    pid_t supervisor = 0;

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for the container's supervisor");
        if (fds[0].revents) {
            if (message_receive(report_fd, &message, NULL, 0, NULL) < 0)
                return err_set(err, -EPIPE, "the container's supervisor has died");
            if (message.kind == MESSAGE_READY)
                return 0;
            if (message.kind == MESSAGE_SIGNAL) {
                supervisor = message.value;
                continue;
            }
            *err = message.err;
            return message.value ? message.value : err->code < 0 ? err->code : -EIO;
        }
        for (int signal; fds[1].revents && (signal = signals_next(signal_fd));) {
            if (signal == SIGWINCH)
                continue;
            *ret_signal = signal;
            if (supervisor > 0)
                kill(supervisor, signal);
        }
    }
}

int warden_start(const struct warden_request *request, int *ret_signal, struct err *err) {
    struct signals signals = SIGNALS_INIT;
    _cleanup_close_ int ours = -1;
    int pair[2], r;
    pid_t pid;

    *ret_signal = 0;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    r = signals_take(&signals, err);
    pid = r < 0 ? -1 : fork();
    if (pid == 0) {
        close(ours);
        give_birth(request, pair[1]);
        _exit(0);
    }
    close(pair[1]);
    if (pid < 0 && r == 0)
        r = err_errno(err, "cannot start a supervisor");
    if (pid > 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
        r = await_report(ours, signals.fd, ret_signal, err);
    }
    signals_release(&signals);
    return r;
}
