/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lock of a container is had for a moment by a command that changes it, and
 * for life by its supervisor.  Who wants it waits for the former.  The latter is
 * not waited for, unless it is the one that the caller has just seen end: when
 * the container was started by somebody else meanwhile, it is as it is.
 *
 * While a child waits for the lock, this process looks after the container's
 * state.
 */
#include "containers_private.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/lock_waiter.h"
#include "kept_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#define STATE_BYTES_MAX (64u << 10)

static int take(int fd, int operation) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int r;

    do
        r = fcntl(fd, operation, &lock);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    return 0;
}

/* Whether it has another supervisor than when the caller looked. */
static bool runs_anew(const struct kept *kept) {
    _cleanup_free_ char *text = NULL;
    struct kept fresh = {.state = {0}};

    if (fd_read_file(kept->dir_fd, "state", STATE_BYTES_MAX, &text, NULL) < 0)
        return false;
    kept_state_parse(text, &fresh.state);
    return kept_is_live(&fresh) && fresh.state.supervisor != kept->state.supervisor;
}

/* A descriptor that is readable after the state has changed; -1: nobody will tell. */
static int watch_state(const struct kept *kept) {
    char path[32];
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    snprintf(path, sizeof path, "/proc/self/fd/%d", kept->dir_fd);
    if (fd >= 0)
        (void)inotify_add_watch(fd, path, IN_MOVED_TO);
    return fd;
}

static int await(const struct kept *kept, int fd) {
    _cleanup_close_ int changes = watch_state(kept);
    char events[sizeof(struct inotify_event) + NAME_MAX + 1];
    struct pollfd polls[2] = {{.events = POLLIN}, {.events = POLLIN, .fd = changes}};
    struct lock_waiter waiter;
    int got, r = lock_waiter_start(&waiter, take, fd, F_OFD_SETLKW);

    if (r < 0)
        return r;
    polls[0].fd = waiter.pidfd;
    while (r == 0 && !polls[0].revents) {
        if (runs_anew(kept))
            r = -EBUSY;
        else if (poll(polls, 2, -1) < 0 && errno != EINTR)
            r = -errno;
        while (changes >= 0 && read(changes, events, sizeof events) > 0)
            ;
    }
    got = lock_waiter_end(&waiter);
    return r == 0 ? got : r;
}

int kept_take_lock(struct kept *kept, bool wait, bool create) {
    _cleanup_close_ int fd = openat(kept->dir_fd, "lock",
                                    O_RDWR | (create ? O_CREAT : 0) | O_NOFOLLOW | O_CLOEXEC, 0600);
    int r;

    if (fd < 0)
        return -errno;
    r = take(fd, F_OFD_SETLK);
    if (r == -EBUSY && wait)
        r = await(kept, fd);
    if (r == 0)
        kept->lock_fd = take_fd(fd);
    return r;
}

bool kept_is_locked(const struct kept *kept) {
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    _cleanup_close_ int fd = openat(kept->dir_fd, "lock", O_RDWR | O_NOFOLLOW | O_CLOEXEC);

    return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}
