/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept directories of a run, and who may have one at the same time: shared ones
 * take a shared lock, locked and private ones an exclusive one.  Who finds a
 * private one taken gets the next of the same name: NAME~1, NAME~2.
 */
#include "keeps.h"

#include "base/cleanup.h"
#include "rootfs/keep_store.h"
#include "wait_lock.h"

#include <errno.h>
#include <stdio.h>
#include <sys/file.h>

/* Whoever finds more in use than this has another trouble. */
#define PRIVATE_MAX 1000

/* Return: 0, -EWOULDBLOCK when it was not to be waited for, a condition, -errno with a text. */
static int open_one(struct keeps_item *item, const struct keep *keep, const struct store *store,
                    struct supervisor *supervisor, struct err *err) {
    int operation = keep->mode == KEEP_SHARED ? LOCK_SH : LOCK_EX, r;

    for (bool told = false;;) {
        _cleanup_close_ int fd = keep_open(store, item->name, err);

        if (fd < 0)
            return fd;
        r = flock(fd, operation | LOCK_NB) < 0 ? -errno : 0;
        if (r == -EWOULDBLOCK && keep->mode == KEEP_PRIVATE)
            return r;
        if (r == -EWOULDBLOCK) {
            if (!told)
                log_info(supervisor->container->log, "-k %s: another run has it; waiting for it",
                         keep->name);
            told = true;
            r = wait_lock(supervisor, fd, operation, err);
        }
        if (r > 0)
            return r;
        if (r < 0)
            return err_set(err, r, "-k %s: cannot lock it", keep->name);
        /* It may have been removed while it was waited for. */
        if (keep_is_there(store, item->name, fd)) {
            item->fd = take_fd(fd);
            return 0;
        }
    }
}

static int open_any(struct keeps_item *item, const struct keep *keep, const struct store *store,
                    struct supervisor *supervisor, struct err *err) {
    for (int i = 0; i < PRIVATE_MAX; i++) {
        int r;

        if (i == 0)
            snprintf(item->name, sizeof item->name, "%s", keep->name);
        else
            snprintf(item->name, sizeof item->name, "%s~%d", keep->name, i);
        r = open_one(item, keep, store, supervisor, err);
        if (r != -EWOULDBLOCK)
            return r;
    }
    return err_set(err, -EBUSY, "-k %s: %d of that name are in use", keep->name, PRIVATE_MAX);
}

/* The next of the plan's in the order of names: two runs then cannot wait for each other. */
static const struct keep *next_of(const struct plan *plan, const struct keep *last) {
    const struct keep *next = NULL;

    for (size_t i = 0; i < plan->n_keeps; i++)
        if ((!last || strcmp(plan->keeps[i].name, last->name) > 0) &&
            (!next || strcmp(plan->keeps[i].name, next->name) < 0))
            next = &plan->keeps[i];
    return next;
}

int keeps_open(struct keeps *keeps, const struct plan *plan, const struct store *store,
               struct supervisor *supervisor, struct err *err) {
    const struct keep *keep = NULL;
    int r = 0;

    *keeps = (struct keeps){0};
    if (plan->n_keeps == 0)
        return 0;
    keeps->items = calloc(plan->n_keeps, sizeof *keeps->items);
    if (!keeps->items)
        return err_nomem(err);
    keeps->n = plan->n_keeps;
    for (size_t i = 0; i < keeps->n; i++)
        keeps->items[i].fd = -1;
    while (r == 0 && (keep = next_of(plan, keep)))
        r = open_any(&keeps->items[keep - plan->keeps], keep, store, supervisor, err);
    return r;
}

void keeps_close(struct keeps *keeps) {
    for (size_t i = 0; i < keeps->n; i++)
        if (keeps->items[i].fd >= 0)
            close(keeps->items[i].fd);
    free(keeps->items);
    *keeps = (struct keeps){0};
}
