/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's side of its mounts, from the overlay of the image's layers to
 * the last volume.
 *
 * Every mount is laid over the host's root directory, "/": that needs no mount
 * point on the host.  Absolute paths still lead into the old root beneath, and
 * "/.." is the uppermost mount.
 *
 * Layers handed over as detached mounts become part of the mount namespace that
 * way before overlayfs takes them; they vanish together with the old root.
 */
#include "build.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sys.h"
#include "connect.h"
#include "devices.h"
#include "keeps.h"
#include "rootfs/apivfs.h"
#include "rootfs/bind.h"
#include "rootfs/overlay.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/*
 * The next of the trees as a directory that overlayfs can take layers from: a
 * descriptor that the caller closes.  Without trees, @path is opened.
 */
static int next_layer(struct builder *builder, const char *path, struct err *err) {
    int fd, r;

    if (builder->trees->n == 0) {
        fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? err_errno(err, "cannot open %s", path) : fd;
    }
    fd = builder->trees->fds[builder->next_tree];
    r = bind_stack(fd, err);
    if (r < 0)
        return r;
    builder->trees->fds[builder->next_tree++] = -1;
    builder->n_stacked++;
    return fd;
}

/* The next of the trees, or a clone of @path, as a detached mount. */
static int next_mount(struct builder *builder, const char *path, uint64_t attributes,
                      struct err *err) {
    int fd;

    if (builder->trees->n > 0) {
        fd = builder->trees->fds[builder->next_tree];
        builder->trees->fds[builder->next_tree++] = -1;
        return fd;
    }
    fd = bind_clone(AT_FDCWD, path, true, attributes, -1);
    if (fd < 0) {
        errno = -fd;
        return err_errno(err, "cannot mount %s", path);
    }
    return fd;
}

/* Opens directories of the store that lie over others, and appends them to @fds. */
static int open_layers(const struct builder *builder, const struct strv *layers,
                       int fds[OVERLAY_MAX_LOWER], size_t *n, struct err *err) {
    for (size_t i = 0; layers && i < layers->n; i++) {
        if (*n == OVERLAY_MAX_LOWER)
            return err_set(err, -E2BIG, "more than %d layers", OVERLAY_MAX_LOWER);
        fds[*n] = openat(builder->store_fd, layers->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fds[*n] < 0)
            return err_errno(err, "cannot open the layer %s in the store", layers->items[i]);
        (*n)++;
    }
    return 0;
}

/* Stacked over the root like all that is made here. */
static int take_given_root(struct builder *builder, struct err *err) {
    int fd = next_layer(builder, "the overlay", err);

    builder->n_stacked--;
    builder->root_fd = fd;
    return fd < 0 ? fd : 0;
}

