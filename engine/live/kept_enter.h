/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_ENTER_H
#define MAYFLY_KEPT_ENTER_H

#include "containers.h"
#include "engine/base/err.h"

/**
 * kept_enter() - a connection for a program that has all capabilities in a container, and no filter
 *
 * What is said on it stands at job_start(); see enter.h for what does it.  There is a child to be
 * waited for after its end (wait(2)).
 * Context: host, a single-threaded process, session_exposes_program() dealt with.
 * Return: a SOCK_SEQPACKET socket, -ENOTCONN with a text when the container does not run, or -errno
 * with a text.
 */
int kept_enter(struct containers *containers, const struct kept *kept, struct err *err);

#endif
