/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pivot_root(".", ".") puts the old root on top of the new one, at the same
 * place, so that no directory for it is needed; it is then detached as a whole,
 * with everything that was mounted below it and whatever was stacked over it.
 *
 * A host that still lives in its initramfs has a root that nothing is mounted
 * below, which the kernel will not move (EINVAL).  The container's tree is then
 * what lies on top of it: the process is put there, and whoever climbs with ".."
 * arrives at the bottom and is led to the top again.  To get under it one has to
 * unmount it, which takes CAP_SYS_ADMIN in the container's own user namespace;
 * in one made inside, the mount is locked.  What a container may not do by
 * default, must not be handed out on such a host either.
 */
#include "pivot.h"

#include "engine/base/cleanup.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* Whether the root is the bottom of all mounts, its own parent.  Spec: proc(5), mountinfo. */
static bool root_is_bottom(void) {
    _cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    unsigned id, parent;

    while (file && getline(&line, &size, file) > 0)
        if (sscanf(line, "%u %u ", &id, &parent) == 2 && id == parent)
            return true;
    return false;
}

int pivot_into(int root_fd, size_t n_stacked, bool read_only, struct err *err) {
    bool on_top = false;

    if (fchdir(root_fd) < 0)
        return err_errno(err, "cannot enter the container's tree");
    if (sys_pivot_root(".", ".") < 0) {
        on_top = errno == EINVAL && root_is_bottom();
        if (!on_top || chroot(".") < 0)
            return err_errno(err, "cannot make the container's tree the root");
    }
    for (size_t i = 0; !on_top && i <= n_stacked; i++)
        if (umount2(".", MNT_DETACH) < 0)
            return err_errno(err, "cannot let go of the host's root");
    if (chdir("/") < 0)
        return err_errno(err, "cannot enter the container's root");
    /* With the flag of overlay_mount(). */
    if (read_only &&
        sys_mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_NODEV | MS_RDONLY, NULL) < 0)
        return err_errno(err, "cannot make the container's root read-only");
    return on_top ? PIVOT_ON_TOP : 0;
}
