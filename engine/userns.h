/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_USERNS_H
#define MAYFLY_USERNS_H

#include "base/err.h"
#include "idmap.h"

#include <sys/types.h>

/** USERNS_UNMAPPABLE - userns_map(): these maps are refused here; a lesser mode may work. */
#define USERNS_UNMAPPABLE 1

/**
 * userns_map() - write the id maps of a child's new user namespace
 *
 * Context: host, the parent of @pid.  Runs newuidmap(1) and newgidmap(1) for IDMAP_SUBUID.
 * Spec: user_namespaces(7).
 * Return: 0, USERNS_UNMAPPABLE with a text, or -errno with a text.
 */
int userns_map(const struct idmap *map, pid_t pid, struct err *err);

/**
 * userns_map_within() - the same for a user namespace that was made inside of another one
 * @owner_fd: that one, which has the same ids
 *
 * Context: host, the user who made @owner_fd.
 * Return: 0 or -errno with a text.
 */
int userns_map_within(int owner_fd, const struct idmap *map, pid_t pid, struct err *err);

/**
 * userns_make() - make a user namespace with a container's ids, and a network namespace owned by it
 * @ret_net_fd: the network namespace
 *
 * Context: host, without privileges.
 * Return: as userns_map().
 */
int userns_make(const struct idmap *map, int *ret_net_fd, struct err *err);

/** userns_become_root() - in the child, after userns_map(): be uid and gid 0 of the namespace. */
int userns_become_root(const struct idmap *map, struct err *err);

/**
 * userns_call() - call a function in a process of its own, with a container's ids
 * @map: IDMAP_SUBUID: in a user namespace with these maps; others: in a plain fork
 * @function: its return value and error come back
 * @interrupt_fd: when it becomes readable the call is broken off; -1: never
 *
 * Context: host.  The child dies with this process.
 * Return: what @function returned, -EINTR with a text when it was broken off, or -errno with a text
 * when the child died.
 */
int userns_call(const struct idmap *map, int (*function)(void *argument, struct err *err),
                void *argument, int interrupt_fd, struct err *err);

/**
 * userns_call_as_root() - the same, to read what is in layers
 *
 * With IDMAP_SINGLE too in a user namespace, whose root reads the user's files whatever their mode.
 */
int userns_call_as_root(const struct idmap *map, int (*function)(void *argument, struct err *err),
                        void *argument, int interrupt_fd, struct err *err);

#endif
