/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RELAY_H
#define MAYFLY_RELAY_H

#include "container_log.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>

/** struct chunk - what has come from a stream and is on its way */
struct chunk {
    size_t size;
    size_t done; /* of input: written */
    char bytes[16 * 1024];
};

/**
 * struct viewer - somebody attached
 * @socket_fd: the connection
 * @in_fd: where input comes from; -1: none
 * @out_fds: where standard output and standard error go; -1: not wanted, or gone
 * @done: of the chunks under way, bytes written
 * @is_first: the end of its input is the end of the program's
 */
struct viewer {
    int socket_fd;
    int in_fd;
    int out_fds[2];
    size_t done[2];
    bool is_first;
};

/**
 * struct relay - the streams of a container's main program, its log and those attached
 * @sources: the program's standard output and standard error; with a terminal the first is its
 *           master side; -1: at its end
 * @sink: its standard input; -1: none; with a terminal the same as sources[0]
 *
 * A stream is read when all attached have taken what came before; the log is written at once.
 */
struct relay {
    struct log_writer *log;
    int sources[2];
    int sink;
    bool is_terminal;
    struct chunk output[2];
    struct chunk input;
    struct viewer *viewers;
    size_t n_viewers;
};

/** relay_init() - nothing to relay yet; @log: borrowed. */
void relay_init(struct relay *relay, struct log_writer *log);

/** relay_done() - close everything. */
void relay_done(struct relay *relay);

/** relay_streams() - a program has begun; all descriptors are handed over, non-blocking from now.
 */
void relay_streams(struct relay *relay, int in_fd, int out_fd, int err_fd);

/** relay_terminal() - a program has begun on a terminal, whose master side is handed over. */
void relay_terminal(struct relay *relay, int master_fd);

/** relay_close_streams() - let go of the program's streams, not of those attached. */
void relay_close_streams(struct relay *relay);

/**
 * relay_attach() - somebody is attached
 * @fds: its input to be read, its output and error to be written, or -1; handed over
 *
 * Return: 0 or -ENOMEM; the descriptors are taken over either way.
 */
int relay_attach(struct relay *relay, int socket_fd, const int fds[3], bool is_first);

/** relay_detach() - let go of one, whose connection is closed. */
void relay_detach(struct relay *relay, size_t i);

/** relay_n_poll() - how many entries relay_poll() fills. */
size_t relay_n_poll(const struct relay *relay);

/** relay_poll() - fill in what to wait for. */
void relay_poll(const struct relay *relay, struct pollfd *fds);

/** relay_viewer_poll() - which of the entries is of a viewer's connection; the caller reads it. */
size_t relay_viewer_poll(size_t i);

/** relay_dispatch() - move bytes after poll(2), before anybody is attached or detached. */
void relay_dispatch(struct relay *relay, const struct pollfd *fds);

/** relay_is_over() - whether the program's streams have ended and all of it is where it belongs. */
bool relay_is_over(const struct relay *relay);

/** relay_resize() - set the size of the program's terminal. */
void relay_resize(const struct relay *relay, const struct winsize *window);

#endif
