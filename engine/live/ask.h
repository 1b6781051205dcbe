/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ASK_H
#define MAYFLY_ASK_H

#include "containers.h"
#include "engine/base/err.h"
#include "engine/message.h"

#include <stdint.h>

/** enum ask - what a container's supervisor is asked for (MESSAGE_ASK, index) */
enum ask {
    ASK_JOB,    /* the rest of the connection is PID 1's, see job_start() */
    ASK_ATTACH, /* fds: input to read (1 in @value), output (2) and error (4) to write, those that
                    are wanted; @window as with ASK_WINDOW; ends with MESSAGE_DONE */
    ASK_WINDOW, /* on that connection: the size of the terminal is @window */
    ASK_SIGNAL, /* send signal @value to the main program, also on a connection attached */
    ASK_STOP,   /* end it, and kill it after @value milliseconds, -1: as it was told when it was
                    made; MESSAGE_DONE when nothing is left */
    ASK_WAIT,   /* MESSAGE_DONE with the exit code when it has ended */
    ASK_WAIT_HEALTHY, /* MESSAGE_DONE when it is healthy */
    ASK_PAUSE,        /* MESSAGE_DONE when all of it stands still */
    ASK_UNPAUSE,      /* MESSAGE_DONE when it goes on */
};

/**
 * ask_connect() - a connection to the supervisor of a container
 *
 * Return: a SOCK_SEQPACKET socket, -ENOTCONN with a text when the container does not run, or -errno
 * with a text.
 */
int ask_connect(const struct kept *kept, struct err *err);

/** ask_send() - ask; @fds: @n_fds lent.  Return: as ask_await(). */
int ask_send(int socket_fd, enum ask ask, int value, const int *fds, size_t n_fds, struct err *err);

/**
 * ask_await() - wait for the answer
 * @ret_value: of MESSAGE_DONE; may be NULL
 *
 * Return: 0, or -errno with a text: the supervisor's own, or -EPIPE when it is gone.
 */
int ask_await(int socket_fd, int *ret_value, struct err *err);

/** ask_job() - a connection to PID 1, on which a job can be started.  Return: as ask_connect(). */
int ask_job(const struct kept *kept, struct err *err);

/** ask_simple() - connect, ask, wait for the answer. */
int ask_simple(const struct kept *kept, enum ask ask, int value, int *ret_value, struct err *err);

#endif
