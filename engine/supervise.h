/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SUPERVISE_H
#define MAYFLY_SUPERVISE_H

#include "base/err.h"
#include "capture.h"
#include "container.h"
#include "feed.h"
#include "message.h"
#include "run.h"
#include "terminal.h"

#include <poll.h>
#include <stdint.h>

/* What waiting ends with beside success and failure; conditions that no other module has. */
#define SUPERVISE_TIMEOUT 10
#define SUPERVISE_INTERRUPTED 11

/**
 * struct supervisor - the host's side while a container lives
 * @signal_fd: signalfd(2) with the signals that a run takes
 * @pidfd: of PID 1; -1 before there is one
 * @interrupted: the signal that asked mayfly to end; 0: none
 * @asked_first: steps_ask_first() has asked for the first action
 * @oom_kills: of cgroup_oom_kills(), those before the action under way
 * @deadline_nsec: of the whole run, CLOCK_MONOTONIC
 * @step_deadline_nsec: of the action under way
 * @grace_deadline_nsec: until which a step may go on after a signal
 * @capture: takes what steps write; NULL: they write to the standard streams themselves
 * @feed: takes what steps read; NULL: they read from the standard input themselves
 * @terminal: the host's, joined to the running step's
 */
struct supervisor {
    struct container *container;
    const struct run_hooks *hooks;
    int signal_fd;
    int pidfd;
    int interrupted;
    bool asked_first;
    uint64_t oom_kills;
    uint64_t deadline_nsec;
    uint64_t step_deadline_nsec;
    uint64_t grace_deadline_nsec;
    struct capture *capture;
    struct feed *feed;
    struct terminal terminal;
};

/**
 * supervise_await() - wait for the container's next message
 *
 * A terminal that comes is attached, and its bytes are carried meanwhile; signals are handed on.
 * Return: 0, a SUPERVISE_ condition, or -errno with a text, also when the container is dead.
 */
int supervise_await(struct supervisor *supervisor, struct message *ret_message, struct err *err);

/**
 * supervise_poll() - poll(2) for @fds and for what the network has to do, which is done here
 * @fds: @n to wait for, and room for NETWORK_MAX_POLL more
 * @deadline_nsec: CLOCK_MONOTONIC, or CLOCK_NEVER
 *
 * Return: 0 or -errno.
 */
int supervise_poll(const struct supervisor *supervisor, struct pollfd *fds, size_t n,
                   uint64_t deadline_nsec);

/**
 * supervise_receive() - take a message that has come from PID 1
 *
 * Return: 1, 0 when it was for the terminal or the network and is dealt with, or -errno with a
 * text, also when the container is dead.
 */
int supervise_receive(struct supervisor *supervisor, struct message *ret_message, struct err *err);

/**
 * supervise_idle() - wait until @fd is readable or the container is dead; the network goes on
 *
 * Return: 0, a SUPERVISE_ condition, or -EPIPE with a text when the container is dead.
 */
int supervise_idle(struct supervisor *supervisor, int fd, struct err *err);

/** supervise_explain_death() - say how PID 1 ended.  Return: -EPIPE. */
int supervise_explain_death(const struct supervisor *supervisor, struct err *err);

/** supervise_check() - whether a signal has come or the time is up, without waiting. */
int supervise_check(struct supervisor *supervisor);

/**
 * supervise_wait_fd() - wait for @events on @fd (-1: just look) unless the run is to end
 * @context: a struct supervisor
 *
 * Return: 0, or -EINTR when the run is to end.
 */
int supervise_wait_fd(void *context, int fd, short events);

#endif
