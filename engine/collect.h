/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COLLECT_H
#define MAYFLY_COLLECT_H

#include "base/err.h"
#include "plan.h"
#include "supervise.h"

/**
 * collect() - the host's side of a download or an upload
 * @action: ACTION_DOWNLOAD or ACTION_UPLOAD
 * @socket_fd: to the container's side of the same copy
 *
 * What a download makes belongs to this process; a directory that could not be completed is removed
 * again.
 * Return: 0, a SUPERVISE_ condition, or -errno with a text.
 */
int collect(struct supervisor *supervisor, const struct action *action, int socket_fd,
            struct err *err);

#endif
