/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SESSION_COMMIT_H
#define MAYFLY_SESSION_COMMIT_H

#include "base/err.h"
#include "session.h"

/**
 * session_commit() - make an image of what a container's root file system is now
 * @name: for the image, replacing that name's
 * @ret_id: its id, to free(3)
 *
 * The container's programs are stopped meanwhile and go on afterwards.  Volumes are no part of it.
 * Context: host, a single-threaded process; loads the libraries that images need.
 * Return: 0 or -errno with a text; -EINVAL when the container's own image is none of the store.
 */
int session_commit(const struct session *session, const char *name, char **ret_id, struct err *err);

#endif
