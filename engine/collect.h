/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_COLLECT_H
#define MAYFLY_COLLECT_H

#include "base/err.h"
#include "engine/copy/copy.h"
#include "engine/plan/plan.h"
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

/**
 * collect_download(), collect_upload() - the host's side of a copy, whoever asks for it
 * @copy: plain_modes is set for a download
 * @source: in the container for a download, else the host's
 * @target: the host's; NULL: the working directory
 *
 * Return: 0 or -errno with a text.
 */
int collect_download(struct copy *copy, const char *source, const char *target, struct err *err);
int collect_upload(struct copy *copy, const char *source, struct err *err);

#endif
