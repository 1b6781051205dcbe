/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A pipe has the label of who made it, with all the categories that its maker may
 * have, and no program of a container may touch it then.  One with a name for a
 * moment can be given the label of the container's files.
 */
#include "engine/base/cleanup.h"
#include "engine/base/sys.h"
#include "selinux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static int open_ends(int dir_fd, const char *name, const char *label, int ret_ends[2]) {
    _cleanup_close_ int in = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_close_ int out = openat(dir_fd, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    /* The container's root may open it by a name of its own (/dev/stdout). */
    if (in < 0 || out < 0 || fchmod(in, 0666) < 0 ||
        fsetxattr(in, "security.selinux", label, strlen(label) + 1, 0) < 0 ||
        fcntl(in, F_SETFL, 0) < 0 || fcntl(out, F_SETFL, 0) < 0)
        return -errno;
    ret_ends[0] = take_fd(in);
    ret_ends[1] = take_fd(out);
    return 0;
}

int selinux_pipe(int ret_ends[2], const struct selinux *labels, int dir_fd) {
    char name[32];
    int r;

    if (!labels || !*labels->process)
        return pipe2(ret_ends, O_CLOEXEC) < 0 ? -errno : 0;
    snprintf(name, sizeof name, "pipe-%d", (int)getpid());
    (void)sys_unlinkat(dir_fd, name, 0);
    if (sys_mknodat(dir_fd, name, S_IFIFO | 0600, 0) < 0)
        return -errno;
    r = open_ends(dir_fd, name, labels->mount, ret_ends);
    (void)sys_unlinkat(dir_fd, name, 0);
    return r;
}
