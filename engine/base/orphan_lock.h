/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ORPHAN_LOCK_H
#define MAYFLY_ORPHAN_LOCK_H

/**
 * orphan_lock_mark() - let others see at once that the taker of a lock lives
 * @fd: a file or directory, open for reading, on which this process has taken a flock(2)
 *
 * Where a file system has no record locks for it, nothing is marked: others take longer.
 * Context: the process that lives as long as the lock is meant; one call.
 * Spec: fcntl(2), advisory record locking.
 */
void orphan_lock_mark(int fd);

/**
 * orphan_lock_take() - take a lock that outlives the process which took it
 * @fd: a file that somebody else holds a flock(2) on
 *
 * The children of a killed process share its lock, and are dying along with it or see soon that
 * they are alone: they are waited for, 10 seconds at most.  When the owner lives, or somebody else
 * waits for the lock already, nothing is waited for.
 * Context: host; /proc is mounted.  Costs nothing but for a lock that is held.
 * Return: 0 with the lock held, or -EWOULDBLOCK.
 */
int orphan_lock_take(int fd);

#endif
