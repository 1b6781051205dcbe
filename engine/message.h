/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MESSAGE_H
#define MAYFLY_MESSAGE_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

/** MESSAGE_MAX_FDS - descriptors that one message carries. */
#define MESSAGE_MAX_FDS 200

enum message_kind {
    /* from the host's side */
    MESSAGE_BUILD,   /* ids are mapped; fds: the trees to build from, or none */
    MESSAGE_NETWORK, /* the link of a bridge is there; @index: whether its IPv6 addresses follow */
    MESSAGE_ACTION,  /* do action @index; fds: the socket of a copy */
    MESSAGE_SHELL,   /* run an interactive shell */
    MESSAGE_CLIENT,  /* somebody who will ask for a job; fds: PID 1's end of the connection */
    MESSAGE_RUN,     /* on such a connection: start a program (job.h); @value: enum job_flags */
    MESSAGE_ENTER,   /* on one as well: answered by MESSAGE_READY; fds: the namespaces (enter.h) */
    MESSAGE_SIGNAL,  /* send @value to the running step or job */
    /* to a supervisor (ask.h) */
    MESSAGE_ASK, /* @index: enum ask; @value: its argument */
    /* from the container's side */
    MESSAGE_LEASE,    /* a lease to be renewed follows; fds: a socket and a netlink socket */
    MESSAGE_READY,    /* the container is built (or its network namespace made); it runs */
    MESSAGE_TERMINAL, /* a step has begun on a terminal; fds: its master side */
    MESSAGE_DONE,     /* the action ended; @value: its exit status */
    MESSAGE_ERROR,    /* it could not be done; @err */
};

/**
 * struct message - one datagram of the socket between the host's side and PID 1
 * @index: of an action; of MESSAGE_DONE of a job, the signal that has ended it
 * @value: exit status, 128+N for a signal; or a signal's number
 * @window: of the terminal, with MESSAGE_ACTION and MESSAGE_SHELL
 */
struct message {
    enum message_kind kind;
    uint32_t index;
    int32_t value;
    struct winsize window;
    struct err err;
};

/** message_send() - send @message with @n_fds descriptors, lent.  Return: 0 or -errno. */
int message_send(int socket_fd, const struct message *message, const int *fds, size_t n_fds);

/**
 * message_receive() - receive the next message
 * @ret_fds: room for @max_fds; the caller owns what comes
 *
 * Return: 0, -EPIPE when the other side is gone, -EPROTO for what is no message, or -errno.
 */
int message_receive(int socket_fd, struct message *ret_message, int *ret_fds, size_t max_fds,
                    size_t *ret_n_fds);

#endif
