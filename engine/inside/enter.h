/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ENTER_H
#define MAYFLY_ENTER_H

#include "engine/base/err.h"
#include "inside.h"

/** ENTER_N_NAMESPACES - how many namespaces a container's programs have of their own, at most. */
#define ENTER_N_NAMESPACES 7

/**
 * enter_open() - open the namespaces of the container's programs
 * @ret_fds: the caller closes them
 *
 * Context: PID 1, to whom alone the kernel gives them: it cannot be traced.
 * Return: 0 or -errno with a text.
 */
int enter_open(const struct inside *inside, int ret_fds[ENTER_N_NAMESPACES], struct err *err);

/**
 * enter_run() - enter a container from outside, and do there what one job asks for
 * @container: of whom plan, map, image and the state's name are looked at
 * @namespaces: of enter_open(), lent
 * @socket_fd: the job is asked for on it (job_start()), after MESSAGE_DONE has come or instead of
 *             it MESSAGE_ERROR
 *
 * What is started has all capabilities over the container's user namespace and no filter of system
 * calls, and none is emulated for it.
 * Context: a process of its own, single-threaded, in the container's cgroup.
 * Return: when the job has ended or the connection has, an exit status that nobody looks at.
 */
int enter_run(const struct container *container, const int *namespaces, int socket_fd);

#endif
