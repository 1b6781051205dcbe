/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ATTACHED_H
#define MAYFLY_ATTACHED_H

#include "engine/base/err.h"
#include "engine/live/containers.h"

/**
 * struct attached - a container that somebody else has started, as 'mayfly run -d' does
 * @wait_fd: the connection on which its supervisor tells that it has ended
 */
struct attached {
    struct containers containers;
    struct kept kept;
    int wait_fd;
};

/**
 * attached_new() - find a container that runs
 * @word: its name, its id or the beginning of its id
 *
 * Return: 0, -ENOENT, -ENOTCONN when it does not run, or another -errno, always with a text.
 */
int attached_new(const char *word, struct attached **ret_attached, struct err *err);

void attached_free(struct attached *attached);

/** attached_connect() - a connection to its PID 1, for one job.  Return: a descriptor or -errno. */
int attached_connect(const struct attached *attached, struct err *err);

/** attached_commit() - see kept_commit(); done by a child. */
int attached_commit(const struct attached *attached, const char *name, char **ret_id,
                    struct err *err);

/** attached_remove() - end it and remove it, see containers_end(); done by a child. */
int attached_remove(const struct attached *attached, struct err *err);

/** attached_reason() - after its end: how it ended, in words. */
void attached_reason(struct attached *attached, struct err *err);

/** attached_health() - how it is now.  Return: enum health, or -errno with a text. */
int attached_health(struct attached *attached, struct err *err);

#endif
