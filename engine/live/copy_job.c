/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into and out of a container: this side here, the other one in a child of PID 1. */
#include "copy_job.h"

#include "engine/base/cleanup.h"
#include "engine/collect.h"
#include "engine/copy/copy.h"
#include "engine/inside/job.h"
#include "engine/message.h"

#include <errno.h>
#include <sys/socket.h>

/* Few records under way: each may carry a descriptor, and these count against RLIMIT_NOFILE. */
#define SOCKET_BYTES (16 * 1024)

int copy_job(int job_fd, bool down, const char *source, const char *target, struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1;
    struct copy copy = {.plain_modes = down};
    struct message message;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    copy.socket_fd = ours = pair[0];
    theirs = pair[1];
    for (int i = 0; i < 2; i++)
        if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BYTES}, sizeof(int)) < 0)
            return err_errno(err, "cannot set up a socket");
    r = job_copy(job_fd, down, source, target, theirs, err);
    /* The container alone has it now, so that its end is seen. */
    close(take_fd(theirs));
    if (r == 0)
        r = down ? collect_download(&copy, source, target, err)
                 : collect_upload(&copy, source, err);
    if (r == 0 && message_receive(job_fd, &message, NULL, 0, NULL) < 0)
        r = err_set(err, -EPIPE, "the container has ended");
    return r < 0 ? err_wrap(err, "%s %s", down ? "copy out of" : "copy in", source) : 0;
}
