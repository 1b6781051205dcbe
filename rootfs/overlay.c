/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories are handed to the kernel as /proc/self/fd/N: whatever their
 * names hold (colons, commas, backslashes), nothing has to be escaped; 200 of
 * them fit into the page that mount(2) takes; and what was opened is what is
 * mounted.  It also keeps the host's paths out of the container's mountinfo.
 *
 * Unmounting an overlay syncs the whole file system of its upper directory
 * unless it is mounted `volatile`, which costs tens of milliseconds and more.
 */
#include "overlay.h"

#include "engine/base/buf.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <string.h>

static int explain(const struct overlay *overlay, struct err *err) {
    int code = -errno;

    switch (code) {
    case -EINVAL:
        return err_set(err, -EOPNOTSUPP,
                       "cannot mount the overlay: the kernel (5.11 or later is needed) or the "
                       "store's file system does not support it (the upper directory cannot lie "
                       "on another overlay: set MAYFLY_STORE to a directory on a disk or a tmpfs)");
    case -ENODEV:
        return err_set(err, code,
                       "cannot mount the overlay: the kernel has no overlayfs (modprobe overlay)");
    case -EPERM:
        return err_set(err, -EOPNOTSUPP,
                       "cannot mount the overlay: the kernel does not allow it in a user namespace "
                       "(Linux 5.11 or later is needed)");
    default:
        return err_errno(err, "cannot mount the overlay of %zu layers", overlay->n_lower);
    }
}

int overlay_mount(const struct overlay *overlay, const char *target, struct err *err) {
    _cleanup_buf_ struct buf options = BUF_INIT;

    if (overlay->n_lower == 0 || overlay->n_lower > OVERLAY_MAX_LOWER)
        return err_set(err, -E2BIG, "the image has %zu layers: 1 to %d can be mounted",
                       overlay->n_lower, OVERLAY_MAX_LOWER);
    /* The uppermost comes first in the list. */
    for (size_t i = overlay->n_lower; i-- > 0;)
        buf_printf(&options, "%s/proc/self/fd/%d",
                   options.size ? ":" : "lowerdir=", overlay->lower_fds[i]);
    buf_printf(&options, ",upperdir=/proc/self/fd/%d,workdir=/proc/self/fd/%d%s,userxattr",
               overlay->upper_fd, overlay->work_fd, overlay->lasting ? "" : ",volatile");
    /* In quotes: it has commas. */
    if (overlay->label)
        buf_printf(&options, ",context=\"%s\"", overlay->label);
    if (buf_failed(&options))
        return err_nomem(err);
    if (sys_mount("overlay", target, "overlay", MS_NODEV, options.data) < 0)
        return explain(overlay, err);
    return 0;
}
