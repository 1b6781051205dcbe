/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ground that the public calls stand on.  fork(3) of the C library makes its
 * allocator usable in the child even when another thread held a lock; the child
 * has signals and children of its own, and ends before the call returns.
 */
#include "library.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "engine/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

/* More than this no call has to tell. */
#define ANSWER_BYTES_MAX (64U << 20)

_Static_assert(MAYFLY_ERROR_BYTES == ERR_MESSAGE_BYTES, "errors are handed on whole");

const char *mayfly_version(void) {
    return MAYFLY_VERSION;
}

int library_return(int r, const struct err *err, struct mayfly_error *error) {
    if (r > 0)
        r = -EPERM;
    if (r < 0 && error) {
        error->code = r;
        memcpy(error->message, err->message, sizeof error->message);
    }
    return r;
}

struct call {
    int (*work)(void *argument, struct buf *answer, struct err *err);
    void *argument;
    int answer_fd;
};

static int answer_call(void *argument, struct err *err) {
    struct call *call = argument;
    _cleanup_buf_ struct buf answer = BUF_INIT;
    int r = call->work(call->argument, &answer, err);

    if (r == 0 && buf_failed(&answer))
        r = err_nomem(err);
    if (r == 0 && fd_write_all(call->answer_fd, answer.data, answer.size) < 0)
        r = err_set(err, -EIO, "cannot hand over the result");
    return r;
}

int library_call(int (*work)(void *argument, struct buf *answer, struct err *err), void *argument,
                 char **ret_answer, struct err *err) {
    const struct idmap same_ids = {.mode = IDMAP_IDENTITY};
    _cleanup_close_ int answer_fd = memfd_create("mayfly", MFD_CLOEXEC);
    struct call call = {.work = work, .argument = argument, .answer_fd = answer_fd};
    int r;

    if (answer_fd < 0)
        return err_errno(err, "cannot make an anonymous file");
    r = userns_call(&same_ids, answer_call, &call, -1, err);
    if (r == 0 && ret_answer &&
        (lseek(answer_fd, 0, SEEK_SET) < 0 ||
         fd_read_all(answer_fd, ANSWER_BYTES_MAX, ret_answer, NULL) < 0))
        r = err_nomem(err);
    return r;
}

/* Signals as at a program's start: the caller's handlers are not for us. */
static void reset_signals(void) {
    const struct sigaction standard = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        (void)sigaction(i, &standard, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int library_begin_child(const int *stdio, int fd) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC), fds[4];

    reset_signals();
    /* Out of the way of the numbers that they will have. */
    for (int i = 0; i < 4; i++) {
        fds[i] = fcntl(i == 3 ? fd : stdio ? stdio[i] : null, F_DUPFD_CLOEXEC, 4);
        if (fds[i] < 0)
            return -errno;
    }
    for (int i = 0; i < 4; i++)
        if (dup3(fds[i], i, i == 3 ? O_CLOEXEC : 0) < 0)
            return -errno;
    return sys_close_range(4, ~0U) < 0 ? -errno : 3;
}

int library_wait_fd(int fd, uint64_t deadline_nsec, struct err *err) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    int r;

    do
        r = poll(&poll_fd, 1, clock_poll_timeout(clock_monotonic(), deadline_nsec));
    while (r < 0 ? errno == EINTR : r == 0 && clock_monotonic() < deadline_nsec);
    if (r < 0)
        return err_errno(err, "cannot wait");
    return r > 0 ? 0 : err_set(err, -ETIMEDOUT, "the time is up");
}
