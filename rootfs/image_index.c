/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Knowing an archive again without reading it: by device, inode, size and
 * times.  Whoever changes a file changes its ctime, with one exception: twice
 * within one tick of the file system's clock.  So what was read less than
 * RACY_NSEC after the last change is not known for certain.  The entry then
 * says when it was made, and holds for the run that made it alone; the next
 * run reads the archive again (Git calls such entries racy).
 */
#include "image_index.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Ticks are 10 ms at most; network file systems have clocks of their own. */
#define RACY_NSEC (100 * NSEC_PER_MSEC)

static uint64_t nsec_of(const struct timespec *t) {
    return (uint64_t)t->tv_sec * NSEC_PER_SEC + (uint64_t)t->tv_nsec;
}

uint64_t image_index_now(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return nsec_of(&now);
}

/* FNV-1a of 128 bits: the selector is the user's own and may be longer than a file name. */
static unsigned __int128 hash_text(const char *text) {
    const unsigned __int128 prime = ((unsigned __int128)1 << 88) | 0x13b;
    unsigned __int128 hash = ((unsigned __int128)0x6c62272e07bb0142 << 64) | 0x62b821756295c58d;

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * prime;
    return hash;
}

void image_index_key(const struct ref *ref, const struct stat *st,
                     char ret_key[IMAGE_INDEX_KEY_BYTES]) {
    /* A directory and a file of one inode cannot be; /x.tar and tar:x.tar are the same. */
    enum ref_kind kind = ref->kind == REF_PATH ? REF_TAR : ref->kind;
    unsigned __int128 selector = hash_text(ref->selector ? ref->selector : "");

    snprintf(ret_key, IMAGE_INDEX_KEY_BYTES,
             "%d.%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%" PRIx64 ".%016" PRIx64
             "%016" PRIx64,
             (int)kind, (uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
             nsec_of(&st->st_mtim), nsec_of(&st->st_ctim), (uint64_t)(selector >> 64),
             (uint64_t)selector);
}

int image_index_name_key(const struct ref *ref, char ret_key[IMAGE_INDEX_KEY_BYTES],
                         struct err *err) {
    _cleanup_free_ char *name = ref_format(ref);

    if (!name)
        return err_nomem(err);
    for (char *p = name; *p; p++)
        if (*p == '/')
            *p = '%'; /* which no name holds */
    if (snprintf(ret_key, IMAGE_INDEX_KEY_BYTES, IMAGE_INDEX_NAME_PREFIX "%s", name) >=
        IMAGE_INDEX_KEY_BYTES)
        return err_set(err, -ENAMETOOLONG, "the name is too long for the store");
    return 0;
}

int image_index_digest_key(const char *name_key, char ret_key[IMAGE_INDEX_KEY_BYTES]) {
    const char *name = str_after(name_key, IMAGE_INDEX_NAME_PREFIX);
    int n = snprintf(ret_key, IMAGE_INDEX_KEY_BYTES, IMAGE_INDEX_DIGEST_PREFIX "%s",
                     name ? name : name_key);

    return n < IMAGE_INDEX_KEY_BYTES ? 0 : -ENAMETOOLONG;
}

/* What was known of the name's image is not so of another. */
static void forget_digest(const struct store *store, const char *key) {
    char digest_key[IMAGE_INDEX_KEY_BYTES], path[16 + IMAGE_INDEX_KEY_BYTES];

    if (!str_after(key, IMAGE_INDEX_NAME_PREFIX) || image_index_digest_key(key, digest_key) < 0)
        return;
    snprintf(path, sizeof path, "index/%s", digest_key);
    (void)sys_unlinkat(store->fd, path, 0);
}

void image_index_url_key(const struct ref *ref, char ret_key[IMAGE_INDEX_KEY_BYTES]) {
    unsigned __int128 address = hash_text(ref->path);

    snprintf(ret_key, IMAGE_INDEX_KEY_BYTES, "url.%016" PRIx64 "%016" PRIx64,
             (uint64_t)(address >> 64), (uint64_t)address);
}

void image_index_stdin_key(const struct store *store, const struct stat *st,
                           char ret_key[IMAGE_INDEX_KEY_BYTES]) {
    snprintf(ret_key, IMAGE_INDEX_KEY_BYTES, "stdin.%" PRIx64 ".%" PRIx64 ".%" PRIx64,
             (uint64_t)st->st_dev, (uint64_t)st->st_ino, store->opened_nsec);
}

int image_index_find(const struct store *store, const char *key,
                     char ret_name[IMAGE_INDEX_TARGET_BYTES]) {
    char path[16 + IMAGE_INDEX_KEY_BYTES], *tilde;
    ssize_t n;

    snprintf(path, sizeof path, "index/%s", key);
    n = readlinkat(store->fd, path, ret_name, IMAGE_INDEX_TARGET_BYTES - 1);
    if (n <= 0 || n >= IMAGE_INDEX_TARGET_BYTES - 1)
        return 1;
    ret_name[n] = '\0';
    if (strchr(ret_name, '/'))
        return 1;
    tilde = strchr(ret_name, '~');
    if (tilde) {
        uint64_t made_nsec;

        *tilde = '\0';
        if (str_to_u64(tilde + 1, UINT64_MAX, &made_nsec) < 0 || made_nsec < store->opened_nsec)
            return 1;
    }
    return 0;
}

uint64_t image_index_layer_bytes(const struct store *store, const char *layer) {
    char key[IMAGE_INDEX_KEY_BYTES], target[IMAGE_INDEX_TARGET_BYTES];
    uint64_t size;

    snprintf(key, sizeof key, IMAGE_INDEX_SIZE_PREFIX "%s", layer);
    if (image_index_find(store, key, target) != 0 || str_to_u64(target, UINT64_MAX, &size) < 0)
        return 0;
    return size;
}

void image_index_target(const char *name, const struct stat *st, uint64_t began_nsec,
                        char ret_target[IMAGE_INDEX_TARGET_BYTES]) {
    uint64_t changed_nsec = nsec_of(&st->st_ctim);

    if (began_nsec >= changed_nsec && began_nsec - changed_nsec >= RACY_NSEC)
        snprintf(ret_target, IMAGE_INDEX_TARGET_BYTES, "%s", name);
    else
        image_index_target_now(name, ret_target);
}

void image_index_target_now(const char *name, char ret_target[IMAGE_INDEX_TARGET_BYTES]) {
    snprintf(ret_target, IMAGE_INDEX_TARGET_BYTES, "%s~%" PRIu64, name, image_index_now());
}

int image_index_save(const struct store *store, const char *key, const char *target,
                     struct err *err) {
    struct store_work work = STORE_WORK_INIT;
    char path[16 + IMAGE_INDEX_KEY_BYTES];
    int r = store_work_begin(store, key, &work, err);

    if (r < 0)
        return r;
    snprintf(path, sizeof path, "index/%s", key);
    if (sys_symlinkat(target, work.fd, "link") < 0)
        r = store_errno(store, "cannot make a link in it", err);
    forget_digest(store, key);
    if (r == 0)
        r = store_replace(store, &work, "link", path, err);
    if (r == 0)
        r = store_sync_folder(store, "index", err);
    store_work_end(store, &work);
    return r;
}

int image_index_remove(const struct store *store, const char *key, struct err *err) {
    char path[16 + IMAGE_INDEX_KEY_BYTES];

    forget_digest(store, key);
    snprintf(path, sizeof path, "index/%s", key);
    if (sys_unlinkat(store->fd, path, 0) == 0)
        return 0;
    return errno == ENOENT ? 1 : store_errno(store, "cannot remove a link in it", err);
}
