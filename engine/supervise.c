/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side while the container lives: one poll(2) for everything that
 * can happen, with the nearest deadline as its timeout.
 *
 * A signal to mayfly is handed to the running step, which has GRACE_NSEC to end
 * in order; a second one, or the time being up, ends the run at once.  Ending
 * means killing PID 1: the kernel takes the rest of the container along.
 */
#include "supervise.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "connect.h"
#include "net/network.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define GRACE_NSEC (3 * NSEC_PER_SEC)

static uint64_t nearest_deadline(const struct supervisor *s) {
    uint64_t deadline = s->deadline_nsec;

    if (s->step_deadline_nsec < deadline)
        deadline = s->step_deadline_nsec;
    if (s->grace_deadline_nsec < deadline)
        deadline = s->grace_deadline_nsec;
    return deadline;
}

int supervise_poll(const struct supervisor *s, struct pollfd *fds, size_t n,
                   uint64_t deadline_nsec) {
    struct network *network = s->container->network;
    size_t n_network = network ? network_poll(network, fds + n) : 0;
    int r;

    if (network && network_deadline(network) < deadline_nsec)
        deadline_nsec = network_deadline(network);
    r = poll(fds, n + n_network, clock_poll_timeout(clock_monotonic(), deadline_nsec));
    if (network) {
        network_dispatch(network, r < 0 ? NULL : fds + n, n_network, clock_monotonic());
        connect_renew(s->container, s->pidfd);
    }
    return r < 0 && errno != EINTR ? -errno : 0;
}

static int wait_for_all(const struct supervisor *s, struct pollfd *fds, size_t n) {
    return supervise_poll(s, fds, n, nearest_deadline(s));
}

/* SUPERVISE_INTERRUPTED or SUPERVISE_TIMEOUT when a deadline has passed, else 0. */
static int check_deadlines(const struct supervisor *s) {
    uint64_t now = clock_monotonic();

    if (now >= s->grace_deadline_nsec)
        return SUPERVISE_INTERRUPTED;
    return now >= s->deadline_nsec || now >= s->step_deadline_nsec ? SUPERVISE_TIMEOUT : 0;
}

