/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kept directories: keep/NAME/data, what containers see.  keep/NAME is what is
 * locked; its mtime is when it was last used.
 */
#include "keep_store.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define PATH_BYTES 320

int keep_open(const struct store *store, const char *name, struct err *err) {
    _cleanup_close_ int fd = -1;
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "keep/%.255s", name);
    fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        if ((sys_mkdirat(store->fd, "keep", 0700) < 0 && errno != EEXIST) ||
            (sys_mkdirat(store->fd, path, 0700) < 0 && errno != EEXIST))
            return store_errno(store, "cannot make a kept directory", err);
        fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (fd < 0)
        return store_errno(store, "cannot open a kept directory", err);
    if (faccessat(fd, "data", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        return take_fd(fd);
    if (sys_mkdirat(fd, "data.new", 0700) < 0 && errno != EEXIST && errno != ENOENT)
        return store_errno(store, "cannot make a kept directory", err);
    /* Not by mkdir(2), which the umask has a word in. */
    if ((fchmodat(fd, "data.new", KEEP_FRESH_MODE, 0) < 0 ||
         sys_renameat2(fd, "data.new", fd, "data", RENAME_NOREPLACE) < 0) &&
        errno != EEXIST && errno != ENOENT)
        return store_errno(store, "cannot make a kept directory", err);
    return take_fd(fd);
}

bool keep_is_there(const struct store *store, const char *name, int fd) {
    char path[PATH_BYTES];
    struct stat a, b;

    snprintf(path, sizeof path, "keep/%.255s", name);
    (void)futimens(fd, NULL);
    return fstat(fd, &a) == 0 && fstatat(store->fd, path, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

void keep_entries_done(struct keep_entries *entries) {
    for (size_t i = 0; i < entries->n; i++)
        free(entries->items[i].name);
    free(entries->items);
    *entries = (struct keep_entries){0};
}

static uint64_t size_of(int dir_fd, const char *name) {
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;
    uint64_t bytes = 0;
    struct stat st;

    if (!dir && fd >= 0)
        close(fd);
    while (dir && (entry = readdir(dir))) {
        if (str_is_dots(entry->d_name) ||
            fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        bytes += (uint64_t)st.st_blocks * 512;
        if (S_ISDIR(st.st_mode))
            bytes += size_of(dirfd(dir), entry->d_name);
    }
    return bytes;
}

static int add(struct keep_entries *entries, int dir_fd, const char *name, bool with_sizes) {
    _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct keep_entry entry = {0}, *items;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return 0;
    items = reallocarray(entries->items, entries->n + 1, sizeof *items);
    entry.name = strdup(name);
    if (items)
        entries->items = items;
    if (!items || !entry.name) {
        free(entry.name);
        return -ENOMEM;
    }
    entry.in_use = flock(fd, LOCK_EX | LOCK_NB) < 0;
    entry.used_nsec = (uint64_t)st.st_mtim.tv_sec * NSEC_PER_SEC + (uint64_t)st.st_mtim.tv_nsec;
    entry.size_bytes = with_sizes ? size_of(fd, "data") : 0;
    items[entries->n++] = entry;
    return 0;
}

static int compare_entries(const void *a, const void *b) {
    return strcmp(((const struct keep_entry *)a)->name, ((const struct keep_entry *)b)->name);
}

int keep_list(const struct store *store, bool with_sizes, struct keep_entries *ret_entries,
              struct err *err) {
    int fd = openat(store->fd, "keep", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r = 0;
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    *ret_entries = (struct keep_entries){0};
    if (!dir) {
        if (fd < 0 && errno == ENOENT)
            return 0;
        if (fd >= 0)
            close(fd);
        return store_errno(store, "cannot read the directory keep", err);
    }
    while (r == 0 && (entry = readdir(dir)))
        if (!str_is_dots(entry->d_name))
            r = add(ret_entries, dirfd(dir), entry->d_name, with_sizes);
    if (r < 0) {
        keep_entries_done(ret_entries);
        return err_nomem(err);
    }
    if (ret_entries->n > 1)
        qsort(ret_entries->items, ret_entries->n, sizeof *ret_entries->items, compare_entries);
    return 0;
}

/* Moves one aside unless a run has it. */
static int remove_one(const struct store *store, const char *name, struct err *err) {
    _cleanup_close_ int fd = -1;
    char path[PATH_BYTES], aside[64];
    uint64_t bits;

    snprintf(path, sizeof path, "keep/%.255s", name);
    fd = openat(store->fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
        return -EBUSY;
    if (getrandom(&bits, sizeof bits, 0) != sizeof bits)
        return err_errno(err, "cannot make a name");
    snprintf(aside, sizeof aside, "tmp/gone-%016" PRIx64, bits);
    if (sys_renameat2(store->fd, path, store->fd, aside, RENAME_NOREPLACE) < 0)
        return store_errno(store, "cannot move a kept directory aside", err);
    return 0;
}

int keep_prune(const struct store *store, size_t *ret_n, uint64_t *ret_bytes, struct err *err) {
    struct keep_entries entries;
    int r = keep_list(store, true, &entries, err);

    *ret_n = 0;
    *ret_bytes = 0;
    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        r = remove_one(store, entries.items[i].name, err);
        if (r == 0) {
            (*ret_n)++;
            *ret_bytes += entries.items[i].size_bytes;
        } else if (r == -EBUSY)
            r = 0;
    }
    keep_entries_done(&entries);
    (void)store_clean(store);
    return r;
}
