/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a container's supervisor: a socket in the container's directory. */
#include "ask.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

int ask_connect(const struct kept *kept, struct err *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_errno(err, "cannot make a socket");
    /* The directory's own path may be longer than an address can be. */
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/socket", kept->dir_fd);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return err_set(err, -ENOTCONN, "container %s is not running", kept->name);
        return err_errno(err, "cannot reach the supervisor of container %s", kept->name);
    }
    return take_fd(fd);
}

static int is_gone(struct err *err) {
    return err_set(err, -EPIPE, "the container has ended, or its supervisor was killed");
}

int ask_send(int socket_fd, enum ask ask, int value, const int *fds, size_t n_fds,
             struct err *err) {
    const struct message message = {.kind = MESSAGE_ASK, .index = ask, .value = value};
    int r = message_send(socket_fd, &message, fds, n_fds);

    /* It has not taken up the connection: its end came first. */
    if (r == -EPIPE || r == -ECONNRESET)
        return is_gone(err);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot ask the container's supervisor");
    }
    return 0;
}

int ask_await(int socket_fd, int *ret_value, struct err *err) {
    struct message message;
    int r;

    do
        r = message_receive(socket_fd, &message, NULL, 0, NULL);
    while (r == -EINTR);
    if (r < 0)
        return is_gone(err);
    if (message.kind == MESSAGE_ERROR) {
        *err = message.err;
        return err->code < 0 ? err->code : -EIO;
    }
    if (message.kind != MESSAGE_DONE)
        return err_set(err, -EPROTO, "the container's supervisor answered out of order");
    if (ret_value)
        *ret_value = message.value;
    return 0;
}

int ask_simple(const struct kept *kept, enum ask ask, int value, int *ret_value, struct err *err) {
    _cleanup_close_ int fd = ask_connect(kept, err);
    int r = fd < 0 ? fd : ask_send(fd, ask, value, NULL, 0, err);

    return r < 0 ? r : ask_await(fd, ret_value, err);
}

int ask_job(const struct kept *kept, struct err *err) {
    _cleanup_close_ int fd = ask_connect(kept, err);
    int r = fd < 0 ? fd : ask_send(fd, ASK_JOB, 0, NULL, 0, err);

    return r < 0 ? r : take_fd(fd);
}