/* Reads the signals that have come; those that end the run are handed to the step first. */
static int take_signals(struct supervisor *s) {
    struct signalfd_siginfo info;

    while (read(s->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        struct message message = {.kind = MESSAGE_SIGNAL, .value = (int)info.ssi_signo};

        if (info.ssi_signo == SIGWINCH) {
            terminal_resize(&s->terminal);
            continue;
        }
        if (s->interrupted)
            return SUPERVISE_INTERRUPTED;
        s->interrupted = (int)info.ssi_signo;
        s->grace_deadline_nsec = clock_add(clock_monotonic(), GRACE_NSEC);
        if (s->pidfd < 0)
            return SUPERVISE_INTERRUPTED;
        (void)message_send(s->container->socket_fd, &message, NULL, 0);
    }
    return 0;
}

int supervise_check(struct supervisor *s) {
    int r = take_signals(s);

    if (r == 0 && s->interrupted)
        r = SUPERVISE_INTERRUPTED;
    return r ? r : check_deadlines(s);
}

int supervise_wait_fd(void *context, int fd, short events) {
    struct supervisor *s = context;

    for (;;) {
        struct pollfd fds[2 + NETWORK_MAX_POLL] = {{.fd = fd, .events = events},
                                                   {.fd = s->signal_fd, .events = POLLIN}};

        int r;

        if (supervise_check(s) != 0)
            return -EINTR;
        if (fd < 0)
            return 0;
        r = wait_for_all(s, fds, 2);
        if (r < 0)
            return r;
        if (fds[0].revents)
            return 0;
    }
}

int supervise_idle(struct supervisor *s, int fd, struct err *err) {
    for (;;) {
        struct pollfd fds[3 + NETWORK_MAX_POLL] = {
            {.fd = fd, .events = POLLIN},
            {.fd = s->signal_fd, .events = POLLIN},
            {.fd = s->pidfd, .events = POLLIN},
        };
        int r;

        if (wait_for_all(s, fds, 3) < 0)
            return err_errno(err, "cannot wait for the container");
        if (fds[2].revents)
            return supervise_explain_death(s, err);
        r = supervise_check(s);
        if (r != 0 || fds[0].revents)
            return r;
    }
}

int supervise_explain_death(const struct supervisor *s, struct err *err) {
    siginfo_t info = {0};

    /* Not reaped here: whoever unwinds waits for it. */
    if (waitid((idtype_t)P_PIDFD, (id_t)s->pidfd, &info, WEXITED | WNOWAIT) == 0 &&
        info.si_code != CLD_EXITED)
        return err_set(err, -EPIPE, "the container's PID 1 was killed by signal %d (%s)%s",
                       info.si_status, strsignal(info.si_status),
                       info.si_status == SIGKILL ? ": out of memory, or somebody did it" : "");
    return err_set(err, -EPIPE, "the container's PID 1 ended with status %d", info.si_status);
}

/* A message that brings descriptors is for the terminal or the network, and nobody waits for it. */
static int take_descriptors(struct supervisor *s, const struct message *message, int came[2],
                            size_t n_came, struct err *err) {
    if (message->kind == MESSAGE_TERMINAL && n_came == 1) {
        terminal_attach(&s->terminal, came[0]);
        return 0;
    }
    if (message->kind == MESSAGE_LEASE && n_came == 2 && s->container->network)
        return connect_adopt(s->container, came, err);
    while (n_came > 0)
        close(came[--n_came]);
    return err_set(err, -EPROTO, "the container sent what nobody asked for");
}

int supervise_receive(struct supervisor *s, struct message *message, struct err *err) {
    int came[2] = {-1, -1}, r;
    size_t n_came = 0;

    r = message_receive(s->container->socket_fd, message, came, 2, &n_came);
    if (r == -EPIPE)
        return supervise_explain_death(s, err);
    if (r < 0)
        return err_set(err, r, "the container sent what is no message");
    if (n_came == 0)
        return 1;
    return take_descriptors(s, message, came, n_came, err);
}

#define N_AWAITED (3 + TERMINAL_N_POLL + CAPTURE_N_POLL + FEED_N_POLL)

int supervise_await(struct supervisor *s, struct message *message, struct err *err) {
    for (;;) {
        struct pollfd fds[N_AWAITED + NETWORK_MAX_POLL] = {
            {.fd = s->container->socket_fd, .events = POLLIN},
            {.fd = s->signal_fd, .events = POLLIN},
            {.fd = s->pidfd, .events = POLLIN},
        };
        int r;

        terminal_poll(&s->terminal, fds + 3);
        for (int i = 0; i < CAPTURE_N_POLL; i++)
            fds[3 + TERMINAL_N_POLL + i].fd = -1;
        if (s->capture)
            capture_poll(s->capture, fds + 3 + TERMINAL_N_POLL);
        fds[N_AWAITED - 1].fd = -1;
        if (s->feed)
            feed_poll(s->feed, fds + N_AWAITED - 1);
        if (wait_for_all(s, fds, N_AWAITED) < 0)
            return err_errno(err, "cannot wait for the container");
        terminal_dispatch(&s->terminal, fds + 3);
        if (s->feed)
            feed_dispatch(s->feed, fds + N_AWAITED - 1);
        /* What a step has written comes before the word of its end. */
        if (s->capture)
            capture_dispatch(s->capture);
        /* Its last words came before its end, though the end may have been seen first. */
        if (fds[2].revents && !fds[0].revents)
            (void)poll(fds, 1, 0);
        if (fds[0].revents & POLLIN) {
            r = supervise_receive(s, message, err);
            if (r != 0)
                return r < 0 ? r : 0;
            continue;
        }
        if (fds[0].revents || fds[2].revents)
            return supervise_explain_death(s, err);
        r = fds[1].revents ? take_signals(s) : 0;
        if (r == 0)
            r = check_deadlines(s);
        if (r != 0)
            return r;
    }
}
