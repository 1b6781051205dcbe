/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MATRIX_INPUT_H
#define MAYFLY_MATRIX_INPUT_H

#include "engine/base/err.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum matrix_input_kind {
    MATRIX_INPUT_SHARED, /* a terminal, or a device: each run has this process's own */
    MATRIX_INPUT_NONE,   /* a terminal that several runs cannot share: /dev/null */
    MATRIX_INPUT_FILE,   /* opened anew for each run, at the same place */
    MATRIX_INPUT_REPLAY, /* a pipe or socket: read once, kept, and written to each run */
};

/**
 * struct matrix_input - standard input, the same for each run
 *
 * A pipe is read as far as the fastest run has got, never ahead of all.
 */
struct matrix_input {
    enum matrix_input_kind kind;

    /* private */
    int spool_fd; /* what has been read of a pipe */
    off_t size;
    bool ended;
};

/**
 * struct matrix_feed - one run's part of it
 * @fd: write end of a run's pipe, non-blocking; -1: nothing more to give
 */
struct matrix_feed {
    int fd;
    off_t offset;
};

#define MATRIX_FEED_INIT ((struct matrix_feed){.fd = -1})

/**
 * matrix_input_init() - look at standard input
 * @together: whether runs are at the same time
 *
 * Return: 0 or -errno with a text; matrix_input_done() is due after success.
 */
int matrix_input_init(struct matrix_input *input, bool together, struct err *err);

void matrix_input_done(struct matrix_input *input);

/**
 * matrix_input_open() - standard input for one more run
 * @feed: serves it from now on, until its fd is -1
 * @ret_fd: for the caller to close; -1: the run shares this process's own
 *
 * Return: 0 or -errno with a text.
 */
int matrix_input_open(struct matrix_input *input, struct matrix_feed *feed, int *ret_fd,
                      struct err *err);

/** matrix_input_close() - the run has ended. */
void matrix_input_close(struct matrix_feed *feed);

/** matrix_input_wants_pipe() - whether to wait for a run's pipe to take more. */
bool matrix_input_wants_pipe(const struct matrix_input *input, const struct matrix_feed *feed);

/** matrix_input_wants_more() - whether a run has all that has been read, and waits for more. */
bool matrix_input_wants_more(const struct matrix_input *input, const struct matrix_feed *feed);

/**
 * matrix_input_read() - standard input has something, or has ended
 *
 * Each feed is then due for matrix_input_write().
 * Return: 0, or -errno with a text when it cannot be kept.
 */
int matrix_input_read(struct matrix_input *input, struct err *err);

/** matrix_input_write() - give a run what it has not had, as far as its pipe takes it; with the end
 * of it, or without a reader, close the pipe. */
void matrix_input_write(const struct matrix_input *input, struct matrix_feed *feed);

#endif
