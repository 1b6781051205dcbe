/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CGROUP_REMOVE_H
#define MAYFLY_CGROUP_REMOVE_H

/**
 * cgroup_kill_all() - send SIGKILL to every process of a group and of those below it
 * @dir_fd: the group's directory, of either version
 *
 * Spec: cgroups(7); cgroup.kill from Linux 5.14 on, before that each process in turn.
 */
void cgroup_kill_all(int dir_fd);

/**
 * cgroup_remove() - remove a group, with those below it and all processes in them
 * @path: absolute
 *
 * One system call when nobody is in it.  Else processes are killed and their end is waited for,
 * ten seconds at most.  A group that is not there is no error.
 * Return: 0 or -errno.
 */
int cgroup_remove(const char *path);

#endif
