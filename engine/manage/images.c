/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands about images.  Which store is meant depends on how ids are mapped,
 * and whether newuidmap(1) grants what /etc/subuid promises is known only when
 * it was tried, so that is tried first.
 */
#include "images.h"

#include "images_work.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/connect.h"
#include "engine/state.h"
#include "engine/userns.h"
#include "rootfs/image.h"
#include "rootfs/ref.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

static int do_nothing(void *argument, struct err *err) {
    (void)argument;
    (void)err;
    return 0;
}

/* The mode that a run would end up with, as far as stores differ by it. */
static int choose_ids(struct images *images, struct err *err) {
    int r = idmap_choose(&images->map, err);

    while (r == 0 && images->map.mode == IDMAP_SUBUID) {
        r = userns_call(&images->map, do_nothing, NULL, -1, err);
        if (r == 0)
            return 0;
        if (r == USERNS_UNMAPPABLE && idmap_fall_back(&images->map)) {
            log_warning(images->log, "%s: going on with ids mapped as '%s'", err->message,
                        idmap_name(images->map.mode));
            r = 0;
        }
    }
    return r;
}

int images_open(struct images *images, const char *path, const struct log *log, struct err *err) {
    int r;

    *images = IMAGES_INIT;
    images->log = log;
    r = signals_take(&images->signals, err);
    if (r == 0)
        r = choose_ids(images, err);
    if (r == 0)
        r = store_open(&images->store, path, state_owners(images->map.mode), err);
    if (r == 0)
        state_clean(&images->store, &images->map, log);
    if (r == 0)
        connect_clean(&images->store, &images->map);
    return r;
}

void images_close(struct images *images) {
    store_close(&images->store);
    signals_release(&images->signals);
}

void images_heed(struct images *images, const struct wishes *wishes) {
    wishes_apply(wishes, &images->store);
}

int images_list(struct images *images, struct image_entries *ret_entries, struct err *err) {
    return image_list(&images->store, ret_entries, err);
}

int images_exists(struct images *images, const char *reference, bool *ret_is_there,
                  struct err *err) {
    struct image image = IMAGE_INIT;
    int r = image_find(&image, &images->store, reference, err);

    *ret_is_there = r == 0 && image.in_store;
    image_done(&image);
    return r < 0 ? r : 0;
}

int images_find(struct images *images, const char *reference, struct image *ret_image,
                struct err *err) {
    int r = image_find(ret_image, &images->store, reference, err);

    return r == IMAGE_MISSING
               ? err_set(err, -ENOENT, "there is no image '%s'; 'mayfly images' lists them",
                         reference)
               : r;
}

int images_tag(struct images *images, const char *reference, const char *name, struct err *err) {
    return image_tag(&images->store, reference, name, err);
}

/* The id of an image that has just been brought in. */
static int find_id(const struct images *images, const char *reference, char **ret_id,
                   struct err *err) {
    struct image image = IMAGE_INIT;
    int r = image_find(&image, &images->store, reference, err);

    if (r == IMAGE_MISSING)
        r = err_set(err, -ESTALE, "image %s: somebody has changed or removed it meanwhile",
                    reference);
    if (r == 0)
        *ret_id = take_ptr(image.id);
    image_done(&image);
    return r;
}

static int pull(struct images_work *work, struct err *err) {
    return image_pull(&work->images->store, work->reference, work->images->log, err);
}

int images_pull(struct images *images, const char *reference, char **ret_id, struct err *err) {
    struct images_work work = {
        .images = images, .function = pull, .reference = reference, .is_remote = true};
    _cleanup_free_ char *answer = NULL;
    int r = images_work_call(&work, &answer, err);

    return r < 0 ? r : find_id(images, reference, ret_id, err);
}

/* Standard input as a file: archives are read back and forth.  Return: a descriptor or -errno. */
static int spool_stdin(const struct store *store, struct err *err) {
    _cleanup_close_ int fd = openat(store->fd, "tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    char block[65536];
    ssize_t n;
    int r = 0;

    if (fd < 0)
        return err_errno(err, "cannot keep standard input in the store; give a file instead");
    while (r == 0 && (n = read(STDIN_FILENO, block, sizeof block)) != 0) {
        if (n < 0 && errno != EINTR)
            return err_errno(err, "cannot read standard input");
        r = n > 0 ? fd_write_all(fd, block, (size_t)n) : 0;
    }
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot keep standard input in the store");
    }
    return take_fd(fd);
}

