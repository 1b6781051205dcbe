/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SPAWN_H
#define MAYFLY_SPAWN_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/**
 * spawn() - clone(2) this process into new namespaces
 * @flags: CLONE_NEW* flags
 * @cgroup_fd: directory of the control group that it is born into; -1: this process's own
 * @ret_pidfd: set in the parent
 *
 * Spec: clone(2), clone3.
 * Return: the child's pid in the parent, 0 in the child, -errno with a text that says what this
 * host has switched off and how to mend it.
 */
pid_t spawn(uint64_t flags, int cgroup_fd, int *ret_pidfd, struct err *err);

/**
 * spawn_within() - as spawn(), with the new user namespace inside of another one
 * @owner_fd: a user namespace of this user's
 * @flags, @cgroup_fd, @ret_pidfd: as above
 *
 * The child is this process's nonetheless.
 */
pid_t spawn_within(int owner_fd, uint64_t flags, int cgroup_fd, int *ret_pidfd, struct err *err);

/**
 * spawn_explain() - why the kernel has refused new namespaces
 * @cgroup_fd: as above
 *
 * Goes by errno as clone(2) or unshare(2) left it.
 * Return: -errno with a text that says what this host has switched off and how to mend it.
 */
int spawn_explain(int cgroup_fd, struct err *err);

/** spawn_wait() - wait for the end of a child.  Return: its wait status as of wait(2), or -errno.
 */
int spawn_wait(int pidfd);

#endif
