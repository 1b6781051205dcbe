/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An overlay with an upper directory of its own: what is changed in it is the run's,
 * and goes with it, or lies in a directory that lasts.
 */
#include "build.h"

#include "base/sys.h"
#include "rootfs/overlay_older.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* Return: 1 when it was made, 0 when it was there and may be, or -1 with errno. */
static int make_directory(int dir_fd, const char *name, mode_t mode, bool lasting, int *ret_fd) {
    bool existed = sys_mkdirat(dir_fd, name, mode) < 0;

    if (existed && (errno != EEXIST || !lasting))
        return -1;
    *ret_fd = openat(dir_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return *ret_fd < 0 ? -1 : !existed;
}

/* Makes and opens the upper and the work directory of an overlay in the run's directory. */
static int make_upper(struct builder *builder, const char *suffix, const struct stat *like,
                      struct overlay *overlay, struct err *err) {
    int dir = *suffix ? builder->run_fd : builder->changes_fd, r;
    char upper[32], work[32];

    overlay->lasting = dir != builder->run_fd;
    snprintf(upper, sizeof upper, "upper%s", suffix);
    snprintf(work, sizeof work, "work%s", suffix);
    r = make_directory(dir, upper, like->st_mode & 07777, overlay->lasting, &overlay->upper_fd);
    if (r < 0 || make_directory(dir, work, 0700, overlay->lasting, &overlay->work_fd) < 0)
        return err_errno(err, "cannot make directories for the container's changes in the store");
    /* The root of the overlay looks like its upper directory: owner and mode are the image's. */
    if (r > 0 && (like->st_uid != 0 || like->st_gid != 0) &&
        fchownat(overlay->upper_fd, "", like->st_uid, like->st_gid, AT_EMPTY_PATH) < 0)
        return 0; /* an owner that does not exist in here stays root */
    return 0;
}

int build_overlay(struct builder *builder, const int *lower_fds, size_t n, const char *suffix,
                  const char *target, struct err *err) {
    struct overlay overlay = {.lower_fds = lower_fds,
                              .n_lower = n,
                              .upper_fd = -1,
                              .work_fd = -1,
                              .label = build_label(builder->container)};
    struct stat like;
    int r;

    if (fstat(lower_fds[n - 1], &like) < 0)
        return err_errno(err, "cannot look at the image's root directory");
    r = make_upper(builder, suffix, &like, &overlay, err);
    if (r == 0)
        r = target ? overlay_mount(&overlay, target, err) : overlay_detached(&overlay, err);
    if (overlay.upper_fd >= 0)
        close(overlay.upper_fd);
    if (overlay.work_fd >= 0)
        close(overlay.work_fd);
    return r;
}
