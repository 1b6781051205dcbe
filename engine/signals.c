/* SPDX-License-Identifier: Apache-2.0 */
/*
 * While mayfly has something to put away, a signal is an event among others: it
 * is blocked and read from a descriptor.  What there was before comes back
 * afterwards, since this may be a library in a program with handlers of its own.
 */
#include "signals.h"

#include "base/cleanup.h"

#include <sys/signalfd.h>
#include <unistd.h>

static void ends(sigset_t *ret_set) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

    sigemptyset(ret_set);
    for (size_t i = 0; i < N_ELEMENTS(signals); i++) {
        struct sigaction action;

        if (sigaction(signals[i], NULL, &action) < 0 || action.sa_handler != SIG_IGN)
            sigaddset(ret_set, signals[i]);
    }
}

static int open_fd(const sigset_t *set, struct err *err) {
    int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);

    return fd < 0 ? err_errno(err, "cannot take signals") : fd;
}

int signals_take(struct signals *signals, struct err *err) {
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t set;
    int fd;

    ends(&set);
    sigaddset(&set, SIGWINCH);
    fd = signals->fd = open_fd(&set, err);
    if (fd < 0)
        return fd;
    sigaction(SIGCHLD, &standard, &signals->child);
    sigprocmask(SIG_BLOCK, &set, &signals->mask);
    return 0;
}

void signals_release(struct signals *signals) {
    if (signals->fd < 0)
        return;
    close(take_fd(signals->fd));
    sigprocmask(SIG_SETMASK, &signals->mask, NULL);
    sigaction(SIGCHLD, &signals->child, NULL);
}

int signals_open_ends(struct err *err) {
    sigset_t set;

    ends(&set);
    return open_fd(&set, err);
}

int signals_next(int fd) {
    struct signalfd_siginfo info;

    return read(fd, &info, sizeof info) == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}
