/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CAPTURE_H
#define MAYFLY_CAPTURE_H

#include "base/err.h"
#include "base/sha256.h"
#include "engine/confine/selinux.h"

#include <poll.h>
#include <stdbool.h>

/** CAPTURE_N_POLL - entries that capture_poll() fills. */
#define CAPTURE_N_POLL 2

/**
 * struct capture - what steps write, on its way to this process's own streams and into a file
 * @streams: for the container: /dev/null to read from, and a pipe each to write to
 * @wait: waits until a descriptor can be written to; 0, or -EINTR when there is no time for it
 * @context: handed to @wait
 *
 * The file has records: the stream's number (one byte), the length (four, the lowest first), bytes.
 */
struct capture {
    int streams[3];
    int (*wait)(void *context, int fd, short events);
    void *context;

    /* private */
    int pipes[2];
    int file_fd;
    int error; /* of the file */
    struct sha256 sha;
};

#define CAPTURE_INIT ((struct capture){.streams = {-1, -1, -1}, .pipes = {-1, -1}, .file_fd = -1})

/**
 * capture_open() - make the streams
 * @labels, @dir_fd: as of selinux_pipe()
 *
 * SIGPIPE has to be ignored: whoever read this process's output may go away, and a step then finds
 * that out for itself.
 * Return: 0 or -errno with a text; capture_close() is due either way.
 */
int capture_open(struct capture *capture, const struct selinux *labels, int dir_fd,
                 struct err *err);

/** capture_begin() - the container has @streams: this process's are closed; @file_fd is handed over
 * (-1: nothing is kept). */
void capture_begin(struct capture *capture, int file_fd);

/** capture_poll() - fill in what to wait for. */
void capture_poll(const struct capture *capture, struct pollfd fds[CAPTURE_N_POLL]);

/** capture_dispatch() - hand on what has come, without waiting for more. */
void capture_dispatch(struct capture *capture);

/**
 * capture_finish() - take the rest, all writers being dead
 * @ret_hex: the digest of the file; "" when there is nothing in it
 *
 * Return: 0, or -errno with a text when the file could not be written.
 */
int capture_finish(struct capture *capture, char ret_hex[SHA256_HEX_BYTES], struct err *err);

void capture_close(struct capture *capture);

/**
 * capture_show() - write what a file holds to this process's standard output and error
 *
 * Return: 0, -EINTR from @wait, -EBADMSG for what is no such file or has another digest (nothing
 * has been written then), or another -errno.
 */
int capture_show(int file_fd, const char *hex, int (*wait)(void *context, int fd, short events),
                 void *context);

#endif
