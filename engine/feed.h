/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_FEED_H
#define MAYFLY_FEED_H

#include "base/err.h"
#include "engine/confine/selinux.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/** FEED_N_POLL - entries that feed_poll() fills. */
#define FEED_N_POLL 1

/**
 * struct feed - this process's standard input on its way into a pipe that steps have instead
 * @stream_fd: the end to read from; -1: there is no feed
 */
struct feed {
    int stream_fd;

    /* private */
    int pipe_fd;  /* -1: all of the input has been handed on */
    size_t taken; /* of the input, so far */
    size_t start, end;
    char bytes[16 * 1024];
};

#define FEED_INIT ((struct feed){.stream_fd = -1, .pipe_fd = -1})

/**
 * feed_open() - make the pipe
 * @labels, @dir_fd: as of selinux_pipe()
 *
 * Return: 0 or -errno with a text; feed_close() is due either way.
 */
int feed_open(struct feed *feed, const struct selinux *labels, int dir_fd, struct err *err);

/** feed_poll() - fill in what to wait for. */
void feed_poll(const struct feed *feed, struct pollfd fds[FEED_N_POLL]);

/** feed_dispatch() - move bytes after poll(2), without waiting for more. */
void feed_dispatch(struct feed *feed, const struct pollfd fds[FEED_N_POLL]);

/**
 * feed_close() - let go of the pipe
 *
 * Of a file, what nobody has read is there for whoever reads it next.
 */
void feed_close(struct feed *feed);

#endif
