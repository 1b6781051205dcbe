/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_JOBS_H
#define MAYFLY_JOBS_H

#include "inside.h"

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

/**
 * struct jobs - the programs that PID 1 runs for others, each by a connection of its own
 *
 * What is said on a connection stands at job_start().
 */
struct jobs {
    struct running_job *items;
    struct pollfd *fds;
    size_t n;
};

/** jobs_add() - a connection, taken over, on which a job will be asked for.  Return: 0 or -errno.
 */
int jobs_add(struct jobs *jobs, int socket_fd);

/**
 * jobs_poll() - what to wait for
 * @n_before: entries that the caller fills in itself
 *
 * Return: @n_before entries and one for each of jobs->n; NULL: no memory.
 */
struct pollfd *jobs_poll(struct jobs *jobs, size_t n_before);

/** jobs_dispatch() - after poll(2): requests, signals and ends of connections; @fds: of the jobs.
 */
void jobs_dispatch(struct jobs *jobs, struct inside *inside, const struct pollfd *fds);

/** jobs_reap() - a child has ended with a status as of wait(2), which may be no job's. */
void jobs_reap(struct jobs *jobs, pid_t pid, int status);

#endif
