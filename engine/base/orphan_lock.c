/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel lets go of a flock(2) when the last descriptor of its open file is
 * closed, and /proc/locks tells who took it (Spec: proc(5)).  So a lock whose
 * taker is dead belongs to children of it that have been killed a moment ago.
 * flock(2) has no timeout; a child does the waiting, so that it can be given up.
 *
 * Reading /proc/locks stops every processor's locking and waits milliseconds for
 * that.  Who takes a lock for long therefore marks it with a record lock, which
 * children do not get (Spec: fcntl(2)) and which is asked for with one call.  Any
 * descriptor's closing takes it away, and a child that shares the table of
 * descriptors (clone(2), CLONE_FILES) keeps a dead process's: so it says that the
 * taker lives when that is seen to live as well, and else nothing.
 */
#include "orphan_lock.h"

#include "cleanup.h"
#include "clock.h"
#include "fd.h"
#include "lock_waiter.h"
#include "process.h"
#include "str.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>

#define LOCKS_BYTES_MAX (16U << 20)
#define DEATH_NSEC (10 * NSEC_PER_SEC)

static struct flock whole(short type) {
    return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

void orphan_lock_mark(int fd) {
    struct flock mark = whole(F_RDLCK);

    (void)fcntl(fd, F_SETLK, &mark);
}

static bool is_marked(int fd) {
    struct flock mark = whole(F_WRLCK);

    return fcntl(fd, F_GETLK, &mark) == 0 && mark.l_type != F_UNLCK && mark.l_pid > 0 &&
           process_is_alive(mark.l_pid);
}

/* Whether the lock on @inode is nobody's who lives, and nobody waits for it. */
static bool is_orphan(ino_t inode) {
    _cleanup_free_ char *text = NULL;

    if (fd_read_file(AT_FDCWD, "/proc/locks", LOCKS_BYTES_MAX, &text, NULL) < 0)
        return false;
    for (const char *line = text; *line; line += *line == '\n') {
        unsigned long long found;
        int pid;

        /* ORDINAL: FLOCK ADVISORY WRITE PID MAJOR:MINOR:INODE START END; with -> before FLOCK for
         * one that is waited for. */
        if (sscanf(line, "%*s -> FLOCK %*s %*s %*d %*[^:]:%*[^:]:%llu", &found) == 1 &&
            found == inode)
            return false;
        if (sscanf(line, "%*s FLOCK %*s %*s %d %*[^:]:%*[^:]:%llu", &pid, &found) == 2 &&
            found == inode && pid > 0 && process_is_alive(pid))
            return false;
        line += strcspn(line, "\n");
    }
    return true;
}

int orphan_lock_take(int fd) {
    struct pollfd wait = {.events = POLLIN};
    struct lock_waiter waiter;
    struct stat st;

    if (is_marked(fd) || fstat(fd, &st) < 0 || !is_orphan(st.st_ino))
        return -EWOULDBLOCK;
    if (lock_waiter_start(&waiter, flock, fd, LOCK_EX) < 0)
        return -EWOULDBLOCK;
    wait.fd = waiter.pidfd;
    (void)poll(&wait, 1, clock_poll_timeout(0, DEATH_NSEC));
    (void)lock_waiter_end(&waiter);
    /* The child shared this descriptor's lock and has left it here, if it got it. */
    return flock(fd, LOCK_EX | LOCK_NB) < 0 ? -EWOULDBLOCK : 0;
}
