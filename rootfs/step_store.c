/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Remembered steps in the store.
 *
 *   steps/KEY/tree      what the step changed of the root file system: an overlay's upper directory
 *   steps/KEY/volume.N  the same of a copy-on-write volume
 *   steps/KEY/output    what it wrote (capture.c)
 *   steps/KEY/record    what is known of it (step_record.c); its mtime is when it expires
 *   tmp/step-KEY        the lock of whoever makes it
 *   inputs/HEX          what a volume held, for the reason of a miss (content.c)
 *
 * A directory in steps/ comes by one rename and goes by one: what is there is
 * whole, as far as this boot of the kernel goes.  Its users hold a shared lock on
 * it.  One that has to go is renamed into tmp/ first; there it is a leaving like
 * any other, and is removed as soon as nobody holds a lock on it.
 */
#include "step_store.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define PATH_BYTES 128

void step_done(struct step *step) {
    if (step->fd >= 0)
        close(step->fd);
    step_record_done(&step->record);
    *step = STEP_INIT;
}

static bool is_same(int dir_fd, const char *path, int fd) {
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstatat(dir_fd, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Reads the record.  Return: 0, -EBADMSG, -ENOMEM or another -errno. */
static int read_record(struct step *step) {
    _cleanup_close_ int fd = openat(step->fd, "record", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_free_ char *data = NULL;
    struct stat st;
    size_t size;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    r = fd_read_all(fd, STEP_RECORD_BYTES_MAX, &data, &size);
    if (r == 0)
        r = step_record_decode(data, size, &step->record);
    step->expires_nsec = st.st_mtim.tv_sec < 0 ? 0
                                               : (uint64_t)st.st_mtim.tv_sec * NSEC_PER_SEC +
                                                     (uint64_t)st.st_mtim.tv_nsec;
    return r;
}

/* Opens steps/KEY with a lock that keeps removal away.  Return: 0 or -errno. */
static int open_step(const struct store *store, const char *key, struct step *step) {
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "steps/%s", key);
    snprintf(step->key, sizeof step->key, "%s", key);
    step->fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (step->fd < 0)
        return -errno;
    /* Whoever removes it holds the lock for a moment. */
    while (flock(step->fd, LOCK_SH) < 0)
        if (errno != EINTR)
            return -errno;
    return is_same(store->fd, path, step->fd) ? 0 : -ENOENT;
}

int step_find(const struct store *store, const char *key, const char *boot, uint64_t now_nsec,
              struct step *ret_step) {
    struct step step = STEP_INIT;
    int r = open_step(store, key, &step);

    if (r == 0)
        r = read_record(&step);
    if (r < 0) {
        step_done(&step);
        return r == -ENOMEM ? r : STEP_MISSING;
    }
    *ret_step = step;
    if (step.expires_nsec <= now_nsec)
        return STEP_EXPIRED;
    return str_eq(step.record.boot, boot) ? 0 : STEP_OTHER_BOOT;
}

static struct timespec time_of(uint64_t nsec) {
    return (struct timespec){.tv_sec = (time_t)(nsec / NSEC_PER_SEC),
                             .tv_nsec = (long)(nsec % NSEC_PER_SEC)};
}

void step_extend(struct step *step, uint64_t expires_nsec) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, time_of(expires_nsec)};

    if (expires_nsec > step->expires_nsec &&
        utimensat(step->fd, "record", times, AT_SYMLINK_NOFOLLOW) == 0)
        step->expires_nsec = expires_nsec;
}

int step_lock(const struct store *store, const char *key, int *ret_fd, struct err *err) {
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "tmp/step-%s", key);
    for (;;) {
        _cleanup_close_ int fd = -1;

        if (sys_mkdirat(store->fd, path, 0700) < 0 && errno != EEXIST)
            return store_errno(store, "cannot make a directory in tmp", err);
        fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return store_errno(store, "cannot open a directory in tmp", err);
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            int r = -errno;

            if (r != -EWOULDBLOCK)
                return store_errno(store, "cannot lock a directory in tmp", err);
            *ret_fd = take_fd(fd);
            return r;
        }
        /* Its last holder may have removed it since it was opened. */
        if (!is_same(store->fd, path, fd))
            continue;
        *ret_fd = take_fd(fd);
        return 0;
    }
}

void step_unlock(const struct store *store, const char *key, int fd) {
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "tmp/step-%s", key);
    (void)sys_unlinkat(store->fd, path, AT_REMOVEDIR);
    close(fd);
}

static int write_record(const struct store *store, int dir_fd, const char *name,
                        const struct step_record *record, uint64_t expires_nsec, struct err *err) {
    const struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, time_of(expires_nsec)};
    _cleanup_close_ int fd =
        openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    _cleanup_buf_ struct buf buf = BUF_INIT;
    int r;

    step_record_encode(record, &buf);
    if (buf_failed(&buf))
        return err_nomem(err);
    r = fd < 0 ? -errno : fd_write_all(fd, buf.data, buf.size);
    if (r == 0 && futimens(fd, times) < 0)
        r = -errno;
    if (r < 0) {
        errno = -r;
        return store_errno(store, "cannot write a step's record", err);
    }
    return 0;
}

int step_discard(const struct store *store, const char *key, struct err *err) {
    char path[PATH_BYTES], aside[PATH_BYTES];
    uint64_t bits;

    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, "cannot make a name");
    snprintf(path, sizeof path, "steps/%s", key);
    snprintf(aside, sizeof aside, "tmp/gone-%016" PRIx64, bits);
    if (sys_renameat2(store->fd, path, store->fd, aside, RENAME_NOREPLACE) < 0 && errno != ENOENT)
        return store_errno(store, "cannot move a remembered step aside", err);
    return 0;
}

