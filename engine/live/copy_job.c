/* SPDX-License-Identifier: Apache-2.0 */
/* Copies into and out of a container: this side here, the other one in a child of PID 1. */
#include "copy_job.h"

#include "engine/base/cleanup.h"
#include "engine/collect.h"
#include "engine/copy/copy.h"
#include "engine/copy/copy_path.h"
#include "engine/copy/copy_tar.h"
#include "engine/inside/job.h"
#include "engine/message.h"

#include <errno.h>
#include <sys/socket.h>

/* Few records under way: each may carry a descriptor, and these count against RLIMIT_NOFILE. */
#define SOCKET_BYTES (16 * 1024)

/* Asks for the container's side.  Return: a socket to it, or -errno with a text. */
static int begin(int job_fd, enum job_flags kind, const char *source, const char *target,
                 struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    /* The container alone has it afterwards, so that its end is seen. */
    theirs = pair[1];
    for (int i = 0; i < 2; i++)
        if (setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &(int){SOCKET_BYTES}, sizeof(int)) < 0)
            return err_errno(err, "cannot set up a socket");
    r = job_copy(job_fd, kind, source, target, theirs, err);
    return r < 0 ? r : take_fd(ours);
}

static int end(int job_fd, bool down, int r, const char *source, struct err *err) {
    struct message message;

    if (r == 0 && message_receive(job_fd, &message, NULL, 0, NULL) < 0)
        r = err_set(err, -EPIPE, "the container has ended");
    return r < 0 ? err_wrap(err, "%s %s", down ? "copy out of" : "copy in", source) : 0;
}

int copy_job(int job_fd, bool down, const char *source, const char *target, struct err *err) {
    _cleanup_close_ int fd = begin(job_fd, down ? JOB_DOWNLOAD : JOB_UPLOAD, source, target, err);
    struct copy copy = {.socket_fd = fd, .plain_modes = down};
    int r = fd < 0 ? fd
            : down ? collect_download(&copy, source, target, err)
                   : collect_upload(&copy, source, err);

    return end(job_fd, down, r, source, err);
}

int copy_job_tar(int job_fd, bool down, const char *path, int tar_fd, struct err *err) {
    char name[NAME_MAX + 1] = "";
    int named = copy_own_name(path, name);
    _cleanup_close_ int fd = named < 0 ? err_set(err, named, "%s", strerror(-named))
                             : down    ? begin(job_fd, JOB_DOWNLOAD, path, NULL, err)
                                       : begin(job_fd, JOB_UPLOAD_TAR, ".", path, err);
    struct copy copy = {.socket_fd = fd};
    int r = fd < 0 ? fd
            : down ? copy_receive_tar(&copy, tar_fd, name, err)
                   : copy_send_tar(&copy, tar_fd, err);

    return end(job_fd, down, r, path, err);
}
