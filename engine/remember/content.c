/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tree holds, as one digest, without reading it all each time.
 *
 * A list has an entry for each file, in the order of a walk: stat data, the
 * digest of its bytes, its path.  The list of the last walk is kept as
 * inputs/at-KEY; on the next walk an entry with the same device, inode, size,
 * mode, mtime and ctime lends its digest.  Both walks have the same order, so the
 * old list is read along and never searched.
 *
 * The racy case: a file that changes twice within one tick of the file system's
 * clock, with the walk in between, has the stat data that the list knows and
 * other bytes.  So an entry lends its digest only if the file had been left alone
 * for a while before the walk began (git has the same rule).
 */
#include "content.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

#define MAGIC "mayfly inputs 1"
#define LIST_BYTES_MAX (1u << 30)
/* Clocks of file systems go by ticks of 10 ms at most; some keep whole or even seconds. */
#define RACY_NSEC ((int64_t)50 * 1000 * 1000)
#define RACY_COARSE_NSEC ((int64_t)3 * 1000 * 1000 * 1000)

/* Before each path, which ends with a NUL, in a list; followed by padding up to 8 bytes. */
struct entry {
    uint64_t dev, ino, size;
    int64_t mtime_nsec, ctime_nsec;
    uint32_t mode;
    uint16_t n_bytes; /* of the path with its NUL and the padding */
    uint8_t settled;  /* its digest may be lent */
    uint8_t unused;
    unsigned char digest[SHA256_BYTES];
};

struct walk {
    struct buf *list;
    struct sha256 sha;
    const char *old, *old_end; /* the rest of the list of the last walk */
    int64_t began_nsec;        /* by the clock that files are stamped with */
    uint64_t n_entries, n_read;
    char path[PATH_MAX]; /* of the entry under way, below the root */
    struct err *err;
};

void content_done(struct content *content) {
    buf_done(&content->list);
    *content = CONTENT_INIT;
}

static const char *path_of(const struct entry *entry) {
    return (const char *)(entry + 1);
}

static const struct entry *next_entry(const struct entry *entry) {
    return (const struct entry *)(const void *)(path_of(entry) + entry->n_bytes);
}

/* The order of a walk: a directory's entries by name, each followed by what is in it. */
static int compare_paths(const char *a, const char *b) {
    for (; *a && *a == *b; a++, b++)
        ;
    if (*a == '/' || *b == '/')
        return *a == *b ? 0 : !*a ? -1 : !*b ? 1 : *a == '/' ? -1 : 1;
    return (unsigned char)*a - (unsigned char)*b;
}

static int64_t nsec_of(struct timespec time) {
    return (int64_t)time.tv_sec * (int64_t)NSEC_PER_SEC + time.tv_nsec;
}

/* Whether a change from now on would show in the stat data. */
static bool is_settled(const struct stat *st, int64_t now_nsec) {
    bool coarse = st->st_ctim.tv_nsec == 0;

    return nsec_of(st->st_ctim) + (coarse ? RACY_COARSE_NSEC : RACY_NSEC) < now_nsec;
}

/* The entry of the last walk for the path under way, if its digest still holds. */
static const struct entry *lender(struct walk *walk, const struct stat *st) {
    while (walk->old < walk->old_end) {
        const struct entry *entry = (const struct entry *)(const void *)walk->old;
        int order = compare_paths(path_of(entry), walk->path);

        if (order > 0)
            return NULL;
        walk->old = (const char *)next_entry(entry);
        if (order == 0)
            return entry->settled && entry->dev == st->st_dev && entry->ino == st->st_ino &&
                           entry->size == (uint64_t)st->st_size && entry->mode == st->st_mode &&
                           entry->mtime_nsec == nsec_of(st->st_mtim) &&
                           entry->ctime_nsec == nsec_of(st->st_ctim)
                       ? entry
                       : NULL;
    }
    return NULL;
}

static int fail(const struct walk *walk) {
    return err_errno(walk->err, "cannot read %s", *walk->path ? walk->path : "it");
}

static int read_file(struct walk *walk, int dir_fd, const char *name, struct entry *entry) {
    static char block[128 * 1024];
    _cleanup_close_ int fd =
        openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct sha256 sha;
    struct stat after;
    ssize_t n;

    if (fd < 0)
        return fail(walk);
    sha256_init(&sha);
    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n > 0)
            sha256_update(&sha, block, (size_t)n);
        else if (errno != EINTR)
            return fail(walk);
    }
    sha256_final(&sha, entry->digest);
    walk->n_read++;
    /* Written to meanwhile: whatever was read, it is looked at again the next time. */
    if (fstat(fd, &after) < 0 || nsec_of(after.st_ctim) != entry->ctime_nsec)
        entry->settled = 0;
    return 0;
}

static int read_link(struct walk *walk, int dir_fd, const char *name, struct entry *entry) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(dir_fd, name, target, sizeof target);
    struct sha256 sha;

    if (n < 0)
        return fail(walk);
    sha256_init(&sha);
    sha256_update(&sha, target, (size_t)n);
    sha256_final(&sha, entry->digest);
    return 0;
}

