/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Before Linux 5.11 nobody but the host's root mounts an overlay, and overlayfs keeps its notes
 * in trusted.overlay.* alone, which nobody else sees.  The one note that matters
 * to a layer is that a directory is opaque.  The store has it as user.overlay.opaque,
 * so that users share its format: here it is written down both ways, for the kernel before
 * a mount, and for the store and later kernels after one.
 *
 * The options of an old file system are taken from fsconfig(2) in strings of at most
 * 255 bytes: for the length of the call /proc/self/fd is the working directory.
 */
#include "overlay_older.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

static int set(int fs, const char *key, const char *value) {
    return sys_fsconfig(fs, FSCONFIG_SET_STRING, key, value);
}

static int configure(int fs, const struct overlay *overlay, const char *lower) {
    char upper[16], work[16];

    snprintf(upper, sizeof upper, "%d", overlay->upper_fd);
    snprintf(work, sizeof work, "%d", overlay->work_fd);
    if (set(fs, "source", "overlay") < 0 || set(fs, "lowerdir", lower) < 0 ||
        set(fs, "upperdir", upper) < 0 || set(fs, "workdir", work) < 0 ||
        set(fs, "redirect_dir", "nofollow") < 0 || set(fs, "index", "off") < 0 ||
        set(fs, "metacopy", "off") < 0 ||
        (overlay->label && set(fs, "context", overlay->label) < 0) ||
        (!overlay->lasting && sys_fsconfig(fs, FSCONFIG_SET_FLAG, "volatile", NULL) < 0) ||
        sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL) < 0)
        return -errno;
    return 0;
}

int overlay_detached(const struct overlay *overlay, struct err *err) {
    _cleanup_close_ int fs = sys_fsopen("overlay", FSOPEN_CLOEXEC);
    _cleanup_close_ int before = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_buf_ struct buf lower = BUF_INIT;
    int r = 0, fd = -1;

    for (size_t i = overlay->n_lower; i-- > 0;)
        buf_printf(&lower, "%s%d", lower.size ? ":" : "", overlay->lower_fds[i]);
    if (buf_failed(&lower))
        return err_nomem(err);
    if (lower.size > 255)
        return err_set(err, -E2BIG, "%zu layers are too many for this kernel (before Linux 5.11)",
                       overlay->n_lower);
    if (fs < 0 || before < 0 || chdir("/proc/self/fd") < 0)
        return err_errno(err, "cannot mount the overlay");
    r = configure(fs, overlay, lower.data);
    if (r == 0 && (fd = sys_fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NODEV)) < 0)
        r = -errno;
    if (fchdir(before) < 0 && r == 0)
        r = -errno;
    if (r == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    errno = -r;
    return err_errno(err, "cannot mount the overlay (with an upper directory in the store: set "
                          "MAYFLY_STORE to a directory on a disk or a tmpfs)");
}

static const char *const notes[] = {"user.overlay.opaque", "trusted.overlay.opaque"};

static int mark(int fd) {
    bool opaque[2];
    char value[8];

    for (int i = 0; i < 2; i++)
        opaque[i] = fgetxattr(fd, notes[i], value, sizeof value) == 1 && value[0] == 'y';
    if (opaque[0] == opaque[1])
        return 0;
    /* A tmpfs before Linux 6.6 has no attributes of users. */
    return fsetxattr(fd, notes[opaque[0]], "y", 1, 0) < 0 && (errno != ENOTSUP || opaque[0])
               ? -errno
               : 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the kernel lets a path of the layer's maker be */
static int mark_tree(int fd_) {
    _cleanup_close_ int fd = fd_;
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    int r = fd < 0 ? -errno : mark(fd);

    if (r < 0)
        return r;
    dir = fdopendir(fd);
    if (!dir)
        return -errno;
    take_fd(fd);
    while (r == 0 && (entry = readdir(dir)))
        if (entry->d_type == DT_DIR && !str_is_dots(entry->d_name))
            r = mark_tree(
                openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return r;
}

int overlay_mark(int dir_fd, const char *name, struct err *err) {
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

    if (fd < 0 && errno == ENOENT)
        return 0;
    r = mark_tree(fd);
    errno = -r;
    return r < 0 ? err_errno(err, "cannot mark the opaque directories of %s", name) : 0;
}
