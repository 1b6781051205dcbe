/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container has changed is a layer already; the image's is a copy of it,
 * made and digested by a process with the ids of the files.
 */
#include "kept_commit.h"

#include "ask.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/message.h"
#include "engine/userns.h"
#include "kept_change.h"
#include "rootfs/image_commit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

#define ID_BYTES_MAX 256

struct work {
    const struct containers *containers;
    const struct image *image;
    const struct kept_commit *wanted;
    const struct image_config *config;
    const char *created_by;
    int parent_fd;
    int id_fd;
};

static int commit_here(void *argument, struct err *err) {
    const struct work *work = argument;
    const struct image_commit commit = {
        .base = work->image,
        .parent_fd = work->parent_fd,
        .upper =
            faccessat(work->parent_fd, "upper", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? "upper" : NULL,
        .keep = true,
        .config = work->config,
        .author = work->wanted->author,
        .comment = work->wanted->comment,
        .created_by = work->created_by,
        .name = work->wanted->name,
    };
    _cleanup_free_ char *id = NULL;
    int r = image_commit(&work->containers->store, &commit, work->containers->log, &id, err);

    if (r == 0 && fd_write_all(work->id_fd, id, strlen(id)) < 0)
        r = err_set(err, -EIO, "cannot hand over the image's id");
    return r;
}

/* A connection to PID 1 on which no program is asked for reaches all of them; -1: it ends by now.
 */
static int connect_to_all(const struct kept *kept) {
    struct err ignored;

    return kept_is_live(kept) ? ask_job(kept, &ignored) : -1;
}

static void signal_all(int fd, int number) {
    const struct message message = {.kind = MESSAGE_SIGNAL, .value = number};

    if (fd >= 0)
        (void)message_send(fd, &message, NULL, 0);
}

/* Where its "upper" is: its own directory, or with --rm its run's. */
static int open_parent(const struct containers *containers, const struct kept *kept) {
    return kept->state.remove ? kept_open_run(containers, kept)
                              : fcntl(kept->dir_fd, F_DUPFD_CLOEXEC, 3);
}

static int find_image(struct containers *containers, const struct kept *kept,
                      const struct life *life, struct image *image, struct err *err) {
    int r = image_find(image, &containers->store, life->plan.image, err);

    if (r == IMAGE_MISSING)
        return err_set(err, -ENOENT, "the image %s is no longer here", life->plan.image);
    if (r == 0 && !image->in_store)
        return err_set(err, -EINVAL,
                       "the container's image is a directory, not an image of the store: import it "
                       "first, then commit");
    if (r == 0 && *kept->state.image_id && !str_eq(image->id, kept->state.image_id))
        return err_set(err, -ESTALE, "the image %s is another one by now", life->plan.image);
    return r;
}

/* The image's configuration is changed in place; @created_by: the program, as history has it. */
static int change_image(const struct life *life, const struct kept_commit *wanted,
                        struct image_config *config, struct buf *created_by, struct err *err) {
    _cleanup_strv_ struct strv words = {0};
    int r;

    (void)life_argv(life, config, &words, NULL);
    for (size_t i = 0; i < words.n; i++)
        buf_printf(created_by, "%s%s", i ? " " : "", words.items[i]);
    r = kept_change_config(life, config, err);
    if (r == 0)
        r = kept_change_apply(config, &wanted->changes, err);
    return r == 0 && created_by->failed ? err_nomem(err) : r;
}

int kept_commit(struct containers *containers, const struct kept *kept, const struct life *life,
                const struct kept_commit *wanted, char **ret_id, struct err *err) {
    _cleanup_(image_done) struct image image = IMAGE_INIT;
    _cleanup_buf_ struct buf created_by = BUF_INIT;
    _cleanup_close_ int id_fd = memfd_create("id", MFD_CLOEXEC), parent = -1, programs = -1;
    struct work work = {.containers = containers,
                        .image = &image,
                        .wanted = wanted,
                        .config = &image.config,
                        .id_fd = id_fd};
    int r = find_image(containers, kept, life, &image, err);

    if (r == 0)
        r = change_image(life, wanted, &image.config, &created_by, err);
    if (r < 0)
        return r;
    work.created_by = created_by.data;
    work.parent_fd = parent = open_parent(containers, kept);
    if (id_fd < 0 || parent < 0)
        return err_errno(err, "cannot open what container %s has changed", kept->name);
    programs = connect_to_all(kept);
    signal_all(programs, SIGSTOP);
    r = userns_call(&containers->map, commit_here, &work, -1, err);
    signal_all(programs, SIGCONT);
    if (r > 0)
        r = -EPERM;
    if (r == 0 &&
        (lseek(id_fd, 0, SEEK_SET) < 0 || fd_read_all(id_fd, ID_BYTES_MAX, ret_id, NULL) < 0))
        r = err_nomem(err);
    return r < 0 ? err_wrap(err, "commit %s", kept->name) : 0;
}