static void put(struct walk *walk, struct entry *entry) {
    static const char padding[8];
    size_t n = strlen(walk->path) + 1, padded = (n + 7) & ~(size_t)7;
    /* A directory's size is the file system's affair. */
    uint64_t size = S_ISREG(entry->mode) ? entry->size : 0;

    entry->n_bytes = (uint16_t)padded;
    buf_append(walk->list, entry, sizeof *entry);
    buf_append(walk->list, walk->path, n);
    buf_append(walk->list, padding, padded - n);
    sha256_update(&walk->sha, walk->path, n);
    sha256_update(&walk->sha, &entry->mode, sizeof entry->mode);
    sha256_update(&walk->sha, &size, sizeof size);
    sha256_update(&walk->sha, entry->digest, sizeof entry->digest);
    walk->n_entries++;
}

static int visit(struct walk *walk, int dir_fd, const char *name, int flags);

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int visit_directory(struct walk *walk, int dir_fd, const char *name) {
    int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    _cleanup_strv_ struct strv names = {0};
    size_t used = strlen(walk->path);
    struct dirent *entry;
    int r = 0;

    if (!dir) {
        r = fail(walk);
        if (fd >= 0)
            close(fd);
        return r;
    }
    while ((errno = 0, entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && strv_push(&names, entry->d_name) < 0)
            return err_nomem(walk->err);
    if (errno)
        return fail(walk);
    if (names.n > 1)
        qsort(names.items, names.n, sizeof *names.items, compare_names);
    for (size_t i = 0; r == 0 && i < names.n; i++) {
        if (used + 1 + strlen(names.items[i]) + 1 > sizeof walk->path)
            return err_set(walk->err, -ENAMETOOLONG, "%s: a path in it is too long", walk->path);
        snprintf(walk->path + used, sizeof walk->path - used, "%s%s", used ? "/" : "",
                 names.items[i]);
        r = visit(walk, dirfd(dir), names.items[i], AT_SYMLINK_NOFOLLOW);
        walk->path[used] = '\0';
    }
    return r;
}

static int visit(struct walk *walk, int dir_fd, const char *name, int flags) {
    const struct entry *old;
    struct entry entry;
    struct stat st;
    int r = 0;

    if (fstatat(dir_fd, name, &st, flags) < 0)
        return fail(walk);
    entry = (struct entry){
        .dev = st.st_dev,
        .ino = st.st_ino,
        .size = (uint64_t)st.st_size,
        .mtime_nsec = nsec_of(st.st_mtim),
        .ctime_nsec = nsec_of(st.st_ctim),
        .mode = st.st_mode,
        .settled = is_settled(&st, walk->began_nsec),
    };
    old = lender(walk, &st);
    if (old)
        memcpy(entry.digest, old->digest, sizeof entry.digest);
    else if (S_ISREG(st.st_mode))
        r = read_file(walk, dir_fd, name, &entry);
    else if (S_ISLNK(st.st_mode))
        r = read_link(walk, dir_fd, name, &entry);
    if (r < 0)
        return r;
    put(walk, &entry);
    return S_ISDIR(st.st_mode) ? visit_directory(walk, dir_fd, name) : 0;
}

/* --- lists in the store ------------------------------------------------------- */

/* A list ends with the digest of all before it, so that one cut short by a crash is none. */
struct list_file {
    char *data; /* to munmap(2) */
    size_t size;
    const char *begin, *end; /* its entries */
};

static void unmap(struct list_file *file) {
    if (file->data)
        munmap(file->data, file->size);
}

/* Every entry lies inside and has a path that ends there. */
static bool is_well_formed(const struct list_file *file) {
    const char *p = file->begin;

    while (p < file->end) {
        const struct entry *entry = (const struct entry *)(const void *)p;
        size_t left = (size_t)(file->end - p);

        if (left < sizeof *entry || left - sizeof *entry < entry->n_bytes || entry->n_bytes == 0 ||
            entry->n_bytes % 8 || path_of(entry)[entry->n_bytes - 1])
            return false;
        p = (const char *)next_entry(entry);
    }
    return true;
}

static bool map_list(const struct store *store, const char *name, struct list_file *ret_file) {
    _cleanup_close_ int fd = openat(store->fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    unsigned char digest[SHA256_BYTES];
    struct sha256 sha;
    struct stat st;

    *ret_file = (struct list_file){0};
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < (off_t)(sizeof MAGIC + SHA256_BYTES) ||
        st.st_size > (off_t)LIST_BYTES_MAX)
        return false;
    ret_file->size = (size_t)st.st_size;
    ret_file->data = mmap(NULL, ret_file->size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (ret_file->data == MAP_FAILED) {
        ret_file->data = NULL;
        return false;
    }
    ret_file->begin = ret_file->data + sizeof MAGIC;
    ret_file->end = ret_file->data + ret_file->size - SHA256_BYTES;
    sha256_init(&sha);
    sha256_update(&sha, ret_file->data, ret_file->size - SHA256_BYTES);
    sha256_final(&sha, digest);
    return memcmp(ret_file->data, MAGIC, sizeof MAGIC) == 0 &&
           memcmp(digest, ret_file->end, SHA256_BYTES) == 0 && is_well_formed(ret_file);
}

/* Writes @list to @name, whole or not at all. */
static int save_list(const struct store *store, const char *name, const struct buf *list) {
    _cleanup_close_ int fd = -1;
    unsigned char digest[SHA256_BYTES];
    struct sha256 sha;
    char fresh[96];
    int r;

    snprintf(fresh, sizeof fresh, "tmp/list-%d", (int)getpid());
    sha256_init(&sha);
    sha256_update(&sha, list->data, list->size);
    sha256_final(&sha, digest);
    if (sys_mkdirat(store->fd, "inputs", 0700) < 0 && errno != EEXIST)
        return -errno;
    fd = openat(store->fd, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = fd_write_all(fd, list->data, list->size);
    if (r == 0)
        r = fd_write_all(fd, digest, sizeof digest);
    if (r == 0 && sys_renameat2(store->fd, fresh, store->fd, name, 0) < 0)
        r = -errno;
    if (r < 0)
        (void)sys_unlinkat(store->fd, fresh, 0);
    return r;
}

static void name_of_last(const char *path, char ret_name[96]) {
    char hex[SHA256_HEX_BYTES];
    struct sha256 sha;

    sha256_init(&sha);
    sha256_text(&sha, path);
    sha256_final_hex(&sha, hex);
    snprintf(ret_name, 96, "inputs/at-%s", hex);
}

static int64_t now_of_files(void) {
    struct timespec now;

    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return nsec_of(now);
}

int content_scan(const struct store *store, const char *path, struct content *ret_content,
                 struct err *err) {
    _cleanup_content_ struct content content = CONTENT_INIT;
    _cleanup_(unmap) struct list_file last = {0};
    struct walk walk = {.list = &content.list, .began_nsec = now_of_files(), .err = err};
    char name[96];
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return err_errno(err, "cannot look at %s", path);
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return err_set(err, -EINVAL, "%s is neither a file nor a directory", path);
    name_of_last(path, name);
    if (map_list(store, name, &last)) {
        walk.old = last.begin;
        walk.old_end = last.end;
    }
    buf_append(&content.list, MAGIC, sizeof MAGIC);
    sha256_init(&walk.sha);
    r = visit(&walk, AT_FDCWD, path, 0);
    if (r == -ENOENT || r == -ENOTDIR) {
        (void)err_wrap(err, "%s is being changed", path);
        return -EBUSY;
    }
    if (r < 0)
        return err_wrap(err, "%s", path);
    if (buf_failed(&content.list))
        return err_nomem(err);
    sha256_final_hex(&walk.sha, content.hex);
    content.n_entries = walk.n_entries;
    content.n_read = walk.n_read;
    /* A list that cannot be saved costs time the next time, and nothing else. */
    if (!last.data || content.list.size != last.size - SHA256_BYTES ||
        memcmp(content.list.data, last.data, content.list.size) != 0)
        (void)save_list(store, name, &content.list);
    *ret_content = content;
    content = CONTENT_INIT;
    return 0;
}

int content_keep(const struct store *store, const struct content *content, struct err *err) {
    char name[96];
    int r;

    snprintf(name, sizeof name, "inputs/%s", content->hex);
    r = save_list(store, name, &content->list);
    if (r < 0) {
        errno = -r;
        return store_errno(store, "cannot write to inputs", err);
    }
    return 0;
}

static bool is_same_entry(const struct entry *a, const struct entry *b) {
    return a->mode == b->mode && (!S_ISREG(a->mode) || a->size == b->size) &&
           memcmp(a->digest, b->digest, sizeof a->digest) == 0;
}

void content_difference(const struct store *store, const char *hex, const struct content *content,
                        struct buf *ret_text) {
    _cleanup_(unmap) struct list_file file = {0};
    const char *verb = NULL, *first = NULL, *a, *b, *b_end;
    size_t n = 0;
    char name[96];

    snprintf(name, sizeof name, "inputs/%s", hex);
    if (!map_list(store, name, &file) || content->list.size < sizeof MAGIC)
        return;
    a = file.begin;
    b = content->list.data + sizeof MAGIC;
    b_end = content->list.data + content->list.size;
    while (a < file.end || b < b_end) {
        const struct entry *was = (const struct entry *)(const void *)a;
        const struct entry *is = (const struct entry *)(const void *)b;
        int order = a == file.end ? 1 : b == b_end ? -1 : compare_paths(path_of(was), path_of(is));

        if (order != 0 || !is_same_entry(was, is)) {
            const char *found = order < 0 ? path_of(was) : path_of(is);

            n++;
            if (!first) {
                first = found;
                verb = order < 0 ? "is gone" : order > 0 ? "is new" : "changed";
            }
        }
        if (order <= 0)
            a = (const char *)next_entry(was);
        if (order >= 0)
            b = (const char *)next_entry(is);
    }
    if (n == 1)
        buf_printf(ret_text, "%s %s", *first ? first : "it", verb);
    else if (n > 1)
        buf_printf(ret_text, "%zu files changed, among them %s", n, *first ? first : "itself");
}
