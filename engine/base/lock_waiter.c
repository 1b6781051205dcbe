/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock(2) and fcntl(2) have no timeout and nothing to poll.  A child that shares
 * the open file does the waiting, and leaves the lock with it when it ends.
 */
#include "lock_waiter.h"

#include "sys.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int lock_waiter_start(struct lock_waiter *ret_waiter, int (*take)(int fd, int operation), int fd,
                      int operation) {
    int r;

    ret_waiter->pid = fork();
    if (ret_waiter->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(take(fd, operation) < 0);
    }
    if (ret_waiter->pid < 0)
        return -errno;
    ret_waiter->pidfd = sys_pidfd_open(ret_waiter->pid);
    if (ret_waiter->pidfd >= 0)
        return 0;
    r = -errno;
    (void)lock_waiter_end(ret_waiter);
    return r;
}

int lock_waiter_end(struct lock_waiter *waiter) {
    int status = 0;

    kill(waiter->pid, SIGKILL);
    while (waitpid(waiter->pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (waiter->pidfd >= 0)
        close(waiter->pidfd);
    return status != 0 ? -EINTR : 0;
}
