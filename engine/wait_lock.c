/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor that waits for a lock goes on with what it is there for. */
#include "wait_lock.h"

#include "base/lock_waiter.h"

#include <errno.h>
#include <poll.h>
#include <sys/file.h>

int wait_lock(struct supervisor *supervisor, int fd, int operation, struct err *err) {
    struct lock_waiter waiter;
    int got, r = lock_waiter_start(&waiter, flock, fd, operation);

    if (r < 0)
        return err_set(err, r, "cannot make a process: %s", strerror(-r));
    r = supervise_wait_fd(supervisor, waiter.pidfd, POLLIN);
    got = lock_waiter_end(&waiter);
    if (r == -EINTR) {
        r = supervise_check(supervisor);
        return r ? r : err_set(err, -EINTR, "interrupted");
    }
    if (r == 0 && got < 0)
        r = -EIO;
    return r < 0 ? err_set(err, r, "cannot wait for another run") : 0;
}
