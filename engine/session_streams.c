/* SPDX-License-Identifier: Apache-2.0 */
/* Standard streams that reach a container's steps by way of this process. */
#include "session_streams.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

static void undo_feed(void *argument) {
    struct session *s = argument;

    s->supervisor.feed = NULL;
    s->container.between[0] = -1;
    feed_close(&s->feed);
}

static void undo_capture(void *argument) {
    struct session *s = argument;

    if (s->supervisor.capture)
        capture_dispatch(&s->capture);
    s->supervisor.capture = NULL;
    s->container.between[1] = s->container.between[2] = -1;
    capture_close(&s->capture);
    sigaction(SIGPIPE, &s->on_pipe, NULL);
}

/* By the rights that count for the container's root, who is this process's user. */
static bool could_be_written(const struct container *c) {
    return c->input_is_file && c->map.uids[0].outside == geteuid() &&
           (fcntl(STDIN_FILENO, F_GETFL) & O_ACCMODE) == O_RDONLY &&
           faccessat(AT_FDCWD, "/proc/self/fd/0", W_OK, AT_EACCESS) == 0;
}

static int open_capture(struct session *s, struct err *err) {
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct container *c = &s->container;
    int r;

    /* Who read this process's output may go away: steps find that out, and it is to end in order.
     */
    sigaction(SIGPIPE, &ignore, &s->on_pipe);
    s->capture = CAPTURE_INIT;
    unwind_push(&s->unwind, undo_capture, s);
    r = capture_open(&s->capture, &c->confine.selinux, c->state.fd, err);
    for (int i = 1; r == 0 && i < 3; i++)
        if (!c->terminals[i])
            c->between[i] = s->capture.streams[i];
    return r;
}

int session_streams_open(struct session *s, struct err *err) {
    struct container *c = &s->container;
    bool is_labelled = *c->confine.selinux.process;
    int r = 0;

    if (s->request.capture) {
        /* In a second attempt it is there. */
        if (s->request.capture->streams[0] < 0)
            r = capture_open(s->request.capture, &c->confine.selinux, c->state.fd, err);
        c->streams = s->request.capture->streams;
        return r;
    }
    if (!c->has_streams)
        return 0;
    if (!c->terminals[0] && (is_labelled || could_be_written(c))) {
        s->feed = FEED_INIT;
        unwind_push(&s->unwind, undo_feed, s);
        r = feed_open(&s->feed, &c->confine.selinux, c->state.fd, err);
        c->between[0] = s->feed.stream_fd;
    }
    if (r == 0 && is_labelled && !(c->terminals[1] && c->terminals[2]))
        r = open_capture(s, err);
    return r;
}

void session_streams_begin(struct session *s) {
    if (s->container.between[0] >= 0)
        s->supervisor.feed = &s->feed;
    if (s->container.between[1] < 0 && s->container.between[2] < 0)
        return;
    s->capture.wait = supervise_wait_fd;
    s->capture.context = &s->supervisor;
    capture_begin(&s->capture, -1);
    s->supervisor.capture = &s->capture;
}
