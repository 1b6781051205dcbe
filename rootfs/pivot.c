/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pivot_root(".", ".") puts the old root on top of the new one, at the same
 * place, so that no directory for it is needed; it is then detached as a whole,
 * with everything that was mounted below it and whatever was stacked over it.
 */
#include "pivot.h"

#include "engine/base/sys.h"

#include <fcntl.h>

int pivot_into(int root_fd, size_t n_stacked, bool read_only, struct err *err) {
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    if (fchdir(root_fd) < 0 || sys_pivot_root(".", ".") < 0)
        return err_errno(err, "cannot make the container's tree the root");
    for (size_t i = 0; i <= n_stacked; i++)
        if (umount2(".", MNT_DETACH) < 0)
            return err_errno(err, "cannot let go of the host's root");
    if (chdir("/") < 0)
        return err_errno(err, "cannot enter the container's root");
    if (read_only && sys_mount_setattr(AT_FDCWD, "/", 0, &attr) < 0)
        return err_errno(err, "cannot make the container's root read-only");
    return 0;
}
