/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A new image out of what a container has changed.  An overlay's upper
 * directory is in the form that layers have here, so it becomes one by a
 * rename; what is missing is the digest of the tar it would be, which
 * recipe_tree.c finds out by reading it.
 *
 * In this order, each durable before the next: the recipe, the layer, the
 * configuration, the record, the name.
 */
#include "image_commit.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/sys.h"
#include "image_document.h"
#include "image_index.h"
#include "image_install.h"
#include "layer_tar.h"
#include "manifest.h"
#include "platform.h"
#include "recipe_tree.h"
#include "ref.h"
#include "unpack.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

#define TREE_NAME "tree"
#define RECIPE_NAME "recipe"

/* A layer under way; @work holds its recipe, and when it is a copy its tree. */
struct fresh {
    struct store_work work;
    struct digest diff;
    uint64_t bytes;
};

static int begin_work(const struct store *store, struct store_work *work, struct err *err) {
    char name[64];

    snprintf(name, sizeof name, "commit-%d-%" PRIx64, (int)getpid(), clock_monotonic());
    return store_work_begin(store, name, work, err);
}

/* Writes the recipe of a tree into the work directory. */
static int describe(const struct store *store, struct fresh *fresh, int tree_fd, struct err *err) {
    _cleanup_close_ int fd =
        openat(fresh->work.fd, RECIPE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return store_errno(store, "cannot make a layer's recipe", err);
    return recipe_tree(tree_fd, fd, store->owners, &fresh->diff, &fresh->bytes, err);
}

static int publish_recipe(const struct store *store, const struct fresh *fresh, const char *name,
                          struct err *err) {
    char path[32 + NAME_MAX];
    int r;

    if (sys_mkdirat(store->fd, "recipes", 0700) < 0 && errno != EEXIST)
        return store_errno(store, "cannot make a directory in it", err);
    snprintf(path, sizeof path, "recipes/%s", name);
    r = store_replace(store, &fresh->work, RECIPE_NAME, path, err);
    return r < 0 ? r : store_sync_folder(store, "recipes", err);
}

static int describe_layer(const struct store *store, const char *name, struct fresh *fresh,
                          struct err *err) {
    char path[16 + NAME_MAX];
    _cleanup_close_ int tree_fd = -1, fd = -1;
    int r;

    snprintf(path, sizeof path, "layers/%s", name);
    tree_fd = openat(store->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (tree_fd < 0)
        return store_errno(store, "cannot open a layer", err);
    r = begin_work(store, &fresh->work, err);
    if (r == 0)
        r = describe(store, fresh, tree_fd, err);
    if (r < 0)
        return r;
    fd = openat(fresh->work.fd, RECIPE_NAME, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return store_errno(store, "cannot sync a layer's recipe", err);
    return publish_recipe(store, fresh, name, err);
}

int layer_describe(const struct store *store, const char *name, struct digest *ret_diff,
                   uint64_t *ret_bytes, struct err *err) {
    struct fresh fresh = {.work = STORE_WORK_INIT};
    _cleanup_layer_tar_ struct layer_tar tar = LAYER_TAR_INIT;
    int r = layer_tar_open(&tar, store, name, NULL);

    if (r == 0) {
        *ret_diff = tar.diff;
        *ret_bytes = tar.size;
        return 0;
    }
    r = describe_layer(store, name, &fresh, err);
    store_work_end(store, &fresh.work);
    if (r < 0) {
        err_wrap(err, "layer %.12s", name);
        return r;
    }
    *ret_diff = fresh.diff;
    *ret_bytes = fresh.bytes;
    return 0;
}

/* --- the new layer ------------------------------------------------------------ */

/* An unpack_source that gives a layer's tar again. */
struct again {
    struct layer_tar tar;
    char part[64 << 10];
};

static ssize_t read_again(void *context, const void **ret_data, struct err *err) {
    struct again *again = context;

    *ret_data = again->part;
    return layer_tar_read(&again->tar, again->part, sizeof again->part, err);
}

static int copy_with(const struct store *store, struct again *again, const struct fresh *fresh,
                     int upper_fd, struct err *err) {
    const struct unpack_source source = {.read = read_again, .context = again};
    _cleanup_close_ int fd = openat(fresh->work.fd, RECIPE_NAME, O_RDONLY | O_CLOEXEC), to = -1;
    struct unpack_count count = {0};
    int r;

    if (fd < 0 || sys_mkdirat(fresh->work.fd, TREE_NAME, 0755) < 0)
        return store_errno(store, "cannot make a layer's directory", err);
    to = openat(fresh->work.fd, TREE_NAME, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (to < 0)
        return store_errno(store, "cannot open a layer's directory", err);
    r = layer_tar_open_at(&again->tar, upper_fd, fd, err);
    if (r == 0)
        r = unpack_layer(&source, to, store->owners, &count, err);
    strv_done(&count.implied);
    return r;
}

/* Unpacks the tar that the upper directory is, which is a copy of it. */
static int copy(const struct store *store, const struct fresh *fresh, int upper_fd,
                struct err *err) {
    struct again *again = malloc(sizeof *again);
    mode_t mask;
    int r;

    if (!again)
        return err_nomem(err);
    again->tar = LAYER_TAR_INIT;
    mask = umask(0);
    r = copy_with(store, again, fresh, upper_fd, err);
    umask(mask);
    layer_tar_close(&again->tar);
    free(again);
    return r;
}

static int publish_layer(const struct store *store, const struct image_commit *commit,
                         const struct fresh *fresh, struct err *err) {
    char path[16 + DIGEST_HEX_BYTES];
    int r;

    snprintf(path, sizeof path, "layers/%s", fresh->diff.hex);
    if (faccessat(store->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    if (syncfs(fresh->work.fd) < 0)
        return store_errno(store, "cannot sync it", err);
    r = publish_recipe(store, fresh, fresh->diff.hex, err);
    if (r == 0 && commit->keep)
        r = store_publish(store, &fresh->work, TREE_NAME, path, err);
    else if (r == 0 &&
             sys_renameat2(commit->parent_fd, commit->upper, store->fd, path, RENAME_NOREPLACE) <
                 0 &&
             errno != EEXIST)
        r = store_errno(store, "cannot rename the container's files to a layer", err);
    return r < 0 ? r : store_sync_folder(store, "layers", err);
}

static int make_layer(const struct store *store, const struct image_commit *commit,
                      struct fresh *fresh, struct err *err) {
    _cleanup_close_ int upper_fd =
        openat(commit->parent_fd, commit->upper, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int r;

    if (upper_fd < 0)
        return err_errno(err, "cannot open the container's files");
    r = begin_work(store, &fresh->work, err);
    if (r == 0)
        r = describe(store, fresh, upper_fd, err);
    if (r == 0 && commit->keep)
        r = copy(store, fresh, upper_fd, err);
    return r < 0 ? r : publish_layer(store, commit, fresh, err);
}

/* --- the image ---------------------------------------------------------------- */

/* The layers of an image that is being made. */
struct stack {
    struct strv names; /* in layers/ */
    struct digest *diff_ids;
};

static void stack_done(struct stack *stack) {
    strv_done(&stack->names);
    free(stack->diff_ids);
}

static int push_layer(const struct store *store, struct stack *stack, const char *name,
                      struct err *err) {
    struct digest *diff = &stack->diff_ids[stack->names.n];
    char key[IMAGE_INDEX_KEY_BYTES], size[32], target[IMAGE_INDEX_TARGET_BYTES];
    uint64_t bytes;
    int r = layer_describe(store, name, diff, &bytes, err);

    if (r < 0)
        return r;
    if (strv_push(&stack->names, name) < 0)
        return err_nomem(err);
    snprintf(key, sizeof key, IMAGE_INDEX_SIZE_PREFIX "%s", name);
    if (image_index_find(store, key, target) == 0)
        return 0;
    snprintf(size, sizeof size, "%" PRIu64, bytes);
    return image_index_save(store, key, size, err);
}

static int stack_layers(const struct store *store, const struct image_commit *commit,
                        struct stack *stack, struct err *err) {
    const struct strv *hidden = &commit->base->hidden, *layers = &commit->base->layers;
    struct fresh fresh = {.work = STORE_WORK_INIT};
    int r = 0;

    stack->diff_ids = calloc(hidden->n + layers->n + 1, sizeof *stack->diff_ids);
    if (!stack->diff_ids)
        return err_nomem(err);
    for (size_t i = 0; r == 0 && i < hidden->n; i++)
        r = push_layer(store, stack, str_after(hidden->items[i], "layers/"), err);
    for (size_t i = 0; r == 0 && i < layers->n; i++)
        r = push_layer(store, stack, str_after(layers->items[i], "layers/"), err);
    if (r < 0 || !commit->upper)
        return r;
    r = make_layer(store, commit, &fresh, err);
    store_work_end(store, &fresh.work);
    return r < 0 ? r : push_layer(store, stack, fresh.diff.hex, err);
}

static void format_now(char text[32]) {
    time_t now = (time_t)(clock_realtime() / NSEC_PER_SEC);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

/* The configuration of an image of no other: what its record says of it. */
static int base_document(const struct store *store, const struct image *base, char **ret_text,
                         struct err *err) {
    const struct image_change change = {.config = &base->config};
    int r = base->id ? image_document_read(store, base->id, ret_text, NULL, err) : -ENOENT;

    return r == -ENOENT ? image_document_change(NULL, &change, ret_text, err) : r;
}

static int make_document(const struct store *store, const struct image_commit *commit,
                         const struct stack *stack, char **ret_text, struct err *err) {
    _cleanup_free_ char *before = NULL;
    struct platform host;
    char now[32];
    struct image_change change = {
        .config = commit->config,
        .created = commit->created ? commit->created : now,
        .author = commit->author,
        .comment = commit->comment,
        .created_by = commit->created_by,
        .diff_ids = stack->diff_ids,
        .n_diff_ids = stack->names.n,
    };
    int r = base_document(store, commit->base, &before, err);

    platform_host(&host);
    change.architecture =
        commit->base->architecture ? commit->base->architecture : host.architecture;
    format_now(now);
    return r < 0 ? r : image_document_change(before, &change, ret_text, err);
}

static int install_stack(const struct stack *stack, const char *document, struct install *install,
                         struct err *err) {
    struct image_description description = IMAGE_DESCRIPTION_INIT;
    struct digest id;
    int r = digest_bytes(DIGEST_SHA256, document, strlen(document), &id, err);

    if (r == 0)
        r = manifest_parse_config(document, strlen(document), &description, err);
    if (r == 0)
        r = install_begin(install, stack->names.n, &id, &description, err);
    for (size_t i = 0; r == 0 && i < stack->names.n; i++)
        snprintf(install->jobs[i].name, sizeof install->jobs[i].name, "%s", stack->names.items[i]);
    image_description_done(&description);
    return r < 0 ? r : install_record(install, err);
}

static int commit_named(const struct store *store, const struct image_commit *commit,
                        struct install *install, const char *key, struct err *err) {
    _cleanup_(stack_done) struct stack stack = {0};
    _cleanup_free_ char *document = NULL;
    int r = store_lock_images(store, LOCK_SH, &install->lock_fd, err);

    if (r == 0)
        r = stack_layers(store, commit, &stack, err);
    if (r == 0)
        r = make_document(store, commit, &stack, &document, err);
    if (r == 0)
        r = install_stack(&stack, document, install, err);
    return r < 0 || !key ? r : image_index_save(store, key, install->id, err);
}

/* The key of a name that an image can have. */
static int name_key(const char *name, char key[IMAGE_INDEX_KEY_BYTES], struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    int r = ref_parse(name, &ref, err);

    if (r == 0 && (ref.kind != REF_NAME || ref.digest))
        r = err_set(err, -EINVAL, "'%s' is no name for an image (NAME or NAME:TAG)", name);
    return r < 0 ? r : image_index_name_key(&ref, key, err);
}

int image_commit(const struct store *store, const struct image_commit *commit,
                 const struct log *log, char **ret_id, struct err *err) {
    struct install install = INSTALL_INIT(store, log);
    char key[IMAGE_INDEX_KEY_BYTES];
    int r = 0;

    if (!commit->base->in_store)
        return err_set(err, -EINVAL,
                       "an image that is a directory of the host cannot be added to; import it "
                       "first: tar -C DIR -c . | mayfly import - NAME");
    if (commit->name)
        r = name_key(commit->name, key, err);
    if (r == 0)
        r = commit_named(store, commit, &install, commit->name ? key : NULL, err);
    if (r == 0) {
        *ret_id = strdup(install.id);
        if (!*ret_id)
            r = err_nomem(err);
    }
    install_done(&install);
    return r;
}
