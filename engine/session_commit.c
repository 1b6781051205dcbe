/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layer is a copy of the upper directory, since the container goes on in
 * that; it is made and digested by a process with the ids of the files.
 */
#include "session_commit.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "message.h"
#include "rootfs/image_commit.h"
#include "userns.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>

#define ID_BYTES_MAX 256

struct work {
    const struct session *session;
    const char *name;
    int id_fd;
};

static int commit_here(void *argument, struct err *err) {
    const struct work *work = argument;
    const struct container *c = &work->session->container;
    const struct image_commit commit = {
        .base = &c->image,
        .parent_fd = c->state.fd,
        .upper = "upper",
        .keep = true,
        .created_by = "mayfly",
        .name = work->name,
    };
    _cleanup_free_ char *id = NULL;
    int r = image_commit(&c->store, &commit, c->log, &id, err);

    if (r == 0 && fd_write_all(work->id_fd, id, strlen(id)) < 0)
        r = err_set(err, -EIO, "cannot hand over the image's id");
    return r;
}

static void signal_all(int fd, int number) {
    const struct message message = {.kind = MESSAGE_SIGNAL, .value = number};

    (void)message_send(fd, &message, NULL, 0);
}

int session_commit(const struct session *session, const char *name, char **ret_id,
                   struct err *err) {
    _cleanup_close_ int id_fd = memfd_create("id", MFD_CLOEXEC);
    const struct work work = {.session = session, .name = name, .id_fd = id_fd};
    _cleanup_close_ int programs = -1;
    int r;

    if (id_fd < 0)
        return err_errno(err, "cannot make an anonymous file");
    if (!session->container.image.in_store)
        return err_set(err, -EINVAL,
                       "the container's image is a directory, not an image of the store: import it "
                       "first, then commit");
    programs = session_connect(session, err);
    if (programs < 0)
        return programs;
    signal_all(programs, SIGSTOP);
    r = userns_call(&session->container.map, commit_here, (void *)&work, -1, err);
    signal_all(programs, SIGCONT);
    if (r > 0)
        r = -EPERM; /* the maps were granted when the container was made */
    if (r == 0 &&
        (lseek(id_fd, 0, SEEK_SET) < 0 || fd_read_all(id_fd, ID_BYTES_MAX, ret_id, NULL) < 0))
        r = err_nomem(err);
    return r < 0 ? err_wrap(err, "commit %s", name) : 0;
}
