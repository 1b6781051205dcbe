/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A descriptor of a file is also a way to the file: by /proc/self/fd it can be opened
 * anew, for writing too, by whoever may write to the file.  Steps that are not to get
 * so far, or may not touch the file at all, read from a pipe.  Not much more is taken
 * than they read: a pipe's length.
 */
#include "feed.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

int feed_open(struct feed *feed, const struct selinux *labels, int dir_fd, struct err *err) {
    int ends[2];

    errno = -selinux_pipe(ends, labels, dir_fd);
    if (errno != 0)
        return err_errno(err, "cannot make a pipe");
    /* Both ends are held, so that no write finds nobody to read. */
    feed->stream_fd = ends[0];
    feed->pipe_fd = ends[1];
    return fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0 ? err_errno(err, "cannot set up a pipe") : 0;
}

void feed_poll(const struct feed *feed, struct pollfd fds[FEED_N_POLL]) {
    bool is_full = feed->start < feed->end;

    fds[0] = (struct pollfd){.fd = feed->pipe_fd < 0 ? -1
                                   : is_full         ? feed->pipe_fd
                                                     : STDIN_FILENO,
                             .events = is_full ? POLLOUT : POLLIN};
}

void feed_dispatch(struct feed *feed, const struct pollfd fds[FEED_N_POLL]) {
    ssize_t n;

    if (feed->pipe_fd < 0 || !fds[0].revents)
        return;
    if (feed->start == feed->end) {
        n = read(STDIN_FILENO, feed->bytes, sizeof feed->bytes);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        if (n <= 0) {
            close(take_fd(feed->pipe_fd));
            return;
        }
        feed->taken += (size_t)n;
        feed->start = 0;
        feed->end = (size_t)n;
    }
    n = write(feed->pipe_fd, feed->bytes + feed->start, feed->end - feed->start);
    if (n > 0)
        feed->start += (size_t)n;
}

void feed_close(struct feed *feed) {
    int unread = 0;
    size_t n;

    if (feed->stream_fd < 0)
        return;
    if (ioctl(feed->stream_fd, FIONREAD, &unread) < 0)
        unread = 0;
    n = (size_t)unread + (feed->end - feed->start);
    /* Steps may have written into it as well. */
    if (n > feed->taken)
        n = feed->taken;
    if (n > 0)
        (void)lseek(STDIN_FILENO, -(off_t)n, SEEK_CUR);
    close(take_fd(feed->stream_fd));
    if (feed->pipe_fd >= 0)
        close(take_fd(feed->pipe_fd));
    feed->taken = feed->start = feed->end = 0;
}
