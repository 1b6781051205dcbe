/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies between a container and its host.
 *
 * Both sides take part, each with its own rights and in its own mount
 * namespace: whoever has the files walks them and sends a record for each entry,
 * and, for a file, the open file itself; the other side writes.  So a symbolic
 * link in the container can only ever mean something in the container, and data
 * goes from file to file inside the kernel.
 */
#include "copy.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (8u << 20)

static int wait_for(const struct copy *copy, int fd, short events) {
    return copy->wait ? copy->wait(copy->context, fd, events) : 0;
}

int copy_put(const struct copy *copy, const struct copy_record *record, int fd) {
    size_t first = strlen(record->text) + 1;
    size_t size = offsetof(struct copy_record, text) + first + strlen(record->text + first) + 1;
    int r = wait_for(copy, copy->socket_fd, POLLOUT);

    if (r == 0)
        r = fd_send(copy->socket_fd, record, size, &fd, fd >= 0);
    return r == -ECONNRESET ? -EPIPE : r;
}

int copy_get(const struct copy *copy, struct copy_record *ret_record, int *ret_fd) {
    int r = wait_for(copy, copy->socket_fd, POLLIN), fd = -1;
    size_t n_fds = 0;
    ssize_t n;

    if (r < 0)
        return r;
    memset(ret_record->text, 0, sizeof ret_record->text);
    n = fd_receive(copy->socket_fd, ret_record, sizeof *ret_record - 1, &fd, 1, &n_fds, 0);
    if (n_fds && (n <= 0 || !ret_fd))
        close(take_fd(fd));
    if (n <= 0)
        return n == 0 || n == -ECONNRESET ? -EPIPE : (int)n;
    if (ret_fd && n_fds)
        *ret_fd = fd;
    /* Two strings, of which the first is a name: the record is well formed from here on. */
    if ((size_t)n < offsetof(struct copy_record, text) + 2 ||
        strnlen(ret_record->text, NAME_MAX + 1) > NAME_MAX || ret_record->kind > COPY_ERROR) {
        if (ret_fd && n_fds)
            close(take_fd(*ret_fd));
        return -EPROTO;
    }
    return 0;
}

void copy_fail(const struct copy *copy, const struct err *err) {
    struct copy_record record = {.kind = COPY_ERROR, .code = err->code};

    snprintf(record.text + 1, sizeof record.text - 1, "%s", err->message);
    (void)copy_put(copy, &record, -1);
}

/* copy_range(): the file ended before. */
#define COPY_SHORT 1

/* Copies @size bytes at the files' positions.  Return: 0, COPY_SHORT or -errno. */
static int copy_range(const struct copy *copy, int from_fd, int to_fd, off_t size, bool in_kernel) {
    while (size > 0) {
        size_t want = size > (off_t)CHUNK_BYTES ? CHUNK_BYTES : (size_t)size;
        int r = wait_for(copy, -1, 0);
        ssize_t n;

        if (r < 0)
            return r;
        if (in_kernel) {
            n = copy_file_range(from_fd, NULL, to_fd, NULL, want, 0);
            if (n < 0 && (errno == EXDEV || errno == EINVAL || errno == EOPNOTSUPP ||
                          errno == ENOSYS || errno == EPERM)) {
                in_kernel = false;
                continue;
            }
        } else {
            static char buffer[256 * 1024];

            n = read(from_fd, buffer, want < sizeof buffer ? want : sizeof buffer);
            if (n > 0) {
                r = fd_write_all(to_fd, buffer, (size_t)n);
                if (r < 0)
                    return r;
            }
        }
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n == 0)
            return COPY_SHORT;
        if (n > 0)
            size -= n;
    }
    return 0;
}

/* The rest of a file, whatever it says of its size. */
static int copy_rest(const struct copy *copy, int from_fd, int to_fd) {
    int r = copy_range(copy, from_fd, to_fd, INT64_MAX, false);

    return r < 0 ? r : 0;
}

int copy_data(const struct copy *copy, int from_fd, int to_fd) {
    struct stat st;
    off_t data, hole = 0;

    if (fstat(from_fd, &st) < 0)
        return -errno;
    /* Files of the kernel's own say that they are empty, and are not; copy_file_range(2) believes
     * it (Linux 5.3 to 5.18). */
    if (st.st_size == 0)
        return copy_rest(copy, from_fd, to_fd);
    while ((data = lseek(from_fd, hole, SEEK_DATA)) >= 0) {
        int r;

        hole = lseek(from_fd, data, SEEK_HOLE);
        if (hole < 0 || lseek(from_fd, data, SEEK_SET) < 0 || lseek(to_fd, data, SEEK_SET) < 0)
            return -errno;
        r = copy_range(copy, from_fd, to_fd, hole - data, true);
        /* sysfs says that each file is a page, and ends earlier. */
        if (r != 0)
            return r < 0 ? r : 0;
        if (hole >= st.st_size)
            break;
    }
    if (data < 0 && errno != ENXIO)
        return errno == EINVAL ? copy_rest(copy, from_fd, to_fd) : -errno;
    return ftruncate(to_fd, st.st_size) < 0 ? -errno : 0;
}
