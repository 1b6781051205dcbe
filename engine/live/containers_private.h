/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of containers, for containers.c and containers_make.c alone. */
#ifndef MAYFLY_CONTAINERS_PRIVATE_H
#define MAYFLY_CONTAINERS_PRIVATE_H

#include "containers.h"

/** kept_is_id() - whether a file's name is the id of a container. */
bool kept_is_id(const char *name);

/**
 * kept_open() - open the one of an id, and set right or remove what a kill has left of it
 * Return: 0, -ENOENT when there is none, or -errno; kept_done() is due either way.
 */
int kept_open(struct containers *containers, const char *id, struct kept *kept);

/**
 * kept_take_lock() - lock the open file description of "lock"
 * @wait: for whoever has it, but for a supervisor that @kept->state does not know
 * @create: the file, which is gone when the container is being removed
 *
 * Return: 0, -EBUSY, -ENOENT or -errno.
 */
int kept_take_lock(struct kept *kept, bool wait, bool create);

/** kept_is_locked() - whether somebody has that lock. */
bool kept_is_locked(const struct kept *kept);

/** kept_write_file() - replace a small file whole.  Return: 0 or -errno. */
int kept_write_file(int dir_fd, const char *name, const char *data, size_t size);

/** kept_drop_name() - take a name (NULL: none) away, unless it is another container's. */
void kept_drop_name(struct containers *containers, const char *name, const char *id);

#endif
