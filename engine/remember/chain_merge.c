/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers of a chain made into one: a merged layer where there would be too many,
 * and an image's layer.  Both are made of links in a directory of tmp/ and renamed
 * from there, by a process that has the ids of the files.
 *
 * A container whose file system becomes an image ends then: its upper directory
 * is the new layer, or part of it, and what comes next runs in another container
 * over that.  Its copy-on-write volumes go on in a directory of the run's.
 */
#include "chain_merge.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "engine/steps.h"
#include "engine/userns.h"
#include "rootfs/image_commit.h"
#include "rootfs/image_store.h"
#include "rootfs/layer_merge.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define MERGED "merged"
#define IMAGE_FILE "image"
#define IMAGE_FILE_BYTES 1024

/* Makes "NAME/tree" and "NAME/volume.N" of all layers, in the directory @dir_fd. */
static int merge_all(const struct chain *chain, int dir_fd, const char *name, struct err *err) {
    const struct store *store = &chain->base.container.store;
    _cleanup_close_ int fd = -1;
    int r;

    if (sys_mkdirat(dir_fd, name, 0700) < 0)
        return store_errno(store, "cannot make a directory in tmp", err);
    fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return store_errno(store, "cannot open a directory in tmp", err);
    r = layer_merge(store->fd, &chain->layers, fd, "tree", err);
    for (size_t i = 0; r == 0 && i < chain->request->plan->n_volumes; i++) {
        char volume[32];

        snprintf(volume, sizeof volume, "volume.%zu", i);
        if (chain->volume_layers[i].n > 0)
            r = layer_merge(store->fd, &chain->volume_layers[i], fd, volume, err);
    }
    return r;
}

/* All layers so far are one, and that is in @directory. */
static int replace_layers(struct chain *chain, const char *directory, struct err *err) {
    struct strv tree = {0};
    int r = strv_push_take(&tree, str_printf("%s/tree", directory));

    strv_done(&chain->layers);
    chain->layers = tree;
    for (size_t i = 0; r == 0 && i < chain->request->plan->n_volumes; i++) {
        if (chain->volume_layers[i].n == 0)
            continue;
        strv_done(&chain->volume_layers[i]);
        r = strv_push_take(&chain->volume_layers[i], str_printf("%s/volume.%zu", directory, i));
    }
    return r < 0 ? err_nomem(err) : 0;
}

