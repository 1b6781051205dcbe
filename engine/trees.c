/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a container's mounts.
 *
 * Root's containers have ids of their own, and see layers and volumes through
 * ID-mapped mounts, which only the host's root can make: it clones each tree,
 * maps it and hands it over as a descriptor.  A user has no privilege on the
 * host's mounts; the container's side, which has the user's own rights on files,
 * opens the same paths itself.
 */
#include "trees.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "build.h"
#include "devices.h"
#include "rootfs/bind.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

static int check_volume(const struct volume *volume, struct volume_source *source,
                        struct err *err) {
    struct stat st;
    char *slash;

    source->fd = open(volume->source, O_PATH | O_CLOEXEC);
    if (source->fd < 0 && errno == ENOENT)
        return err_set(err, -ENOENT, "volume %s does not exist: make it first, -v never does",
                       volume->source);
    if (source->fd < 0 || fstat(source->fd, &st) < 0)
        return err_errno(err, "volume %s", volume->source);
    source->is_directory = S_ISDIR(st.st_mode);
    if (source->is_directory || volume->mode != VOLUME_COW)
        return 0;
    /* An overlay takes directories: the one that holds the file, of which only the file is shown.
     */
    source->path = realpath(volume->source, NULL);
    slash = source->path ? strrchr(source->path, '/') : NULL;
    if (!slash)
        return err_errno(err, "volume %s", volume->source);
    source->name = strdup(slash + 1);
    slash[slash == source->path] = '\0';
    close(source->fd);
    source->fd = open(source->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!source->name || source->fd < 0)
        return err_errno(err, "volume %s", volume->source);
    return 0;
}

int trees_check_volumes(struct container *container, struct err *err) {
    const struct plan *plan = container->plan;

    if (plan->n_volumes == 0)
        return 0;
    if (plan->n_volumes > MESSAGE_MAX_FDS / 2)
        return err_set(err, -E2BIG, "%zu volumes are too many: %d are possible", plan->n_volumes,
                       MESSAGE_MAX_FDS / 2);
    container->volumes = calloc(plan->n_volumes, sizeof *container->volumes);
    if (!container->volumes)
        return err_nomem(err);
    for (size_t i = 0; i < plan->n_volumes; i++)
        container->volumes[i].fd = -1;
    for (size_t i = 0; i < plan->n_volumes; i++) {
        int r = check_volume(&plan->volumes[i], &container->volumes[i], err);

        if (r < 0)
            return r;
    }
    return 0;
}

/* Clones one tree; @what names it in errors. */
static int add(struct trees *trees, int dir_fd, const char *path, uint64_t attributes,
               int userns_fd) {
    int fd = bind_clone(dir_fd, path, false, attributes, userns_fd);

    if (fd < 0)
        return fd;
    if (trees->n == MESSAGE_MAX_FDS) {
        close(fd);
        return -E2BIG;
    }
    trees->fds[trees->n++] = fd;
    return 0;
}

/* A mount that has been made, or its error. */
static int add_made(struct trees *trees, int fd) {
    if (fd >= 0)
        trees->fds[trees->n++] = fd;
    return fd < 0 ? fd : 0;
}

/* A volume brings the mounts below it along, if they can be mapped like itself. */
static int add_volume(struct trees *trees, const struct container *container, size_t i,
                      int userns_fd) {
    const struct volume *volume = &container->plan->volumes[i];
    uint64_t attributes = trees_volume_attributes(volume);
    int fd, r;

    if (volume->mode == VOLUME_COW)
        return add(trees, container->volumes[i].fd, "", attributes, userns_fd);
    fd = bind_clone(container->volumes[i].fd, "", true, attributes, userns_fd);
    if (fd >= 0) {
        trees->fds[trees->n++] = fd;
        return 0;
    }
    r = add(trees, container->volumes[i].fd, "", attributes, userns_fd);
    if (r == 0)
        log_warning(container->log,
                    "volume %s: the mounts below it are left out, one of them cannot be %s",
                    volume->source, userns_fd >= 0 ? "ID-mapped" : "protected: another hides it");
    return r;
}

static int explain(int r, const char *what, bool mapping, struct err *err) {
    /* Refused for want of a file system's support, or for want of privilege over it. */
    if (mapping && (r == -ENOSYS || r == -EINVAL || r == -EPERM || r == -EOPNOTSUPP))
        return err_set(err, TREES_UNMAPPABLE, "%s cannot be mounted with mapped ids", what);
    errno = -r;
    return err_errno(err, "cannot mount %s", what);
}

int trees_open(struct trees *trees, const struct container *container, int userns_fd,
               struct err *err) {
    const struct strv *layers = &container->image.layers;
    bool mapping = userns_fd >= 0;
    int r;

    *trees = TREES_INIT;
    r = add(trees, container->store.fd, "", 0, userns_fd);
    if (r == -EPERM && !mapping)
        return 0;
    if (r < 0)
        return explain(r, container->store.path, mapping, err);
    if (container->overlays_given) {
        r = add_made(trees, build_older_root(container, err));
        if (r < 0)
            return r;
    }
    for (size_t i = 0; !container->overlays_given && !container->image.in_store && i < layers->n;
         i++) {
        r = add(trees, AT_FDCWD, layers->items[i], 0, userns_fd);
        if (r < 0)
            return explain(r, layers->items[i], mapping, err);
    }
    for (size_t i = 0; i < container->plan->n_volumes; i++) {
        if (container->overlays_given && container->plan->volumes[i].mode == VOLUME_COW) {
            r = add_made(trees, build_older_cow(container, i, err));
            if (r < 0)
                return r;
            continue;
        }
        r = add_volume(trees, container, i, userns_fd);
        if (r < 0)
            return explain(r, container->plan->volumes[i].source, mapping, err);
    }
    return devices_open(container, trees, err);
}

void trees_close(struct trees *trees) {
    while (trees->n > 0)
        close(trees->fds[--trees->n]);
}
