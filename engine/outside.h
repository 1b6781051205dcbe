/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_OUTSIDE_H
#define MAYFLY_OUTSIDE_H

#include "base/err.h"
#include "net/nat.h"

#include <stddef.h>
#include <sys/types.h>

/**
 * struct outside - the program by which a user's container reaches the outside
 * @user_fd, @net_fd: the container's namespaces; -1: it needs no such program
 * @pid: 0: none
 * @ready_fd, @errors_fd: what it says when it is ready, and what is wrong
 * @api_fd: directory with its socket for published ports; -1: it needs none
 */
struct outside {
    int user_fd;
    int net_fd;
    pid_t pid;
    int ready_fd;
    int errors_fd;
    int api_fd;
    const struct nat_port *ports;
    size_t n_ports;
};

#define OUTSIDE_INIT                                                                               \
    ((struct outside){.user_fd = -1, .net_fd = -1, .ready_fd = -1, .errors_fd = -1, .api_fd = -1})

/**
 * outside_begin() - take hold of a container's namespaces
 * @container: PID 1, which waits and can still be looked into
 *
 * Return: 0, -ENOENT when neither pasta(1) nor slirp4netns(1) is installed, or another -errno; with
 * a text.
 */
int outside_begin(pid_t container, struct outside *ret, struct err *err);

/**
 * outside_open() - start pasta(1) or slirp4netns(1), and wait until the way is open
 * @ports: of the host, published
 * @run_fd: the run's directory
 *
 * Its end is that of this process, too.
 * Context: host, without privileges; after the container has the address of its other link.
 * Return: 0 or -errno with a text.
 */
int outside_open(struct outside *outside, const struct nat_port *ports, size_t n_ports, int run_fd,
                 struct err *err);

/** outside_close() - end it. */
void outside_close(struct outside *outside);

#endif
