/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Downloads and uploads as the host sees them.  What a download makes is put on
 * record before it has a name, and struck off when it is complete: neither a
 * failure nor a kill leaves half a result.
 */
#include "collect.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "engine/copy/copy.h"
#include "engine/copy/copy_path.h"
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* Records the entry @name of a directory of which only the descriptor is known. */
static int note(void *context, int dir_fd, const char *name) {
    const struct supervisor *s = context;
    _cleanup_free_ char *path = NULL;
    char self[32], dir[PATH_MAX];
    ssize_t n;

    snprintf(self, sizeof self, "/proc/self/fd/%d", dir_fd);
    n = readlink(self, dir, sizeof dir - 1);
    if (n < 0)
        return -errno;
    dir[n] = '\0';
    path = str_printf("%s/%s", str_eq(dir, "/") ? "" : dir, name);
    return path ? state_note_tree(&s->container->state, path, NULL) : -ENOMEM;
}

/* Not every file system can refuse to replace; a directory never replaces a file anyway. */
static int name_it(const struct copy_place *place, const char *temporary) {
    int fd = place->dir_fd, r = sys_renameat2(fd, temporary, fd, place->name, RENAME_NOREPLACE);

    return r < 0 && errno == EINVAL ? sys_renameat2(fd, temporary, fd, place->name, 0) : r;
}

/*
 * Receives what has no name yet, under one that nobody else chooses: what is on record to be
 * removed can then never be a file that its owner has made after a kill.
 */
static int download_new(struct copy *copy, const struct copy_place *place, struct err *err) {
    char temporary[COPY_NAME_BYTES];
    int r = copy_temporary_name(copy, place->dir_fd, temporary);

    if (r < 0) {
        errno = -r;
        err_errno(err, "cannot put the download on record");
        copy_fail(copy, err);
        return r;
    }
    r = copy_receive(copy, place->dir_fd, temporary, err);
    if (r == 0 && name_it(place, temporary) < 0)
        r = err_errno(err, "cannot write %s", place->name);
    if (r < 0)
        (void)fd_remove_tree(place->dir_fd, temporary);
    return r;
}

int collect_download(struct copy *copy, const char *source, const char *target, struct err *err) {
    struct copy_place place = {.dir_fd = -1};
    _cleanup_close_ int dir = -1;
    struct stat st;
    int r = copy_target(target, source, copy->make_directories, &place, err);

    if (r < 0) {
        copy_fail(copy, err);
        return r;
    }
    dir = place.dir_fd;
    if (fstatat(dir, place.name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        return copy_receive(copy, dir, place.name, err);
    return download_new(copy, &place, err);
}

int collect_upload(struct copy *copy, const char *source, struct err *err) {
    struct copy_place place = {.dir_fd = -1};
    int r = copy_source(source, &place, err);

    if (r < 0)
        return copy_send_end(copy, r, err);
    r = copy_send(copy, place.dir_fd, place.name, err);
    close(place.dir_fd);
    return r;
}

int collect(struct supervisor *s, const struct action *action, int socket_fd, struct err *err) {
    bool down = action->kind == ACTION_DOWNLOAD;
    struct copy copy = {
        .socket_fd = socket_fd,
        .wait = supervise_wait_fd,
        .note = down ? note : NULL,
        .context = s,
        .plain_modes = down,
        .make_directories = action->make_directories,
    };
    int r = down ? collect_download(&copy, action->source, action->target, err)
                 : collect_upload(&copy, action->source, err);
    int ended;

    if (down)
        state_forget_trees(&s->container->state);
    if (copy.n_skipped > 0)
        log_warning(s->container->log, "%s: %u sockets and devices were left out", action->source,
                    copy.n_skipped);
    ended = r < 0 ? supervise_check(s) : 0;
    if (ended > 0)
        return ended;
    return r < 0 ? err_wrap(err, "%s %s%s%s", down ? "-D" : "-U", action->source,
                            action->target ? ":" : "", action->target ? action->target : "")
                 : 0;
}
