/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flock(2) has no timeout and nothing to poll.  A child that shares the open file
 * does the waiting, and leaves the lock with it when it ends.
 */
#include "wait_lock.h"

#include "base/cleanup.h"
#include "base/sys.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

int wait_lock(struct supervisor *supervisor, int fd, int operation, struct err *err) {
    _cleanup_close_ int pidfd = -1;
    pid_t pid = fork();
    int status = 0, r;

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(flock(fd, operation) < 0);
    }
    if (pid < 0)
        return err_errno(err, "cannot make a process");
    pidfd = sys_pidfd_open(pid);
    r = pidfd < 0 ? -errno : supervise_wait_fd(supervisor, pidfd, POLLIN);
    kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (r == -EINTR) {
        r = supervise_check(supervisor);
        return r ? r : err_set(err, -EINTR, "interrupted");
    }
    if (r == 0 && status != 0)
        r = -EIO;
    return r < 0 ? err_set(err, r, "cannot wait for another run") : 0;
}
