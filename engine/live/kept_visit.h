/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_VISIT_H
#define MAYFLY_KEPT_VISIT_H

#include "containers.h"
#include "engine/base/err.h"

/**
 * kept_visit() - do something with a container's files, whether or not it runs
 * @act: gets a connection to its PID 1, lent
 *
 * One that does not run is made up for as long as @act takes, without its program and its network.
 * Context: host, a single-threaded process; where the container does not run, with
 * session_exposes_program() dealt with.
 * Return: what @act returned, or -errno with a text; -EBUSY when somebody else is at it.
 */
int kept_visit(struct containers *containers, struct kept *kept,
               int (*act)(int job_fd, void *argument, struct err *err), void *argument,
               struct err *err);

#endif
