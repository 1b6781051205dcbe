/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bind mounts by descriptor: the source is cloned into a detached mount, its
 * attributes, its ID map and its privacy are set while nobody can see it, and it is moved to
 * a target that was resolved inside the container's root.  No path is walked
 * twice, so there is nothing to swap in between.
 */
#include "bind.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "mount_older.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

int bind_clone(int dir_fd, const char *path, bool recursive, uint64_t attributes, int userns_fd) {
    unsigned depth = recursive ? AT_RECURSIVE : 0, empty = *path ? 0 : AT_EMPTY_PATH;
    /* A clone is a peer of the mount it is made from: what is mounted on it would show up there. */
    struct mount_attr attr = {.attr_set = attributes, .propagation = MS_PRIVATE};
    _cleanup_close_ int tree =
        sys_open_tree(dir_fd, path, OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC | depth | empty);
    int r;

    if (tree < 0)
        return -errno;
    if (userns_fd >= 0) {
        attr.attr_set |= MOUNT_ATTR_IDMAP;
        attr.userns_fd = (uint64_t)userns_fd;
    }
    r = mount_set_detached(tree, depth, &attr);
    return r < 0 ? r : take_fd(tree);
}

int bind_stack(int tree_fd, struct err *err) {
    if (sys_move_mount(tree_fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_errno(err, "cannot stack a mount over the root directory");
    return 0;
}

/* Opens @path or makes it, with the directories above it. */
static int open_or_make(int root_fd, const char *path, bool is_directory) {
    _cleanup_close_ int parent = -1;
    char copy[PATH_MAX], *name;
    int fd;

    if (is_directory)
        return fd_mkdir_in_root(root_fd, path, 0755, (uid_t)-1, (gid_t)-1);
    fd = fd_open_in_root(root_fd, path, O_PATH, 0);
    if (fd != -ENOENT)
        return fd;
    if (strlen(path) >= sizeof copy)
        return -ENAMETOOLONG;
    name = basename(strcpy(copy, path));
    if (str_is_dots(name))
        return -EISDIR;
    name = strdup(name);
    if (!name)
        return -ENOMEM;
    parent = fd_mkdir_in_root(root_fd, dirname(strcpy(copy, path)), 0755, (uid_t)-1, (gid_t)-1);
    fd = parent < 0 ? parent : fd_open_beneath(parent, name, O_CREAT | O_WRONLY | O_EXCL, 0644);
    free(name);
    if (fd >= 0) {
        close(fd);
        fd = fd_open_in_root(root_fd, path, O_PATH, 0);
    }
    return fd;
}

int bind_target(int root_fd, const char *path, bool is_directory, struct err *err) {
    _cleanup_close_ int fd = open_or_make(root_fd, path, is_directory);
    struct statfs fs;
    struct stat st;

    if (fd < 0) {
        errno = -fd;
        return err_errno(err, "cannot make the mount point %s in the container", path);
    }
    if (fstat(fd, &st) < 0 || fstatfs(fd, &fs) < 0)
        return err_errno(err, "cannot look at the mount point %s", path);
    if (fs.f_type == PROC_SUPER_MAGIC || fs.f_type == SYSFS_MAGIC)
        return err_set(err, -EPERM, "nothing can be mounted on %s: it lies in /proc or /sys", path);
    if (S_ISDIR(st.st_mode) != is_directory)
        return err_set(err, is_directory ? -ENOTDIR : -EISDIR,
                       "cannot mount a %s on %s: that is a %s in the image",
                       is_directory ? "directory" : "file", path,
                       is_directory ? "file" : "directory");
    return take_fd(fd);
}

int bind_attach(int tree_fd, int target_fd) {
    if (sys_move_mount(tree_fd, "", target_fd, "",
                       MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
        return -errno;
    return 0;
}
