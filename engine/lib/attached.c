/* SPDX-License-Identifier: Apache-2.0 */
/* Containers with a supervisor of their own, by what they are kept in and by its socket. */
#include "attached.h"

#include "engine/base/cleanup.h"
#include "engine/live/ask.h"
#include "engine/live/kept_commit.h"
#include "library.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

int attached_new(const char *word, struct attached **ret_attached, struct err *err) {
    struct attached *attached = malloc(sizeof *attached);
    int r;

    if (!attached)
        return err_nomem(err);
    *attached = (struct attached){.containers = CONTAINERS_INIT, .kept = KEPT_INIT, .wait_fd = -1};
    r = containers_open(&attached->containers, NULL, NULL, err);
    if (r == 0)
        r = containers_find(&attached->containers, word, &attached->kept, err);
    if (r == 0)
        r = attached->wait_fd = ask_connect(&attached->kept, err);
    if (r >= 0)
        r = ask_send(attached->wait_fd, ASK_WAIT, 0, NULL, 0, err);
    if (r < 0)
        attached_free(attached);
    else
        *ret_attached = attached;
    return r;
}

void attached_free(struct attached *attached) {
    if (!attached)
        return;
    if (attached->wait_fd >= 0)
        close(attached->wait_fd);
    kept_done(&attached->kept);
    containers_close(&attached->containers);
    free(attached);
}

int attached_connect(const struct attached *attached, struct err *err) {
    return ask_job(&attached->kept, err);
}

/* Work on a container by a child, which finds it by its id; @name: of an image to be made of it. */
struct work {
    const char *id;
    const char *name;
};

static int commit(void *argument, struct buf *answer, struct err *err) {
    const struct work *work = argument;
    const struct kept_commit wanted = {.name = work->name};
    _cleanup_containers_ struct containers containers = CONTAINERS_INIT;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    _cleanup_free_ char *id = NULL;
    _cleanup_life_ struct life life;
    int r = containers_open(&containers, NULL, NULL, err);

    life_init(&life);
    if (r == 0)
        r = containers_find(&containers, work->id, &kept, err);
    if (r == 0)
        r = kept_life(&kept, &life, err);
    if (r == 0)
        r = kept_commit(&containers, &kept, &life, &wanted, &id, err);
    if (r == 0)
        buf_puts(answer, id);
    return r;
}

int attached_commit(const struct attached *attached, const char *name, char **ret_id,
                    struct err *err) {
    struct work work = {.id = attached->kept.id, .name = name};

    return library_call(commit, &work, ret_id, err);
}

static int remove_it(void *argument, struct buf *answer, struct err *err) {
    const struct work *work = argument;
    _cleanup_containers_ struct containers containers = CONTAINERS_INIT;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    int r = containers_open(&containers, NULL, NULL, err);

    (void)answer;
    if (r == 0)
        r = containers_find(&containers, work->id, &kept, err);
    return r == 0 ? containers_end(&containers, &kept, err) : r;
}

int attached_remove(const struct attached *attached, struct err *err) {
    struct work work = {.id = attached->kept.id};

    return library_call(remove_it, &work, NULL, err);
}

void attached_reason(struct attached *attached, struct err *err) {
    _cleanup_kept_ struct kept now = KEPT_INIT;

    if (containers_find(&attached->containers, attached->kept.id, &now, err) < 0)
        err_set(err, -EPIPE, "it has ended and was removed");
    else if (*now.state.reason)
        err_set(err, -EPIPE, "%s", now.state.reason);
    else
        err_set(err, -EPIPE, "it ended with status %d", now.state.exit_code);
}

int attached_health(struct attached *attached, struct err *err) {
    _cleanup_kept_ struct kept now = KEPT_INIT;
    int r = containers_find(&attached->containers, attached->kept.id, &now, err);

    return r < 0 ? r : (int)now.state.health;
}