static int mount_root(struct builder *builder, struct err *err) {
    const struct container *container = builder->container;
    const struct strv *layers = &container->image.layers;
    int store = builder->store_fd = next_layer(builder, container->store.path, err);
    size_t n_more = container->layers ? container->layers->n : 0, n = 0;
    int fds[OVERLAY_MAX_LOWER], r = 0;
    char run[128];

    if (store < 0)
        return store;
    if (layers->n == 0 || layers->n + n_more > N_ELEMENTS(fds))
        return err_set(err, -E2BIG, "the image has %zu layers: 1 to %d can be mounted",
                       layers->n + n_more, OVERLAY_MAX_LOWER);
    snprintf(run, sizeof run, "runs/%s", container->state.name);
    builder->run_fd = openat(store, run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (builder->run_fd < 0)
        return err_errno(err, "cannot open the run's directory in the store");
    builder->changes_fd =
        container->changes ? openat(store, container->changes, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                           : builder->run_fd;
    if (builder->changes_fd < 0)
        return err_errno(err, "cannot open %s in the store", container->changes);
    if (container->overlays_given)
        return take_given_root(builder, err);
    if (build_host_is_needed(builder))
        r = fds[n++] = build_host_layer(builder, err);
    for (; r >= 0 && n < layers->n; n++) {
        r = container->image.in_store
                ? openat(store, layers->items[n], O_PATH | O_DIRECTORY | O_CLOEXEC)
                : next_layer(builder, layers->items[n], err);
        if (r < 0 && container->image.in_store)
            r = err_errno(err, "cannot open the image's %s in the store", layers->items[n]);
        fds[n] = r;
    }
    if (r >= 0)
        r = open_layers(builder, container->layers, fds, &n, err);
    if (r >= 0)
        r = build_overlay(builder, fds, n, "", "/", err);
    while (n-- > 0)
        if (fds[n] >= 0)
            close(fds[n]);
    if (r < 0)
        return r;
    builder->root_fd = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (builder->root_fd < 0)
        return err_errno(err, "cannot open the container's root");
    return build_host_is_needed(builder) ? build_host(builder, err) : 0;
}

static int mount_tmpfs(const struct builder *builder, const struct tmpfs_mount *tmpfs,
                       struct err *err) {
    const unsigned long flags = MS_NOSUID | MS_NODEV | (tmpfs->no_exec ? MS_NOEXEC : 0);
    _cleanup_close_ int target = bind_target(builder->root_fd, tmpfs->target, true, err);
    char path[32], options[64];
    int r;

    if (target < 0)
        return target;
    snprintf(path, sizeof path, "/proc/self/fd/%d", target);
    snprintf(options, sizeof options, tmpfs->size_bytes ? "mode=%o,size=%" PRIu64 : "mode=%o",
             tmpfs->mode, tmpfs->size_bytes);
    r = apivfs_mount_labelled("tmpfs", path, flags, options, build_label(builder->container));
    errno = -r;
    return r < 0 ? err_errno(err, "cannot mount a tmpfs on %s", tmpfs->target) : 0;
}

/* What an image's init expects to be there and empty, unless the plan has something there.  Spec:
 * systemd's CONTAINER_INTERFACE, "Execution Environment". */
static int mount_for_init(const struct builder *builder, struct err *err) {
    static const struct tmpfs_mount mounts[] = {
        {.target = (char *)"/run", .mode = 0755},
        {.target = (char *)"/run/lock", .mode = 01777},
        {.target = (char *)"/tmp", .mode = 01777},
    };
    const struct plan *plan = builder->container->plan;
    int r = 0;

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(mounts); i++)
        if (!plan_mounts_on(plan, mounts[i].target))
            r = mount_tmpfs(builder, &mounts[i], err);
    return r;
}

/* An overlay over the source, laid over the root for a file; the host's side may have made it. */
static int make_copy(struct builder *builder, size_t i, int target, struct err *err) {
    const struct volume *volume = &builder->container->plan->volumes[i];
    const struct volume_source *source = &builder->container->volumes[i];
    const struct strv *more =
        builder->container->volume_layers ? &builder->container->volume_layers[i] : NULL;
    int lowers[OVERLAY_MAX_LOWER], r;
    char suffix[24], path[32];
    size_t n = 1;

    if (builder->container->overlays_given && !source->name) {
        _cleanup_close_ int given = next_mount(builder, volume->source, 0, err);

        r = bind_attach(given, target);
        errno = -r;
        return r < 0 ? err_errno(err, "cannot mount the copy") : 0;
    }
    lowers[0] = r = next_layer(builder, source->name ? source->path : volume->source, err);
    if (r >= 0 && !builder->container->overlays_given) {
        snprintf(suffix, sizeof suffix, ".%zu", i);
        snprintf(path, sizeof path, source->name ? "/" : "/proc/self/fd/%d", target);
        r = open_layers(builder, more, lowers, &n, err);
        if (r == 0)
            r = build_overlay(builder, lowers, n, suffix, path, err);
        builder->n_stacked += source->name != NULL;
    }
    while (n-- > 0)
        if (lowers[n] >= 0)
            close(lowers[n]);
    return r;
}

/* Of a file's copy, which is of its directory, the file alone is shown. */
static int mount_cow(struct builder *builder, size_t i, int target, struct err *err) {
    const struct volume *volume = &builder->container->plan->volumes[i];
    const struct volume_source *source = &builder->container->volumes[i];
    _cleanup_close_ int overlay = -1, file = -1;
    int r = make_copy(builder, i, target, err);

    if (r < 0)
        return err_wrap(err, "volume %s", volume->source);
    if (!source->name)
        return 0;
    overlay = open("/..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    file = bind_clone(overlay, source->name, false, 0, -1);
    r = file < 0 ? file : bind_attach(file, target);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot mount the copy of %s", volume->source);
    }
    return 0;
}

static int mount_volume(struct builder *builder, size_t i, struct err *err) {
    const struct volume *volume = &builder->container->plan->volumes[i];
    const struct volume_source *source = &builder->container->volumes[i];
    _cleanup_close_ int target =
        bind_target(builder->root_fd, volume->target, source->is_directory, err);
    _cleanup_close_ int tree = -1;
    int r;

    if (target < 0)
        return target;
    if (volume->mode == VOLUME_COW)
        return mount_cow(builder, i, target, err);
    tree = next_mount(builder, volume->source, trees_volume_attributes(volume), err);
    if (tree < 0)
        return tree;
    r = bind_attach(tree, target);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot mount %s on %s", volume->source, volume->target);
    }
    return 0;
}

