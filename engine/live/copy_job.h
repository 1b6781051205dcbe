/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COPY_JOB_H
#define MAYFLY_COPY_JOB_H

#include "engine/base/err.h"

#include <stdbool.h>

/**
 * copy_job() - copy into or out of a container that runs
 * @job_fd: a connection to PID 1 that was not used before, lent
 * @down: out of the container
 * @source, @target: as of job_copy() and collect_download()
 *
 * Context: host; blocks until both sides are done.
 * Return: 0 or -errno with a text.
 */
int copy_job(int job_fd, bool down, const char *source, const char *target, struct err *err);

/**
 * copy_job_tar() - the same to or from a tar
 * @path: in the container: what is copied out, or the directory that what is in the tar goes to
 * @tar_fd: to be written or read
 */
int copy_job_tar(int job_fd, bool down, const char *path, int tar_fd, struct err *err);

#endif
