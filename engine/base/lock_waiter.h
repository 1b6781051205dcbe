/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LOCK_WAITER_H
#define MAYFLY_LOCK_WAITER_H

#include <sys/types.h>

/**
 * struct lock_waiter - a child that waits for a lock
 * @pidfd: readable when it has ended
 */
struct lock_waiter {
    pid_t pid;
    int pidfd;
};

/**
 * lock_waiter_start() - have a child wait for a lock of an open file, which it shares
 * @take: takes the lock, however long it takes; negative when it cannot; makes system calls only
 *
 * Return: 0, after which lock_waiter_end() is due, or -errno.
 */
int lock_waiter_start(struct lock_waiter *ret_waiter, int (*take)(int fd, int operation), int fd,
                      int operation);

/** lock_waiter_end() - end the child.  Return: whether it had got the lock, which stays with the
 * open file: 0, or -EINTR. */
int lock_waiter_end(struct lock_waiter *waiter);

#endif
