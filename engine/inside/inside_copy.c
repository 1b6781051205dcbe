/* SPDX-License-Identifier: Apache-2.0 */
/* The container's side of copies: a process of its own, as the container's root. */
#include "engine/copy/copy.h"
#include "engine/copy/copy_path.h"
#include "inside.h"

#include <unistd.h>

static int copy(const struct inside *inside, bool down, bool of_tar, const char *source,
                const char *target, int socket_fd) {
    struct copy copy = {
        .socket_fd = socket_fd,
        .chown = !inside_has_single_id(inside),
        .uid = inside->user.uid,
        .gid = inside->user.gid,
        .of_tar = of_tar,
    };
    struct copy_place place = {.dir_fd = -1};
    struct err err;
    int r;

    if (chdir(inside->workdir) < 0)
        r = err_errno(&err, "cannot enter the workdir %s", inside->workdir);
    else if (down)
        r = copy_source(source, &place, &err);
    else
        r = copy_target(target, source, true, &place, &err);
    if (r < 0)
        copy_fail(&copy, &err);
    else if (down)
        r = copy_send(&copy, place.dir_fd, place.name, &err);
    else
        r = copy_receive(&copy, place.dir_fd, place.name, &err);
    return r < 0;
}

pid_t inside_copy(const struct inside *inside, bool down, bool of_tar, const char *source,
                  const char *target, int socket_fd, struct err *err) {
    pid_t pid = fork();

    if (pid < 0)
        return err_errno(err, "cannot start a copy");
    if (pid == 0)
        _exit(copy(inside, down, of_tar, source, target, socket_fd));
    return pid;
}
