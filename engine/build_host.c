/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `host:` for users.
 *
 * Root hands the host's root file system over as one layer.  In a user's mount
 * namespace the mounts below "/" are locked in place, and the kernel takes no
 * directory with such mounts as a layer: they would be uncovered.  So each
 * directory of the root becomes an overlay of its own.
 */
#include "build.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "base/sys.h"
#include "rootfs/bind.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>

bool build_host_is_needed(const struct builder *builder) {
    const struct image *image = &builder->container->image;

    return builder->trees->n == 0 && !image->in_store && image->layers.n == 1 &&
           str_eq(image->layers.items[0], "/");
}

int build_host_layer(struct builder *builder, struct err *err) {
    int fd = -1;

    if (sys_mkdirat(builder->run_fd, "host", 0755) == 0)
        fd = openat(builder->run_fd, "host", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_errno(err, "cannot make a layer for the host's directories") : fd;
}

static bool is_new(const char *name) {
    static const char *const names[] = {"proc", "sys", "dev", "run", "tmp"};

    for (size_t i = 0; i < N_ELEMENTS(names); i++)
        if (str_eq(name, names[i]))
            return true;
    return false;
}

static int show_symlink(const struct builder *builder, int host_fd, const char *name) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(host_fd, name, target, sizeof target - 1);

    if (n < 0)
        return -errno;
    target[n] = '\0';
    return sys_symlinkat(target, builder->root_fd, name) < 0 ? -errno : 0;
}

static int show_copy(struct builder *builder, int host_fd, const char *name, int target) {
    _cleanup_close_ int lower = openat(host_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    char suffix[NAME_MAX + 16], path[32];

    if (lower < 0)
        return -errno;
    snprintf(suffix, sizeof suffix, ".host.%.200s", name);
    snprintf(path, sizeof path, "/proc/self/fd/%d", target);
    return build_overlay(builder, &lower, 1, suffix, path, NULL);
}

static int show(struct builder *builder, int host_fd, const char *name, struct err *err) {
    _cleanup_close_ int target = -1, tree = -1;
    _cleanup_free_ char *path = str_printf("/%s", name);
    struct stat st;
    int r = path ? 0 : -ENOMEM;

    if (r == 0 && fstatat(host_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        r = -errno;
    if (r == 0 && S_ISLNK(st.st_mode))
        r = show_symlink(builder, host_fd, name);
    else if (r == 0 && (S_ISDIR(st.st_mode) || S_ISREG(st.st_mode))) {
        target = bind_target(builder->root_fd, path, S_ISDIR(st.st_mode), err);
        if (target < 0)
            return target;
        r = S_ISDIR(st.st_mode) ? show_copy(builder, host_fd, name, target) : -EINVAL;
        if (r < 0) {
            tree = bind_clone(host_fd, name, true, MOUNT_ATTR_RDONLY, -1);
            r = tree < 0 ? tree : bind_attach(tree, target);
        }
    }
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot show the host's /%s in the container", name);
    }
    return 0;
}

int build_host(struct builder *builder, struct err *err) {
    _cleanup_closedir_ DIR *dir = opendir("/");
    struct dirent *entry;
    int r = dir ? 0 : err_errno(err, "cannot read the host's root directory");

    while (r == 0 && (entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && !is_new(entry->d_name))
            r = show(builder, dirfd(dir), entry->d_name, err);
    if (r == 0 && (sys_mkdirat(builder->root_fd, "tmp", 01777) < 0 ||
                   sys_mkdirat(builder->root_fd, "run", 0755) < 0))
        r = err_errno(err, "cannot make /tmp and /run in the container");
    return r;
}
