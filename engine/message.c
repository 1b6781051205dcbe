/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sides of a container are the same program, split by clone(2), so that
 * a message is a struct; PID 1 still shares its namespaces with strangers, and
 * the host's side checks what it gets.
 */
#include "message.h"

#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

int message_send(int socket_fd, const struct message *message, const int *fds, size_t n_fds) {
    return fd_send(socket_fd, message, sizeof *message, fds, n_fds);
}

int message_receive(int socket_fd, struct message *ret_message, int *ret_fds, size_t max_fds,
                    size_t *ret_n_fds) {
    size_t n_fds = 0;
    ssize_t n =
        fd_receive(socket_fd, ret_message, sizeof *ret_message, ret_fds, max_fds, &n_fds, 0);

    if (n != sizeof *ret_message || (unsigned)ret_message->kind > MESSAGE_ERROR) {
        for (size_t i = 0; i < n_fds; i++)
            close(ret_fds[i]);
        return n == 0 || n == -ECONNRESET ? -EPIPE : n < 0 ? (int)n : -EPROTO;
    }
    ret_message->err.message[sizeof ret_message->err.message - 1] = '\0';
    if (ret_n_fds)
        *ret_n_fds = n_fds;
    return 0;
}
