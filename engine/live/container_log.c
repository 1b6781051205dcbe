/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A log is a row of records, each what one read(2) from a stream has brought: a
 * header with the time, the stream and the size, then the bytes, whatever they
 * are.  A record is written by one call; one that was cut off is taken back, or,
 * after a crash, is the last of its file and passed over: whoever goes on with such
 * a file begins a new one.
 *
 * A file that is full becomes "log.1", in place of the one before, and a new one
 * is begun; a reader at the end of its file looks whether "log" is another one by
 * now.
 */
#include "container_log.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>

#define MAGIC UINT32_C(0x6d464c31)
#define MAX_RECORD_BYTES (1u << 20)
/* The last record begins within so many bytes of the end: what comes in one piece is less. */
#define TAIL_BYTES ((size_t)32 << 10)

struct header {
    uint32_t magic;
    uint32_t stream;
    uint64_t nsec;
    uint64_t size;
};

static int open_log(int dir_fd, uint64_t *ret_size) {
    _cleanup_close_ int fd =
        openat(dir_fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    *ret_size = (uint64_t)st.st_size;
    return take_fd(fd);
}

static void rotate(struct log_writer *writer) {
    uint64_t size;
    int fd;

    if (sys_renameat2(writer->dir_fd, "log", writer->dir_fd, "log.1", 0) < 0)
        return;
    fd = open_log(writer->dir_fd, &size);
    if (fd < 0)
        return; /* goes on in the old one */
    close(writer->fd);
    writer->fd = fd;
    writer->size = size;
}

/* Whether a file of @size bytes ends with a whole record. */
static bool ends_well(int dir_fd, uint64_t size) {
    _cleanup_close_ int fd = openat(dir_fd, "log", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_free_ char *tail = malloc(TAIL_BYTES);
    uint64_t from = size > TAIL_BYTES ? size - TAIL_BYTES : 0;
    ssize_t n = fd >= 0 && tail ? pread(fd, tail, TAIL_BYTES, (off_t)from) : -1;
    struct header header;

    for (ssize_t at = n - (ssize_t)sizeof header; at >= 0; at--) {
        memcpy(&header, tail + at, sizeof header);
        if (header.magic == MAGIC && header.size == (uint64_t)n - (uint64_t)at - sizeof header)
            return true;
    }
    return size == 0;
}

int log_writer_open(struct log_writer *writer, int dir_fd, uint64_t max_bytes, struct err *err) {
    *writer = (struct log_writer){.dir_fd = dir_fd, .max_bytes = max_bytes};
    writer->fd = open_log(dir_fd, &writer->size);
    if (writer->fd < 0) {
        errno = -writer->fd;
        return err_errno(err, "cannot open the container's log");
    }
    if (!ends_well(dir_fd, writer->size))
        rotate(writer);
    return 0;
}

void log_writer_close(struct log_writer *writer) {
    if (writer->fd >= 0)
        close(take_fd(writer->fd));
}

/* Return: false when it could not be written whole; nothing of it is there then. */
static bool append(struct log_writer *writer, enum log_stream stream, const void *data,
                   size_t size) {
    struct header header = {
        .magic = MAGIC, .stream = stream, .nsec = clock_realtime(), .size = size};
    struct iovec parts[] = {{&header, sizeof header}, {(void *)data, size}};
    ssize_t n = writev(writer->fd, parts, 2);

    if (n == (ssize_t)(sizeof header + size)) {
        writer->size += (uint64_t)n;
        return true;
    }
    writer->dropped_errno = n < 0 ? errno : ENOSPC;
    if (n > 0 && ftruncate(writer->fd, (off_t)writer->size) < 0)
        writer->size += (uint64_t)n;
    return false;
}

static bool tell_dropped(struct log_writer *writer) {
    char text[160];

    snprintf(text, sizeof text, "mayfly: %" PRIu64 " bytes of output are missing here: %s\n",
             writer->n_dropped, strerror(writer->dropped_errno));
    if (!append(writer, LOG_STREAM_ENGINE, text, strlen(text)))
        return false;
    writer->n_dropped = 0;
    return true;
}

void log_writer_put(struct log_writer *writer, enum log_stream stream, const void *data,
                    size_t size) {
    if (writer->fd < 0 || size == 0)
        return;
    if (writer->size + size > writer->max_bytes && writer->size > 0)
        rotate(writer);
    if ((writer->n_dropped > 0 && !tell_dropped(writer)) || !append(writer, stream, data, size))
        writer->n_dropped += size;
}

/* --- reading ------------------------------------------------------------------ */

static int open_named(struct log_reader *reader, const char *name) {
    if (reader->fd >= 0)
        close(take_fd(reader->fd));
    reader->offset = 0;
    reader->fd = openat(reader->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    return reader->fd < 0 ? -errno : 0;
}

int log_reader_open(struct log_reader *reader, int dir_fd, struct err *err) {
    int r;

    *reader = (struct log_reader){.dir_fd = dir_fd, .fd = -1};
    r = open_named(reader, "log.1");
    if (r == -ENOENT)
        r = open_named(reader, "log");
    if (r < 0 && r != -ENOENT) {
        errno = -r;
        return err_errno(err, "cannot open the container's log");
    }
    return 0;
}

void log_reader_close(struct log_reader *reader) {
    if (reader->fd >= 0)
        close(take_fd(reader->fd));
    free(reader->record);
    reader->record = NULL;
}

/* Whether the file that is being read is no longer the one that is written. */
static bool is_replaced(const struct log_reader *reader) {
    struct stat now, ours;

    if (reader->fd < 0)
        return true;
    return fstatat(reader->dir_fd, "log", &now, 0) == 0 && fstat(reader->fd, &ours) == 0 &&
           (now.st_ino != ours.st_ino || now.st_dev != ours.st_dev);
}

/* Return: 1, 0 when there is no whole record, or -errno. */
static int read_record(struct log_reader *reader) {
    struct header header;
    char *record;

    if (reader->fd < 0 ||
        pread(reader->fd, &header, sizeof header, reader->offset) != sizeof header)
        return 0;
    if (header.magic != MAGIC || header.stream > LOG_STREAM_ERR || header.size > MAX_RECORD_BYTES)
        return 0;
    record = realloc(reader->record, header.size + 1);
    if (!record)
        return -ENOMEM;
    reader->record = record;
    if (pread(reader->fd, record, header.size, reader->offset + (off_t)sizeof header) !=
        (ssize_t)header.size)
        return 0;
    reader->offset += (off_t)(sizeof header + header.size);
    reader->nsec = header.nsec;
    reader->stream = (enum log_stream)header.stream;
    reader->record_size = header.size;
    reader->taken = 0;
    return 1;
}

int log_reader_next(struct log_reader *reader, struct log_piece *ret_piece) {
    const char *start, *end;
    bool *in_line;

    while (reader->taken == reader->record_size) {
        int r = read_record(reader);

        if (r == 0 && is_replaced(reader)) {
            /* What was written between the last look and the change of files comes first. */
            r = read_record(reader);
            if (r == 0 && open_named(reader, "log") == 0)
                r = read_record(reader);
        }
        if (r <= 0)
            return r;
    }
    start = reader->record + reader->taken;
    end = memchr(start, '\n', reader->record_size - reader->taken);
    in_line = &reader->in_line[reader->stream];
    *ret_piece = (struct log_piece){
        .stream = reader->stream,
        .nsec = reader->nsec,
        .data = start,
        .size = end ? (size_t)(end - start) : reader->record_size - reader->taken,
        .is_start = !*in_line,
        .is_end = end != NULL,
    };
    *in_line = end == NULL;
    reader->taken += ret_piece->size + (end != NULL);
    return 1;
}
