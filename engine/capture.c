/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output of remembered steps.  Their standard output and error are pipes,
 * whatever this process's are, so that what a step makes does not depend on
 * where its output goes; what comes through them is shown at once and kept.
 * The order within a stream is the step's, and that between the two is as near
 * to it as two pipes let one see.
 */
#include "capture.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"

#include <fcntl.h>
#include <sys/stat.h>

/* More is not shown again; a step that writes more than this is no rarity, but its reader is. */
#define FILE_BYTES_MAX (256u << 20)

int capture_open(struct capture *capture, const struct selinux *labels, int dir_fd,
                 struct err *err) {
    capture->streams[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (capture->streams[0] < 0)
        return err_errno(err, "cannot open /dev/null");
    for (int i = 0; i < 2; i++) {
        int ends[2];

        errno = -selinux_pipe(ends, labels, dir_fd);
        if (errno != 0)
            return err_errno(err, "cannot make a pipe");
        capture->pipes[i] = ends[0];
        capture->streams[1 + i] = ends[1];
        if (fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
            return err_errno(err, "cannot set up a pipe");
    }
    sha256_init(&capture->sha);
    return 0;
}

static void close_streams(struct capture *capture) {
    for (int i = 0; i < 3; i++)
        if (capture->streams[i] >= 0)
            close(take_fd(capture->streams[i]));
}

void capture_begin(struct capture *capture, int file_fd) {
    close_streams(capture);
    capture->file_fd = file_fd;
}

void capture_poll(const struct capture *capture, struct pollfd fds[CAPTURE_N_POLL]) {
    for (int i = 0; i < CAPTURE_N_POLL; i++)
        fds[i] = (struct pollfd){.fd = capture->pipes[i], .events = POLLIN};
}

/* A write to what poll(2) calls writable does not block up to this size. */
static size_t write_size(int fd, size_t size) {
    struct stat st;

    return size > PIPE_BUF && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) ? PIPE_BUF : size;
}

/* Return: 0, -EPIPE and such when nobody reads there, -EINTR when there is no time to wait. */
static int show(int fd, const char *data, size_t size,
                int (*wait)(void *context, int fd, short events), void *context) {
    while (size > 0) {
        int r = wait(context, fd, POLLOUT);
        ssize_t n;

        if (r < 0)
            return r;
        n = write(fd, data, write_size(fd, size));
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return -errno;
        if (n > 0) {
            data += n;
            size -= (size_t)n;
        }
    }
    return 0;
}

static void keep(struct capture *capture, int stream, const char *data, size_t size) {
    unsigned char head[5] = {(unsigned char)stream};
    int r;

    if (capture->file_fd < 0 || capture->error)
        return;
    for (int i = 0; i < 4; i++)
        head[1 + i] = (unsigned char)(size >> (8 * i));
    r = fd_write_all(capture->file_fd, head, sizeof head);
    if (r == 0)
        r = fd_write_all(capture->file_fd, data, size);
    capture->error = r;
    sha256_update(&capture->sha, head, sizeof head);
    sha256_update(&capture->sha, data, size);
}

void capture_dispatch(struct capture *capture) {
    static char block[64 * 1024];
    bool more = true;

    /* A daemon may write without end: what a step has left in the pipes comes within this. */
    for (int round = 0; more && round < 16; round++) {
        more = false;
        for (int i = 0; i < 2; i++) {
            ssize_t n = capture->pipes[i] < 0 ? -1 : read(capture->pipes[i], block, sizeof block);
            int r;

            if (n == 0) /* all writers are gone */
                close(take_fd(capture->pipes[i]));
            if (n <= 0)
                continue;
            more = true;
            keep(capture, 1 + i, block, (size_t)n);
            r = show(1 + i, block, (size_t)n, capture->wait, capture->context);
            /* Nobody reads: the step is to find that too, as it would without us between. */
            if (r < 0 && r != -EINTR)
                close(take_fd(capture->pipes[i]));
        }
    }
}

int capture_finish(struct capture *capture, char ret_hex[SHA256_HEX_BYTES], struct err *err) {
    struct stat st;

    capture_dispatch(capture);
    *ret_hex = '\0';
    if (capture->error) {
        errno = -capture->error;
        return err_errno(err, "cannot keep the output");
    }
    if (capture->file_fd < 0)
        return 0;
    if (fstat(capture->file_fd, &st) < 0)
        return err_errno(err, "cannot look at the output");
    if (st.st_size > (off_t)FILE_BYTES_MAX)
        return err_set(err, -EFBIG, "its output is larger than %u MiB", FILE_BYTES_MAX >> 20);
    if (st.st_size > 0)
        sha256_final_hex(&capture->sha, ret_hex);
    return 0;
}

void capture_close(struct capture *capture) {
    close_streams(capture);
    for (int i = 0; i < 2; i++)
        if (capture->pipes[i] >= 0)
            close(take_fd(capture->pipes[i]));
    if (capture->file_fd >= 0)
        close(take_fd(capture->file_fd));
}

/* The next record of what is left.  Return: its size with its head, 0 when it is not whole. */
static size_t next_record(const char *data, size_t size, int *ret_stream, size_t *ret_length) {
    const unsigned char *p = (const unsigned char *)data;

    if (size < 5 || p[0] < 1 || p[0] > 2)
        return 0;
    *ret_stream = p[0];
    *ret_length = (size_t)p[1] | (size_t)p[2] << 8 | (size_t)p[3] << 16 | (size_t)p[4] << 24;
    return *ret_length > size - 5 ? 0 : 5 + *ret_length;
}

int capture_show(int file_fd, const char *hex, int (*wait)(void *context, int fd, short events),
                 void *context) {
    _cleanup_free_ char *data = NULL;
    char found[SHA256_HEX_BYTES];
    bool closed[2] = {false, false};
    size_t size, length, n;
    struct sha256 sha;
    int stream, r = fd_read_all(file_fd, FILE_BYTES_MAX, &data, &size);

    if (r < 0)
        return r;
    sha256_init(&sha);
    sha256_update(&sha, data, size);
    sha256_final_hex(&sha, found);
    if (!str_eq(found, hex))
        return -EBADMSG;
    for (const char *p = data; r == 0 && size > 0; p += n, size -= n) {
        n = next_record(p, size, &stream, &length);
        if (n == 0)
            return -EBADMSG;
        if (closed[stream - 1])
            continue;
        r = show(stream, p + 5, length, wait, context);
        if (r < 0 && r != -EINTR) {
            closed[stream - 1] = true;
            r = 0;
        }
    }
    return r;
}