int chain_use_squashed(struct chain *chain, struct err *err) {
    char path[160];

    if (chain->layers.n < CHAIN_LAYERS_MAX || !*chain->top)
        return 0;
    snprintf(path, sizeof path, "%s/" MERGED, chain->top);
    if (faccessat(chain->base.container.store.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
        return 0;
    return replace_layers(chain, path, err);
}

static int squash_here(void *argument, struct err *err) {
    const struct chain *chain = argument;
    const struct store *store = &chain->base.container.store;
    struct store_work work = STORE_WORK_INIT;
    char name[128], path[160];
    int r;

    snprintf(name, sizeof name, "merge-%s", strrchr(chain->top, '/') + 1);
    snprintf(path, sizeof path, "%s/" MERGED, chain->top);
    r = store_work_begin(store, name, &work, err);
    /* Another run may have made it while this one waited. */
    if (r == 0 && faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
        r = merge_all(chain, work.fd, MERGED, err);
        if (r == 0)
            r = store_publish(store, &work, MERGED, path, err);
    }
    store_work_end(store, &work);
    return r;
}

int chain_squash(struct chain *chain, struct err *err) {
    int r;

    if (chain->layers.n < CHAIN_LAYERS_MAX || !*chain->top)
        return 0;
    log_debug(chain->base.container.log, "making one layer of %zu", chain->layers.n);
    r = userns_call(&chain->base.container.map, squash_here, chain, -1, err);
    return r == 0 ? chain_use_squashed(chain, err) : r > 0 ? -EPERM : r;
}

/* --- images ------------------------------------------------------------------- */

struct commit_work {
    const struct chain *chain;
    const struct container *container; /* whose upper directory is the top; NULL: none */
    const char *name;
    size_t n_actions; /* that the image is made by */
};

/* The steps that the image is made by, for its history. */
static void put_steps(const struct commit_work *work, struct buf *text) {
    static const char letters[] = {[ACTION_WORKDIR] = 'W',
                                   [ACTION_SHELL] = 'S',
                                   [ACTION_EXEC] = 'X',
                                   [ACTION_UPLOAD] = 'U',
                                   [ACTION_COMMIT] = '\0'};
    const struct plan *plan = work->chain->request->plan;

    buf_puts(text, "mayfly");
    for (size_t i = 0; i < work->n_actions; i++) {
        const struct action *action = &plan->actions[i];

        if (!letters[action->kind])
            continue;
        buf_printf(text, " -%c ", letters[action->kind]);
        action_format(action, text);
    }
}

/* Without layers below it the upper directory itself becomes the image's layer. */
static int commit_here(void *argument, struct err *err) {
    const struct commit_work *work = argument;
    const struct container *base = &work->chain->base.container;
    struct store_work store_work = STORE_WORK_INIT;
    _cleanup_buf_ struct buf steps = BUF_INIT;
    struct image_commit commit = {.base = &base->image, .name = work->name};
    _cleanup_free_ char *id = NULL;
    char name[64];
    int r = 0;

    if (work->chain->layers.n > 0) {
        snprintf(name, sizeof name, "chain-%d-%" PRIx64, (int)getpid(), clock_monotonic());
        r = store_work_begin(&base->store, name, &store_work, err);
        if (r == 0)
            r = layer_merge(base->store.fd, &work->chain->layers, store_work.fd, "tree", err);
        commit.parent_fd = store_work.fd;
        commit.upper = "tree";
    } else if (work->container) {
        commit.parent_fd = work->container->state.fd;
        commit.upper = "upper";
    }
    put_steps(work, &steps);
    commit.created_by = steps.data;
    if (r == 0)
        r = image_commit(&base->store, &commit, base->log, &id, err);
    store_work_end(&base->store, &store_work);
    return r;
}

static int commit(struct commit_work *work, struct err *err) {
    const struct container *base = &work->chain->base.container;
    int r;

    if (!base->image.in_store)
        return err_set(err, -EINVAL,
                       "-C %s: the image %s is a directory of the host; make an image of it first: "
                       "tar -C DIR -c . | mayfly import - NAME",
                       work->name, base->plan->image);
    r = userns_call_as_root(&base->map, commit_here, work, -1, err);
    if (r > 0) /* the ids that it takes are refused, as the text says */
        r = -EPERM;
    if (r < 0)
        (void)err_wrap(err, "-C %s", work->name);
    return r;
}

/* Copy-on-write volumes of a container that ends, kept for the next one. */
static int carry_volumes(struct chain *chain, const struct container *container, struct err *err) {
    const struct store *store = &chain->base.container.store;
    const struct plan *plan = container->plan;
    int r = 0;

    for (size_t i = 0; r == 0 && i < plan->n_volumes; i++) {
        char from[32], to[48];

        if (plan->volumes[i].mode != VOLUME_COW)
            continue;
        if (!chain->carry.name)
            r = state_create(&chain->carry, store, NULL, err);
        snprintf(from, sizeof from, "upper.%zu", i);
        snprintf(to, sizeof to, "volume.%zu.%zu", i, chain->volume_layers[i].n);
        if (r == 0 && sys_renameat2(container->state.fd, from, chain->carry.fd, to, 0) < 0)
            r = store_errno(store, "cannot keep what a container has changed", err);
        if (r == 0 && strv_push_take(&chain->volume_layers[i],
                                     str_printf("runs/%s/%s", chain->carry.name, to)) < 0)
            r = err_nomem(err);
    }
    return r;
}

/* The layers of a chain are those that the new image has over the first one's. */
static int adopt_image(struct chain *chain, const char *name, struct err *err) {
    const struct image *base = &chain->base.container.image;
    struct image image = IMAGE_INIT;
    int r = image_find(&image, &chain->base.container.store, name, err);

    if (r > 0 || (r == 0 && image.layers.n < base->layers.n)) {
        image_done(&image);
        return err_set(err, -EIO, "-C %s: the image is gone from the store", name);
    }
    if (r < 0)
        return r;
    image_done(&chain->committed);
    chain->committed = image;
    strv_done(&chain->layers);
    for (size_t i = base->layers.n; r == 0 && i < image.layers.n; i++)
        r = strv_push(&chain->layers, image.layers.items[i]);
    *chain->top = '\0';
    return r < 0 ? err_nomem(err) : 0;
}

struct end {
    struct chain *chain;
    const char *name;
    size_t index; /* of the action that makes it */
    int r;
    struct err err;
};

/* What the container has changed becomes the uppermost of the chain's layers, and an image. */
static void commit_at_end(void *context, const struct container *container) {
    struct end *end = context;
    struct chain *chain = end->chain;
    struct commit_work work = {
        .chain = chain, .container = container, .name = end->name, .n_actions = end->index};

    if (chain->layers.n > 0 &&
        strv_push_take(&chain->layers, str_printf("runs/%s/upper", container->state.name)) < 0)
        end->r = err_nomem(&end->err);
    if (end->r == 0)
        end->r = commit(&work, &end->err);
    if (end->r == 0)
        end->r = carry_volumes(chain, container, &end->err);
    if (end->r == 0)
        end->r = adopt_image(chain, end->name, &end->err);
}

/* steps/KEY/image: the image that was made of a step before, if it is of the same base. */
static bool is_known(const struct chain *chain, const char *name) {
    const struct container *base = &chain->base.container;
    _cleanup_free_ char *text = NULL;
    const char *id;
    char path[160];

    snprintf(path, sizeof path, "%s/" IMAGE_FILE, chain->top);
    if (!base->image.id || fd_read_file(base->store.fd, path, IMAGE_FILE_BYTES, &text, NULL) < 0)
        return false;
    text[strcspn(text, "\n")] = '\0';
    id = str_after(text, base->image.id);
    return id && *id == ' ' && image_tag(&base->store, id + 1, name, NULL) == 0;
}

/* A convenience: without it the image is made again. */
static void note_image(const struct chain *chain, const char *name) {
    const struct container *base = &chain->base.container;
    _cleanup_free_ char *text = NULL;
    struct image image = IMAGE_INIT;
    _cleanup_close_ int fd = -1;
    char path[160], fresh[192];

    snprintf(path, sizeof path, "%s/" IMAGE_FILE, chain->top);
    snprintf(fresh, sizeof fresh, "%s.%d", path, (int)getpid());
    if (image_find(&image, &base->store, name, NULL) == 0 && image.id && base->image.id)
        text = str_printf("%s %s\n", base->image.id, image.id);
    image_done(&image);
    if (!text)
        return;
    fd = openat(base->store.fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0 || fd_write_all(fd, text, strlen(text)) < 0 ||
        sys_renameat2(base->store.fd, fresh, base->store.fd, path, 0) < 0)
        (void)sys_unlinkat(base->store.fd, fresh, 0);
}

int chain_commit(struct chain *chain, size_t index, bool remembered, struct err *err) {
    const char *name = chain->request->plan->actions[index].target;
    struct commit_work work = {.chain = chain, .name = name, .n_actions = index};
    int r;

    if (chain->live) {
        struct end end = {.chain = chain, .name = name, .index = index};

        chain->session.keep = commit_at_end;
        chain->session.keep_context = &end;
        r = chain_move_workdir(chain, index + 1, err);
        if (r < 0)
            return r;
        chain_leave(chain);
        *err = end.err;
        return end.r;
    }
    if (remembered && *chain->top && is_known(chain, name))
        return 0;
    r = commit(&work, err);
    if (r == 0 && remembered && *chain->top)
        note_image(chain, name);
    return r;
}
