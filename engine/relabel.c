/* SPDX-License-Identifier: Apache-2.0 */
/* A user's container makes files of subordinate ids, whose labels are changed with its ids. */
#include "relabel.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "keeps.h"
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct job {
    int fd;
    const char *name, *label;
};

static int do_job(void *argument, struct err *err) {
    const struct job *job = argument;

    return selinux_relabel(job->fd, job->name, job->label, err);
}

static int relabel(const struct container *container, int fd, const char *name, const char *label,
                   struct err *err) {
    struct job job = {fd, name, label};

    return container->map.mode == IDMAP_SUBUID ? userns_call(&container->map, do_job, &job, -1, err)
                                               : do_job(&job, err);
}

int relabel_store(const struct container *container, struct err *err) {
    static const char *const folders[] = {"layers", "tmp"};
    const struct selinux *labels = &container->confine.selinux;
    const struct store *store = &container->store;
    int r = 0;

    if (!*labels->mount || selinux_has_label(store->fd, labels->images))
        return 0;
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(folders); i++) {
        _cleanup_close_ int fd = openat(store->fd, folders[i], O_PATH | O_CLOEXEC);

        if (fd >= 0)
            r = relabel(container, fd, store->path, labels->images, err);
    }
    if (r == 0 && selinux_set_label(store->fd, labels->images) < 0)
        r = err_errno(err, "%s: cannot give it the label %s", store->path, labels->images);
    return r;
}

int relabel_sources(const struct container *container, struct err *err) {
    const struct selinux *labels = &container->confine.selinux;
    const struct plan *plan = container->plan;
    int r = 0;

    if (!*labels->mount)
        return 0;
    for (size_t i = 0; r == 0 && i < plan->n_volumes; i++) {
        const struct volume *volume = &plan->volumes[i];
        bool is_shared = volume->label == VOLUME_LABEL_SHARED;

        /* The host's copy of a copy-on-write volume is never touched; what is shown has the label.
         */
        if (volume->label != VOLUME_LABEL_OWN && volume->mode != VOLUME_COW)
            r = relabel(container, container->volumes[i].fd, volume->source,
                        is_shared ? labels->shared : labels->mount, err);
    }
    for (size_t i = 0; r == 0 && container->keeps && i < container->keeps->n; i++) {
        const char *name = container->keeps->items[i].name;
        _cleanup_free_ char *path = str_printf("keep/%s/data", name);
        _cleanup_close_ int fd = path ? openat(container->store.fd, path, O_PATH | O_CLOEXEC) : -1;

        if (!path)
            return err_nomem(err);
        r = fd < 0 ? err_errno(err, "cannot open the kept directory %s", name)
                   : relabel(container, fd, name, labels->shared, err);
    }
    return r;
}
