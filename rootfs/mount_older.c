/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mount_setattr(2) came with Linux 5.12.  What came before it takes a mount by its
 * path, one at a time, and only in a mount namespace.  So a tree that is not in one
 * yet is laid over the root directory in one that a helper makes and that ends with it; there
 * each of its mounts is mounted again with its flags and the new ones, and what
 * comes out is a copy.  The helper shares descriptors and memory with this process,
 * which waits for it.
 *
 * A mount that lies beneath another one has no path.  In a tree that is handed to a
 * container it could be uncovered, so that nothing is handed over; in a namespace whose
 * processes cannot unmount, it stays as it is.
 */
#include "mount_older.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

#define HELPER_STACK_BYTES (32 * 1024)

/* These have the same values for mount(2), in statvfs(3) and as attributes. */
#define FLAGS (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct change {
    int tree_fd;
    unsigned depth;
    const struct mount_attr *attr;
    bool all_reachable;
    int r;
};

static int remount(int fd, const struct mount_attr *attr) {
    struct statvfs now;
    char path[32];

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fstatvfs(fd, &now) < 0)
        return -errno;
    return sys_mount(NULL, path, NULL,
                     MS_REMOUNT | MS_BIND |
                         (((now.f_flag & FLAGS) & ~(unsigned long)attr->attr_clr) |
                          (attr->attr_set & FLAGS)),
                     NULL) < 0
               ? -errno
               : 0;
}

static int mount_id(int fd, unsigned *ret_id) {
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &st) < 0)
        return -errno;
    *ret_id = (unsigned)st.stx_mnt_id;
    return 0;
}

/* One of the mounts below; @point: where, seen from the root, which the tree lies over. */
static int remount_below(const struct change *change, unsigned id, const char *point) {
    _cleanup_close_ int fd =
        openat(change->tree_fd, point + strspn(point, "/"), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    unsigned found = 0;

    if (fd < 0 || mount_id(fd, &found) < 0 || found != id)
        return change->all_reachable ? -EINVAL : 0;
    return remount(fd, change->attr);
}

/* Spec: proc(5), mountinfo; a mount comes after the one that it lies on. */
static int remount_tree(const struct change *change) {
    _cleanup_fclose_ FILE *file = fopen("/proc/self/mountinfo", "re");
    _cleanup_free_ unsigned *ids = calloc(1, sizeof *ids);
    _cleanup_free_ char *line = NULL;
    char path[32];
    unsigned id, parent, *more;
    size_t n = 1, size = 0, i;
    int r, at, end;

    if (!file || !ids)
        return file ? -ENOMEM : -errno;
    snprintf(path, sizeof path, "/proc/self/fd/%d", change->tree_fd);
    r = mount_id(change->tree_fd, &ids[0]);
    if (r == 0 && sys_mount(NULL, path, NULL, MS_PRIVATE | (change->depth ? MS_REC : 0), NULL) < 0)
        r = -errno;
    if (r == 0)
        r = remount(change->tree_fd, change->attr);
    while (r == 0 && change->depth && getline(&line, &size, file) > 0) {
        if (sscanf(line, "%u %u %*s %*s %n%*s%n", &id, &parent, &at, &end) != 2 || id == ids[0])
            continue;
        for (i = 0; i < n && ids[i] != parent; i++)
            ;
        if (i == n)
            continue;
        more = realloc(ids, (n + 1) * sizeof *ids);
        if (!more)
            return -ENOMEM;
        ids = more;
        ids[n++] = id;
        line[end] = '\0';
        str_unescape_octal(line + at);
        r = remount_below(change, id, line + at);
    }
    return r;
}

static int change_detached(struct change *change) {
    _cleanup_close_ int copy = -1;
    struct stat st;
    int r;

    /* A directory needs no mount point but the root; for a file there is one on every host. */
    if (fstat(change->tree_fd, &st) < 0 || unshare(CLONE_NEWNS) < 0 ||
        sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        sys_move_mount(change->tree_fd, "", AT_FDCWD, S_ISDIR(st.st_mode) ? "/" : "/dev/null",
                       MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return -errno;
    r = remount_tree(change);
    if (r < 0)
        return r;
    copy = sys_open_tree(change->tree_fd, "",
                         OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC | AT_EMPTY_PATH |
                             change->depth);
    return copy < 0 || dup3(copy, change->tree_fd, O_CLOEXEC) < 0 ? -errno : 0;
}

static int help(void *argument) {
    struct change *change = argument;

    change->r = change_detached(change);
    return 0;
}

int mount_set_detached(int tree_fd, unsigned depth, struct mount_attr *attr) {
    struct change change = {
        .tree_fd = tree_fd, .depth = depth, .attr = attr, .all_reachable = true, .r = -EIO};
    char stack[HELPER_STACK_BYTES] __attribute__((aligned(16)));
    pid_t pid;

    if (sys_mount_setattr(tree_fd, "", AT_EMPTY_PATH | depth, attr) == 0)
        return 0;
    if (errno != ENOSYS || attr->attr_set & MOUNT_ATTR_IDMAP)
        return -errno;
    pid = clone(help, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES, &change);
    if (pid < 0)
        return -errno;
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR)
        ;
    return change.r;
}

int mount_set_all(struct mount_attr *attr) {
    _cleanup_close_ int root = -1;
    struct change change = {.depth = AT_RECURSIVE, .attr = attr};

    if (sys_mount_setattr(AT_FDCWD, "/", AT_RECURSIVE, attr) == 0)
        return 0;
    if (errno != ENOSYS)
        return -errno;
    change.tree_fd = root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root < 0 ? -errno : remount_tree(&change);
}
