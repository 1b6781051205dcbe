/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's image: found in the store, or brought there first, by a process
 * that a signal or the end of the run's time breaks off.
 */
#include "session_image.h"

#include "base/cleanup.h"
#include "confine/importer.h"
#include "rootfs/image_store.h"
#include "rootfs/ref.h"
#include "signals.h"
#include "userns.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

static void undo_image(void *argument) {
    image_done(argument);
}

/* struct pull - an image on its way from elsewhere; @is_told: that it is */
struct pull {
    const struct container *container;
    bool is_told;
};

/* Said when the first bytes of a layer come: what fails before is told in one line. */
static void tell_pull(void *context, const struct log_progress *progress) {
    struct pull *pull = context;
    const struct log *log = pull->container->log;

    if (!pull->is_told && progress->done > 0) {
        pull->is_told = true;
        log_info(log, "pulling %s", pull->container->plan->image);
    }
    if (log->progress)
        log->progress(log->progress_context, progress);
}

/* What is unpacked from a file takes no longer than a person waits: only pulls tell how far they
 * are. */
static int import(void *argument, struct err *err) {
    struct container *c = argument;
    bool is_remote = ref_is_remote(c->plan->image);
    struct pull pull = {.container = c};
    struct importer importer;
    struct log log = *c->log;
    int r;

    importer_begin(&importer, &c->store, is_remote);
    log.progress = is_remote ? tell_pull : NULL;
    log.progress_context = &pull;
    r = is_remote && c->plan->pull == PULL_ALWAYS
            ? image_pull(&c->store, c->plan->image, &log, err)
            : image_import(&c->store, c->plan->image, &log, err);
    importer_end(&importer);
    return r;
}

/* Adds to @epoll a timer that becomes readable when the run's time is up; a descriptor. */
static int add_timer(int epoll, uint64_t deadline_nsec) {
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(deadline_nsec / NSEC_PER_SEC),
                     .tv_nsec = (long)(deadline_nsec % NSEC_PER_SEC)},
    };
    struct epoll_event event = {.events = EPOLLIN};
    _cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    return take_fd(fd);
}

/* Brings the image into the store.  Return: 0, a condition of an attempt, or -errno with a text. */
static int bring_image(struct session *s, struct err *err) {
    struct container *c = &s->container;
    struct epoll_event event = {.events = EPOLLIN};
    _cleanup_close_ int ends = signals_open_ends(err), timer = -1;
    _cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);
    int r = ends < 0 ? ends : 0, ended;

    if (r == 0 && (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends, &event) < 0))
        r = err_errno(err, "cannot wait for signals");
    if (r == 0 && s->supervisor.deadline_nsec != CLOCK_NEVER) {
        timer = add_timer(epoll, s->supervisor.deadline_nsec);
        r = timer < 0 ? err_set(err, timer, "cannot make a timer") : 0;
    }
    if (r == 0) {
        log_debug(c->log, "unpacking %s", c->plan->image);
        r = userns_call(&c->map, import, c, epoll, err);
    }
    ended = r == -EINTR ? supervise_check(&s->supervisor) : 0;
    if (ended > 0)
        r = ended;
    else if (r == USERNS_UNMAPPABLE)
        r = SESSION_FALL_BACK;
    if (r != 0)
        (void)store_clean(&c->store);
    return r;
}

int session_find_image(struct session *s, struct err *err) {
    struct container *c = &s->container;
    bool is_remote = c->plan->pull != PULL_MISSING && ref_is_remote(c->plan->image);
    int r = is_remote && c->plan->pull == PULL_ALWAYS ? bring_image(s, err) : 0;

    if (r == 0)
        r = image_find(&c->image, &c->store, c->plan->image, err);
    if (r == IMAGE_MISSING && is_remote && c->plan->pull == PULL_NEVER)
        return err_set(err, -ENOENT,
                       "image %s: it is not here, and with --pull never nobody is asked for it",
                       c->plan->image);
    if (r == IMAGE_MISSING) {
        r = bring_image(s, err);
        if (r == 0)
            r = image_find(&c->image, &c->store, c->plan->image, err);
        if (r == IMAGE_MISSING)
            return err_set(err, -ESTALE, "image %s: it changed while it was unpacked",
                           c->plan->image);
    }
    if (r == 0)
        unwind_push(&s->unwind, undo_image, &c->image);
    return r;
}