static int load(struct images_work *work, struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    _cleanup_close_ int fd = -1;
    const char *path = work->reference;
    char stdin_path[40];
    int r;

    if (!path) {
        fd = spool_stdin(&work->images->store, err);
        if (fd < 0)
            return fd;
        snprintf(stdin_path, sizeof stdin_path, "/proc/self/fd/%d", fd);
        path = stdin_path;
    }
    r = image_load(&work->images->store, path, work->images->log, &names, err);
    if (r < 0 && !work->reference && err) {
        const char *rest = str_after(err->message, path);
        _cleanup_free_ char *text = str_printf("standard input%s", rest ? rest : "");

        if (rest && text)
            err_set(err, r, "%s", text);
    }
    for (size_t i = 0; r == 0 && i < names.n; i++)
        buf_printf(&work->answer, "%s\n", names.items[i]);
    return r;
}

int images_load(struct images *images, const char *path, struct strv *ret_names, struct err *err) {
    struct images_work work = {.images = images, .function = load, .reference = path};
    _cleanup_free_ char *answer = NULL;
    int r = images_work_call(&work, &answer, err);

    for (char *name = answer, *end; r == 0 && (end = strchr(name, '\n')); name = end + 1) {
        *end = '\0';
        if (strv_push(ret_names, name) < 0)
            r = err_nomem(err);
    }
    return r;
}

static int import(struct images_work *work, struct err *err) {
    return image_import(&work->images->store, work->reference, work->images->log, err);
}

/* Whether an image can have this name, before work is done for it. */
static int check_name(const char *name, struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    int r = ref_parse(name, &ref, err);

    if (r == 0 && (ref.kind != REF_NAME || ref.digest))
        r = err_set(err, -EINVAL, "'%s' is no name for an image (NAME or NAME:TAG)", name);
    return r;
}

int images_import(struct images *images, const char *source, const char *name, char **ret_id,
                  struct err *err) {
    bool is_url = str_after(source, "http://") || str_after(source, "https://");
    _cleanup_free_ char *reference =
        is_url || str_after(source, "tar:") ? strdup(source) : str_printf("tar:%s", source);
    struct images_work work = {
        .images = images, .function = is_url ? pull : import, .is_remote = is_url};
    _cleanup_free_ char *answer = NULL, *id = NULL;
    int r = name ? check_name(name, err) : 0;

    if (r < 0)
        return r;
    if (!reference)
        return err_nomem(err);
    work.reference = reference;
    r = images_work_call(&work, &answer, err);
    if (r == 0)
        r = find_id(images, reference, &id, err);
    if (r == 0 && name)
        r = image_tag(&images->store, id, name, err);
    if (r == 0)
        *ret_id = take_ptr(id);
    return r;
}

/* Refuses to remove an image by its id when it has several names. */
static int check_names(const struct store *store, const char *reference, struct err *err) {
    struct image_entries entries = {0};
    const char *digits = str_after(reference, "sha256:");
    size_t n = 0;
    int r = image_list(store, &entries, err);

    if (!digits)
        digits = reference;
    for (size_t i = 0; r == 0 && i < entries.n; i++)
        n += entries.items[i].name && strlen(digits) >= 8 &&
             str_after(entries.items[i].id, digits) != NULL;
    image_entries_done(&entries);
    if (r == 0 && n > 1)
        return err_set(err, -EBUSY,
                       "image %s: it has %zu names; remove those, or write -f to remove all of it",
                       reference, n);
    return r;
}

static int remove_image(struct images_work *work, struct err *err) {
    const struct store *store = &work->images->store;
    int r = work->flag ? 0 : check_names(store, work->reference, err);

    return r < 0 ? r : image_remove(store, work->reference, err);
}

int images_remove(struct images *images, const char *reference, bool force, struct err *err) {
    struct images_work work = {
        .images = images, .function = remove_image, .reference = reference, .flag = force};
    _cleanup_free_ char *answer = NULL;

    return images_work_call(&work, &answer, err);
}

static int prune(struct images_work *work, struct err *err) {
    uint64_t bytes = 0;
    int r = image_prune(&work->images->store, work->flag, &bytes, err);

    buf_printf(&work->answer, "%" PRIu64, bytes);
    return r;
}

int images_prune(struct images *images, bool unnamed, uint64_t *ret_bytes, struct err *err) {
    struct images_work work = {.images = images, .function = prune, .flag = unnamed};
    _cleanup_free_ char *answer = NULL;
    int r = images_work_call(&work, &answer, err);

    if (r == 0 && str_to_u64(answer, UINT64_MAX, ret_bytes) < 0)
        r = err_set(err, -EIO, "the result of the removal is no number");
    return r;
}
