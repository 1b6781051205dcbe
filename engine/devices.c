/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the host's in a container.
 *
 * No user namespace makes device nodes, and every file system that a container
 * brings along is mounted so that nodes on it are dead.  What it gets is a mount of a
 * single node, which is therefore all that has to be watched: no filter of
 * devices is needed.
 *
 * The host's own node belongs to the host's root, as a rule, whom a container of
 * root's does not have.  So it gets a new one, in the run's directory where only
 * root comes by: its owner is an id that the container does not have, so that
 * nobody inside overrides or changes the mode, which is what was asked for.
 *
 * A user cannot make nodes; the host's own is shown, and the kernel asks the
 * user's rights on it.  Less than these cannot be given; nor can it to a container
 * whose root is the host's, which sees the host's own too, on a read-only mount: it
 * keeps their mode, and nobody from writing to the device.
 */
#include "devices.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sys.h"
#include "rootfs/mount_older.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIRECTORY "devices"

static int check_rights(const struct container *container, const struct device *device,
                        struct err *err) {
    int wanted = (device->readable ? R_OK : 0) | (device->writable ? W_OK : 0);

    if (container->map.mode == IDMAP_HOST && wanted != (R_OK | W_OK))
        return err_set(err, -EPERM,
                       "--device %s: with --userns host its root can do all: leave out the access",
                       device->source);
    if (idmap_is_roots(&container->map))
        return 0;
    if (faccessat(AT_FDCWD, device->source, wanted, AT_EACCESS) < 0)
        return err_errno(err, "--device %s: this user may not open it", device->source);
    if (wanted == (R_OK | W_OK))
        return 0;
    if (faccessat(AT_FDCWD, device->source, R_OK | W_OK, AT_EACCESS) == 0)
        return err_set(err, -EPERM,
                       "--device %s: without root a container can be given no less than the user's "
                       "own rights to it: leave out the ':%s'",
                       device->source, device->readable ? "r" : "w");
    return 0;
}

int devices_check(const struct container *container, struct err *err) {
    const struct plan *plan = container->plan;

    for (size_t i = 0; i < plan->n_devices; i++) {
        const struct device *device = &plan->devices[i];
        struct stat st;
        int r;

        if (stat(device->source, &st) < 0)
            return err_errno(err, "--device %s", device->source);
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
            return err_set(err, -ENODEV, "--device %s is no device%s", device->source,
                           S_ISDIR(st.st_mode) ? ": name those in it" : ": use -v for files");
        r = check_rights(container, device, err);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Dead nodes are those of the mount that it is cloned from: this one is to live. */
static int clone_alive(int dir_fd, const char *path, uint64_t attributes) {
    struct mount_attr attr = {.attr_set = attributes | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
                              .attr_clr = MOUNT_ATTR_NODEV,
                              .propagation = MS_PRIVATE};
    _cleanup_close_ int tree =
        sys_open_tree(dir_fd, path, OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC);
    int r;

    if (tree < 0)
        return -errno;
    if (mount_set_detached(tree, 0, &attr) == 0)
        return take_fd(tree);
    /* A user cannot make alive what was dead outside. */
    attr.attr_clr = 0;
    r = mount_set_detached(tree, 0, &attr);
    return r < 0 ? r : take_fd(tree);
}

int devices_clone(const struct container *container, const struct device *device) {
    bool host_root = container->map.uids[0].outside == 0;

    return clone_alive(AT_FDCWD, device->source, host_root ? MOUNT_ATTR_RDONLY : 0);
}

/* The ids that root's containers lack: the host's root, else the range of the others. */
static uid_t stranger(const struct container *container) {
    return container->map.mode == IDMAP_SHIFTED ? 0 : IDMAP_ROOT_BASE;
}

static int make_node(const struct container *container, size_t i) {
    const struct device *device = &container->plan->devices[i];
    mode_t mode = (device->readable ? 0444 : 0) | (device->writable ? 0222 : 0);
    uid_t owner = stranger(container);
    char path[40];
    struct stat st;

    snprintf(path, sizeof path, DIRECTORY "/%zu", i);
    if (stat(device->source, &st) < 0)
        return -errno;
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return -ENODEV;
    /* The mode last, since the umask is the user's. */
    if (sys_mknodat(container->state.fd, path, st.st_mode & S_IFMT, st.st_rdev) < 0 ||
        fchownat(container->state.fd, path, owner, owner, AT_SYMLINK_NOFOLLOW) < 0 ||
        fchmodat(container->state.fd, path, mode, 0) < 0)
        return -errno;
    return clone_alive(container->state.fd, path, 0);
}

int devices_open(const struct container *container, struct trees *trees, struct err *err) {
    const struct plan *plan = container->plan;

    if (plan->n_devices > 0 && sys_mkdirat(container->state.fd, DIRECTORY, 0700) < 0)
        return err_errno(err, "cannot make a directory for devices");
    for (size_t i = 0; i < plan->n_devices; i++) {
        const struct device *device = &plan->devices[i];
        int fd = container->map.mode == IDMAP_HOST ? devices_clone(container, device)
                                                   : make_node(container, i);

        /* Root of a container around this one, who makes no nodes. */
        if (fd == -EPERM && device->readable && device->writable)
            fd = devices_clone(container, device);
        if (fd < 0) {
            errno = -fd;
            return err_errno(err, "--device %s", device->source);
        }
        if (trees->n == MESSAGE_MAX_FDS) {
            close(fd);
            return err_set(err, -E2BIG, "--device: too many devices and volumes");
        }
        trees->fds[trees->n++] = fd;
    }
    return 0;
}
