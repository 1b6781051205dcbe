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
    return s->grace_deadline_nsec < deadline ? s->grace_deadline_nsec : deadline;
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
        struct pollfd fds[2] = {{.fd = fd, .events = events},
                                {.fd = s->signal_fd, .events = POLLIN}};

        if (supervise_check(s) != 0)
            return -EINTR;
        if (fd < 0)
            return 0;
        if (poll(fds, 2, clock_poll_timeout(clock_monotonic(), nearest_deadline(s))) < 0 &&
            errno != EINTR)
            return -errno;
        if (fds[0].revents)
            return 0;
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

int supervise_await(struct supervisor *s, struct message *message, struct err *err) {
    for (;;) {
        struct pollfd fds[3 + TERMINAL_N_POLL] = {
            {.fd = s->container->socket_fd, .events = POLLIN},
            {.fd = s->signal_fd, .events = POLLIN},
            {.fd = s->pidfd, .events = POLLIN},
        };
        _cleanup_close_ int fd = -1;
        int r;

        terminal_poll(&s->terminal, fds + 3);
        if (poll(fds, N_ELEMENTS(fds), clock_poll_timeout(clock_monotonic(), nearest_deadline(s))) <
                0 &&
            errno != EINTR)
            return err_errno(err, "cannot wait for the container");
        terminal_dispatch(&s->terminal, fds + 3);
        if (fds[0].revents & POLLIN) {
            r = message_receive(s->container->socket_fd, message, &fd, 1, NULL);
            if (r == -EPIPE)
                return supervise_explain_death(s, err);
            if (r < 0)
                return err_set(err, r, "the container sent what is no message");
            if (message->kind != MESSAGE_TERMINAL)
                return 0;
            terminal_attach(&s->terminal, take_fd(fd));
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
