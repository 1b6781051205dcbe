/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overlays where the kernel lets no user namespace mount one (before Linux 5.11):
 * the host's root does, on this side, and hands them to the container's as it does
 * with all other trees.
 */
#include "build.h"

#include "base/cleanup.h"
#include "rootfs/overlay_older.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Whether the store takes this attribute. */
static bool takes(const struct container *container, const char *name) {
    return fsetxattr(container->state.fd, name, "y", 1, 0) == 0 &&
           fremovexattr(container->state.fd, name) == 0;
}

bool build_older_is_better(const struct container *container) {
    return !takes(container, "user.mayfly") && takes(container, "trusted.mayfly");
}

struct layers {
    int fds[OVERLAY_MAX_LOWER];
    size_t n;
};

static void close_layers(struct layers *layers) {
    while (layers->n > 0)
        close(layers->fds[--layers->n]);
}

static int add(struct layers *layers, int fd, const char *name, struct err *err) {
    if (fd < 0)
        return err_errno(err, "cannot open %s", name);
    if (layers->n == N_ELEMENTS(layers->fds)) {
        close(fd);
        return err_set(err, -E2BIG, "more than %d layers", OVERLAY_MAX_LOWER);
    }
    layers->fds[layers->n++] = fd;
    return 0;
}

/* Those of the store; the lowest has nothing to hide. */
static int add_all(struct layers *layers, const struct container *container,
                   const struct strv *names, struct err *err) {
    int store = container->store.fd, r = 0;

    for (size_t i = 0; r == 0 && names && i < names->n; i++) {
        const char *name = names->items[i];

        if (layers->n > 0)
            r = overlay_mark(store, name, err);
        if (r == 0)
            r = add(layers, openat(store, name, O_PATH | O_DIRECTORY | O_CLOEXEC), name, err);
    }
    return r;
}

static int mount_over(const struct container *container, const struct layers *layers,
                      const char *suffix, struct err *err) {
    _cleanup_close_ int changes = -1;
    struct builder builder = {
        .container = container, .run_fd = container->state.fd, .changes_fd = container->state.fd};

    /* In a user namespace the notes could not be taken. */
    if (!takes(container, "trusted.mayfly"))
        return err_errno(err, "cannot mount an overlay without trusted attributes in the store");
    if (container->changes && !*suffix) {
        builder.changes_fd = changes =
            openat(container->store.fd, container->changes, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (changes < 0)
            return err_errno(err, "cannot open %s in the store", container->changes);
    }
    return build_overlay(&builder, layers->fds, layers->n, suffix, NULL, err);
}

int build_older_root(const struct container *container, struct err *err) {
    const struct image *image = &container->image;
    struct layers layers = {.n = 0};
    int r = build_older_mark(container, err);

    if (r == 0 && image->in_store)
        r = add_all(&layers, container, &image->layers, err);
    for (size_t i = 0; r == 0 && !image->in_store && i < image->layers.n; i++)
        r = add(&layers, open(image->layers.items[i], O_PATH | O_DIRECTORY | O_CLOEXEC),
                image->layers.items[i], err);
    if (r == 0)
        r = add_all(&layers, container, container->layers, err);
    if (r == 0)
        r = mount_over(container, &layers, "", err);
    close_layers(&layers);
    return r;
}

int build_older_cow(const struct container *container, size_t i, struct err *err) {
    const char *source = container->plan->volumes[i].source;
    struct layers layers = {.n = 0};
    char suffix[24];
    int r = add(&layers, fcntl(container->volumes[i].fd, F_DUPFD_CLOEXEC, 0), source, err);

    snprintf(suffix, sizeof suffix, ".%zu", i);
    if (r == 0 && container->volume_layers)
        r = add_all(&layers, container, &container->volume_layers[i], err);
    if (r == 0)
        r = mount_over(container, &layers, suffix, err);
    close_layers(&layers);
    return r;
}

int build_older_mark(const struct container *container, struct err *err) {
    char name[256];
    int r = 0;

    if (container->changes) {
        snprintf(name, sizeof name, "%s/upper", container->changes);
        r = overlay_mark(container->store.fd, name, err);
    }
    if (r == 0)
        r = overlay_mark(container->state.fd, "upper", err);
    for (size_t i = 0; r == 0 && i < container->plan->n_volumes; i++) {
        snprintf(name, sizeof name, "upper.%zu", i);
        r = overlay_mark(container->state.fd, name, err);
    }
    return r;
}