/* After all volumes, as they stand in the trees. */
static int mount_device(struct builder *builder, size_t i, struct err *err) {
    const struct device *device = &builder->container->plan->devices[i];
    _cleanup_close_ int target = bind_target(builder->root_fd, device->target, false, err);
    _cleanup_close_ int tree = -1;
    int r;

    if (target < 0)
        return target;
    tree = builder->trees->n > 0 ? next_mount(builder, device->source, 0, err)
                                 : devices_clone(builder->container, device);
    r = tree < 0 ? tree : bind_attach(tree, target);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "--device %s", device->source);
    }
    return 0;
}

static int mount_keep(const struct builder *builder, size_t i, struct err *err) {
    const struct keep *keep = &builder->container->plan->keeps[i];
    _cleanup_close_ int target = bind_target(builder->root_fd, keep->target, true, err);
    _cleanup_close_ int tree = -1;
    char path[128];
    int r;

    if (target < 0)
        return target;
    snprintf(path, sizeof path, "keep/%s/data", builder->container->keeps->items[i].name);
    tree = bind_clone(
        builder->store_fd, path, false,
        MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | (keep->read_only ? MOUNT_ATTR_RDONLY : 0), -1);
    r = tree < 0 ? tree : bind_attach(tree, target);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot mount the kept directory %s on %s", keep->name, keep->target);
    }
    return 0;
}

int trees_build(const struct container *container, struct trees *trees, size_t *ret_stacked,
                struct err *err) {
    const struct plan *plan = container->plan;
    _cleanup_strv_ struct strv hierarchies = {0};
    const struct apivfs apivfs = {
        .host_network = plan->net == NET_HOST,
        .shm_bytes = plan->shm_bytes,
        .cgroup = container->cgroup != NULL,
        .owns_cgroup = plan->init_system,
        .hierarchies = &hierarchies,
        .host_root = container->map.uids[0].outside == 0,
        .tty_group = idmap_has(container->map.gids, container->map.n_gids, 5),
        .privileged = plan->confinement.privileged,
        .label = build_label(container),
        .unmasked = &plan->confinement.unmasked,
    };
    struct builder builder = {.container = container,
                              .trees = trees,
                              .store_fd = -1,
                              .run_fd = -1,
                              .changes_fd = -1,
                              .root_fd = -1};
    _cleanup_close_ int root = -1;
    int r = 0;

    /* An image's init wants one hierarchy, which version 2 is: groups of version 1 only limit. */
    if (!plan->init_system && cgroup_hierarchies(container->cgroup, &hierarchies) < 0)
        r = err_nomem(err);
    if (r == 0)
        r = mount_root(&builder, err);
    if (r == 0)
        r = connect_separate(container, err);
    root = builder.root_fd;
    if (r == 0)
        r = apivfs_mount(root, &apivfs, err);
    if (r == 0 && plan->init_system)
        r = mount_for_init(&builder, err);
    for (size_t i = 0; r == 0 && i < plan->n_tmpfs; i++)
        r = mount_tmpfs(&builder, &plan->tmpfs[i], err);
    for (size_t i = 0; r == 0 && i < plan->n_volumes; i++)
        r = mount_volume(&builder, i, err);
    for (size_t i = 0; r == 0 && i < plan->n_devices; i++)
        r = mount_device(&builder, i, err);
    for (size_t i = 0; r == 0 && i < plan->n_keeps; i++)
        r = mount_keep(&builder, i, err);
    if (r == 0)
        r = connect_setup(container, builder.run_fd, root, err);
    if (r == 0)
        r = apivfs_hide(root, &plan->confinement.masked, apivfs.host_root, err);
    if (builder.changes_fd >= 0 && builder.changes_fd != builder.run_fd)
        close(builder.changes_fd);
    if (builder.run_fd >= 0)
        close(builder.run_fd);
    if (builder.store_fd >= 0)
        close(builder.store_fd);
    *ret_stacked = builder.n_stacked;
    return r < 0 ? r : take_fd(root);
}