int step_publish(const struct store *store, const char *key, int dir_fd, const char *name,
                 const struct step_record *record, uint64_t expires_nsec, struct err *err) {
    _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char path[PATH_BYTES];
    int r = fd < 0 ? store_errno(store, "cannot open a step's directory", err)
                   : write_record(store, fd, "record", record, expires_nsec, err);

    snprintf(path, sizeof path, "steps/%s", key);
    if (r == 0 && sys_mkdirat(store->fd, "steps", 0700) < 0 && errno != EEXIST)
        r = store_errno(store, "cannot make the directory steps", err);
    if (r < 0 || sys_renameat2(dir_fd, name, store->fd, path, RENAME_NOREPLACE) == 0)
        return r;
    if (errno != EEXIST)
        return store_errno(store, "cannot rename a step's directory to its place", err);
    r = step_discard(store, key, err);
    if (r == 0 && sys_renameat2(dir_fd, name, store->fd, path, RENAME_NOREPLACE) < 0)
        r = store_errno(store, "cannot rename a step's directory to its place", err);
    return r;
}

int step_rewrite(const struct store *store, struct step *step, struct err *err) {
    int r = write_record(store, step->fd, "record.new", &step->record, step->expires_nsec, err);

    if (r == 0 && sys_renameat2(step->fd, "record.new", step->fd, "record", 0) < 0)
        r = store_errno(store, "cannot rename a step's record", err);
    return r;
}

void step_entries_done(struct step_entries *entries) {
    for (size_t i = 0; i < entries->n; i++)
        step_done(&entries->items[i].step);
    free(entries->items);
    *entries = (struct step_entries){0};
}

static int compare_entries(const void *a, const void *b) {
    const struct step_record *x = &((const struct step_entry *)a)->step.record;
    const struct step_record *y = &((const struct step_entry *)b)->step.record;

    return x->created_nsec < y->created_nsec ? -1 : x->created_nsec > y->created_nsec;
}

static DIR *open_folder(const struct store *store, const char *folder) {
    int fd = openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir && fd >= 0)
        close(fd);
    return dir;
}

static int add_entry(const struct store *store, struct step_entries *entries, const char *key) {
    struct step_entry *items, entry = {.step = STEP_INIT};
    int r = open_step(store, key, &entry.step);

    if (r == 0 && read_record(&entry.step) == -ENOMEM)
        r = -ENOMEM;
    items = r == 0 ? reallocarray(entries->items, entries->n + 1, sizeof *items) : NULL;
    if (!items) {
        step_done(&entry.step);
        return r == 0 ? -ENOMEM : r == -ENOMEM ? r : 0;
    }
    /* The lock of this list alone; taken back right away, so that others may prune meanwhile. */
    entry.in_use = flock(entry.step.fd, LOCK_EX | LOCK_NB) < 0;
    (void)flock(entry.step.fd, LOCK_UN);
    entries->items = items;
    items[entries->n++] = entry;
    return 0;
}

int step_list(const struct store *store, struct step_entries *ret_entries, struct err *err) {
    _cleanup_step_entries_ struct step_entries entries = {0};
    _cleanup_closedir_ DIR *dir = open_folder(store, "steps");
    struct dirent *entry;
    int r = 0;

    if (!dir && errno != ENOENT)
        return store_errno(store, "cannot read the directory steps", err);
    while (r == 0 && dir && (entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && strlen(entry->d_name) < SHA256_HEX_BYTES)
            r = add_entry(store, &entries, entry->d_name);
    if (r < 0)
        return err_nomem(err);
    if (entries.n > 1)
        qsort(entries.items, entries.n, sizeof *entries.items, compare_entries);
    *ret_entries = entries;
    entries = (struct step_entries){0};
    return 0;
}

/* Removes one unless a run has it.  Return: 0, -EBUSY, -errno with a text. */
static int remove_one(const struct store *store, const struct step_entry *entry, struct err *err) {
    if (flock(entry->step.fd, LOCK_EX | LOCK_NB) < 0)
        return -EBUSY;
    return step_discard(store, entry->step.key, err);
}

static bool is_input_of(const struct step_entries *entries, const char *name) {
    for (size_t i = 0; i < entries->n; i++) {
        const struct strv *facts = &entries->items[i].step.record.facts;

        for (size_t k = 0; entries->items[i].step.fd >= 0 && k < facts->n; k++)
            if (strstr(facts->items[k], name))
                return true;
    }
    return false;
}

/* Lists of inputs that no step refers to; those of the last walk only with everything. */
static void prune_inputs(const struct store *store, const struct step_entries *left, bool all) {
    _cleanup_closedir_ DIR *dir = open_folder(store, "inputs");
    struct dirent *entry;

    while (dir && (entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) &&
            (str_after(entry->d_name, "at-") ? all : !is_input_of(left, entry->d_name)))
            (void)sys_unlinkat(dirfd(dir), entry->d_name, 0);
}

int step_prune(const struct store *store, bool all, uint64_t now_nsec, size_t *ret_n,
               uint64_t *ret_bytes, struct err *err) {
    _cleanup_step_entries_ struct step_entries entries = {0};
    int r = step_list(store, &entries, err);

    *ret_n = 0;
    *ret_bytes = 0;
    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        struct step *step = &entries.items[i].step;

        if (!all && *step->record.id && step->expires_nsec > now_nsec)
            continue;
        r = remove_one(store, &entries.items[i], err);
        if (r == 0) {
            (*ret_n)++;
            *ret_bytes += step->record.size_bytes;
            step_done(step);
        } else if (r == -EBUSY)
            r = 0;
    }
    if (r == 0)
        prune_inputs(store, &entries, all);
    /* What was moved aside is unlocked by now. */
    (void)store_clean(store);
    return r;
}
