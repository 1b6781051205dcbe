/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONNECT_H
#define MAYFLY_CONNECT_H

#include "base/err.h"
#include "container.h"

#include <sys/types.h>

/**
 * connect_attach() - give a container with a bridge its link
 * @pid: PID 1
 *
 * Sets container->network, which connect_destroy() releases.  The container's side may then go on
 * (MESSAGE_NETWORK).
 * Context: host, root.
 * Return: 0 or -errno with a text.
 */
int connect_attach(struct container *container, pid_t pid, struct err *err);

/** connect_destroy() - let go of the network; the container's processes have ended. */
void connect_destroy(struct container *container);

/**
 * connect_setup() - the container's side: addresses, and the files that name resolution reads
 * @run_fd: the run's directory, where the files lie
 * @root_fd: the container's root
 *
 * Waits for MESSAGE_NETWORK.  A lease that has to be renewed goes to the host's side
 * (MESSAGE_LEASE).
 * Context: child before pivot.
 * Return: 0 or -errno with a text.
 */
int connect_setup(const struct container *container, int run_fd, int root_fd, struct err *err);

/**
 * connect_adopt() - the host's side of MESSAGE_LEASE: keep the lease from now on
 * @fds: the two descriptors that came along, taken over
 *
 * Return: 0 or -errno with a text.
 */
int connect_adopt(struct container *container, const int fds[2], struct err *err);

#endif
