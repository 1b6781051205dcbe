/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SESSION_STREAMS_H
#define MAYFLY_SESSION_STREAMS_H

#include "base/err.h"
#include "session.h"

/**
 * session_streams_open() - put pipes in place of those standard streams that steps may not have
 *
 * A file as standard input that the container's root could write to; and where there is SELinux,
 * all that are no terminals: programs with a label may touch nothing that has another.
 * Context: host, before the clone; the labels are chosen.  Undone by the session's unwinding.
 * Return: 0 or -errno with a text.
 */
int session_streams_open(struct session *session, struct err *err);

/** session_streams_begin() - the container has its ends: from now on bytes are handed on. */
void session_streams_begin(struct session *session);

#endif
