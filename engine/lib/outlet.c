/* SPDX-License-Identifier: Apache-2.0 */
/* A program's output on its way to memory or to a callback, through a pipe that is read without
 * waiting. */
#include "outlet.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BLOCK_BYTES 65536

int outlet_open(struct outlet *outlet, const struct mayfly_stream *stream, int *ret_fd,
                struct err *err) {
    int fds[2];

    *outlet = OUTLET_INIT;
    outlet->stream = stream;
    if (stream->kind != MAYFLY_DATA && stream->kind != MAYFLY_CALLBACK)
        return 0;
    if (pipe2(fds, O_CLOEXEC) < 0)
        return err_errno(err, "cannot make a pipe");
    outlet->read_fd = fds[0];
    *ret_fd = outlet->write_fd = fds[1];
    /* Only ours: the other end is for the program, which expects to wait. */
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? err_errno(err, "cannot set up a pipe") : 0;
}

void outlet_release(struct outlet *outlet) {
    if (outlet->write_fd >= 0)
        close(take_fd(outlet->write_fd));
}

void outlet_close(struct outlet *outlet) {
    if (outlet->read_fd >= 0)
        close(take_fd(outlet->read_fd));
    outlet_release(outlet);
    buf_done(&outlet->buf);
}

int outlet_read(struct outlet *outlet, struct err *err) {
    char block[BLOCK_BYTES];
    ssize_t n;

    while ((n = read(outlet->read_fd, block, sizeof block)) > 0) {
        if (outlet->stream->kind == MAYFLY_DATA)
            buf_append(&outlet->buf, block, (size_t)n);
        else if (outlet->stream->take(outlet->stream->context, block, (size_t)n) != 0)
            return 1;
        if (buf_failed(&outlet->buf))
            return err_nomem(err);
    }
    if (n == 0)
        close(take_fd(outlet->read_fd));
    else if (errno != EAGAIN && errno != EINTR)
        return err_errno(err, "cannot read a program's output");
    return 0;
}

int outlet_give(struct outlet *outlet, char **ret_text, size_t *ret_n, struct err *err) {
    if (!outlet->stream || outlet->stream->kind != MAYFLY_DATA)
        return 0;
    *ret_n = outlet->buf.size;
    buf_append(&outlet->buf, "", 1);
    if (buf_failed(&outlet->buf))
        return err_nomem(err);
    *ret_text = outlet->buf.data;
    outlet->buf = BUF_INIT;
    return 0;
}
