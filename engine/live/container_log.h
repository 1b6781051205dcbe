/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONTAINER_LOG_H
#define MAYFLY_CONTAINER_LOG_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum log_stream {
    LOG_STREAM_ENGINE, /* what is to be said of the log itself */
    LOG_STREAM_OUT,
    LOG_STREAM_ERR,
};

/**
 * struct log_writer - what a container says, on its way into the files "log" and "log.1"
 * @fd: of "log"; -1: nothing is written
 * @max_bytes: "log" becomes "log.1" when it is larger
 * @n_dropped: bytes that could not be written, not told yet
 */
struct log_writer {
    int dir_fd;
    int fd;
    uint64_t size;
    uint64_t max_bytes;
    uint64_t n_dropped;
    int dropped_errno;
};

/**
 * log_writer_open() - go on with the log in a container's directory
 * @dir_fd: borrowed
 *
 * Return: 0 or -errno with a text.
 */
int log_writer_open(struct log_writer *writer, int dir_fd, uint64_t max_bytes, struct err *err);
void log_writer_close(struct log_writer *writer);

/**
 * log_writer_put() - write what has come from a stream, now
 *
 * Never waits for more than the file system.  What cannot be written is dropped, and the next that
 * can be is preceded by a line that says so.
 */
void log_writer_put(struct log_writer *writer, enum log_stream stream, const void *data,
                    size_t size);

/**
 * struct log_piece - a line of a stream, or a part of it, as long as it came in one piece
 * @nsec: when it came, since the epoch
 * @data: without the newline
 * @is_start: the line begins with it
 * @is_end: a newline follows
 */
struct log_piece {
    enum log_stream stream;
    uint64_t nsec;
    const char *data;
    size_t size;
    bool is_start;
    bool is_end;
};

/** struct log_reader - a log that is read from its beginning, while it may still be written */
struct log_reader {
    int dir_fd;
    int fd;
    off_t offset;
    uint64_t nsec;
    enum log_stream stream;
    char *record;
    size_t record_size, taken;
    bool in_line[3];
};

/**
 * log_reader_open() - begin with the oldest that is there
 * @dir_fd: borrowed
 *
 * Return: 0 or -errno with a text; a container that never had a log has an empty one.
 */
int log_reader_open(struct log_reader *reader, int dir_fd, struct err *err);
void log_reader_close(struct log_reader *reader);

#define _cleanup_log_reader_ __attribute__((cleanup(log_reader_close)))

/**
 * log_reader_next() - the next piece
 * @ret_piece: valid until the next call
 *
 * Return: 1, 0 when there is no more for now, or -errno.
 */
int log_reader_next(struct log_reader *reader, struct log_piece *ret_piece);

#endif
