/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tree to the tar that would be made of it, of which only the recipe is
 * written: headers in full, contents by name.  The digest of that tar is the
 * layer's diff ID; reading every file once is what it costs.
 *
 * Entries come in the order of their names, a directory before what is in it
 * and with its whiteouts, so that the tar depends on nothing but the tree.  Of
 * several names of one file the first has the content.  A file with holes is
 * written in GNU's sparse form (1.0): a map, then the parts between the holes.
 */
#include "recipe_tree.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "layer_path.h"
#include "recipe.h"
#include "tar_header.h"

#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

enum { PART_BYTES = 256 << 10 };

/* A file with several names, and its first. */
struct link {
    dev_t dev;
    ino_t ino;
    char path[];
};

struct walk {
    int tree_fd;
    enum store_owners owners;
    struct recipe recipe;
    struct digest_stream digest;
    struct buf headers; /* written already, but for the next entry's */
    void *links;        /* of tsearch(3) */
    char path[PATH_MAX];
    char part[PART_BYTES];
};

static int compare_links(const void *a, const void *b) {
    const struct link *x = a, *y = b;

    if (x->dev != y->dev)
        return x->dev < y->dev ? -1 : 1;
    return x->ino < y->ino ? -1 : x->ino > y->ino;
}

/* Hands over what has been put into the buffer. */
static int put_headers(struct walk *w, struct err *err) {
    if (buf_failed(&w->headers))
        return err_nomem(err);
    digest_stream_update(&w->digest, w->headers.data, w->headers.size);
    recipe_put_bytes(&w->recipe, w->headers.data, w->headers.size);
    w->headers.size = 0;
    return 0;
}

/* --- an entry's header -------------------------------------------------------- */

static struct tar_header header_of(const struct walk *w, const struct stat *st, char type) {
    bool single = w->owners == STORE_OWNERS_SINGLE;

    return (struct tar_header){
        .path = w->path,
        .type = type,
        .mode = st->st_mode & 07777,
        .uid = single ? 0 : st->st_uid,
        .gid = single ? 0 : st->st_gid,
        .mtime = st->st_mtim,
    };
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Labels and ACLs are this machine's; overlayfs' own would steer it. */
static bool is_taken(const char *name) {
    return (str_after(name, "user.") && !str_after(name, "user.overlay.")) ||
           str_eq(name, "security.capability");
}

/* One attribute as a record; those that cannot be read are no part of the layer. */
static int put_attribute(struct buf *records, const char *file, const char *name, struct err *err) {
    _cleanup_free_ char *value = NULL, *key = str_printf("SCHILY.xattr.%s", name);
    ssize_t n = lgetxattr(file, name, NULL, 0);

    if (n < 0)
        return 0;
    value = malloc((size_t)n + 1);
    if (!value || !key)
        return err_nomem(err);
    n = lgetxattr(file, name, value, (size_t)n);
    if (n >= 0)
        tar_header_record(records, key, value, (size_t)n);
    return 0;
}

/* The attributes of a file as records, by name; whether the directory is an opaque one. */
static int put_attributes(int dir_fd, const char *base, struct buf *records, bool *ret_opaque,
                          struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    _cleanup_free_ char *list = NULL;
    char file[64 + NAME_MAX], value[2];
    ssize_t n;

    snprintf(file, sizeof file, "/proc/self/fd/%d/%s", dir_fd, base);
    *ret_opaque = false;
    n = llistxattr(file, NULL, 0);
    if (n <= 0)
        return 0;
    list = malloc((size_t)n);
    if (!list)
        return err_nomem(err);
    n = llistxattr(file, list, (size_t)n);
    for (const char *name = list; n > 0 && name < list + n; name += strlen(name) + 1) {
        if ((str_eq(name, "user.overlay.opaque") || str_eq(name, "trusted.overlay.opaque")) &&
            lgetxattr(file, name, value, sizeof value) == 1 && *value == 'y')
            *ret_opaque = true;
        if (is_taken(name) && strv_push(&names, name) < 0)
            return err_nomem(err);
    }
    if (names.n > 0)
        qsort(names.items, names.n, sizeof *names.items, compare_texts);
    for (size_t i = 0; i < names.n; i++) {
        int r = put_attribute(records, file, names.items[i], err);

        if (r < 0)
            return r;
    }
    return 0;
}

/* An empty file, as whiteouts are. */
static int put_marker(struct walk *w, const char *path, const struct stat *st, struct err *err) {
    struct tar_header header = header_of(w, st, '0');

    header.path = path;
    header.mode = 0600;
    tar_header_encode(&header, &w->headers);
    return put_headers(w, err);
}

/* --- content ------------------------------------------------------------------ */

static int changed(const struct walk *w, struct err *err) {
    return err_set(err, -ESTALE, "'%.200s' changes while it is read", w->path);
}

/* Digests a part of a file. */
static int digest_content(struct walk *w, int fd, uint64_t offset, uint64_t size, struct err *err) {
    for (uint64_t done = 0; done < size;) {
        size_t wanted = size - done < PART_BYTES ? (size_t)(size - done) : PART_BYTES;
        ssize_t n = pread(fd, w->part, wanted, (off_t)(offset + done));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "cannot read '%.200s'", w->path);
        if (n == 0)
            return changed(w, err);
        digest_stream_update(&w->digest, w->part, (size_t)n);
        done += (uint64_t)n;
    }
    return 0;
}

/* Where the data of a file with holes is: "OFFSET\nSIZE\n" each; and their sum. */
static size_t map_data(int fd, uint64_t size, struct buf *map, uint64_t *ret_bytes) {
    size_t n = 0;
    off_t at = 0;

    *ret_bytes = 0;
    while (at < (off_t)size) {
        off_t data = lseek(fd, at, SEEK_DATA), hole;

        if (data < 0)
            break;
        hole = lseek(fd, data, SEEK_HOLE);
        if (hole < 0 || hole > (off_t)size)
            hole = (off_t)size;
        buf_printf(map, "%jd\n%jd\n", (intmax_t)data, (intmax_t)(hole - data));
        *ret_bytes += (uint64_t)(hole - data);
        at = hole;
        n++;
    }
    return n;
}

/* Spec: GNU tar manual, "Storing Sparse Files", "PAX Format, Version 1.0". */
static int put_sparse(struct walk *w, int fd, struct tar_header *header, struct buf *records,
                      uint64_t size, struct err *err) {
    _cleanup_buf_ struct buf map = BUF_INIT, head = BUF_INIT;
    char number[32];
    uint64_t bytes;
    size_t n;
    int r;

    n = map_data(fd, size, &map, &bytes);
    buf_printf(&map, "%" PRIu64 "\n0\n", size);
    buf_printf(&head, "%zu\n", n + 1);
    buf_append(&head, map.data, map.size);
    tar_header_pad(&head, head.size);
    if (buf_failed(&map) || buf_failed(&head))
        return err_nomem(err);
    tar_header_record(records, "GNU.sparse.major", "1", 1);
    tar_header_record(records, "GNU.sparse.minor", "0", 1);
    tar_header_record(records, "GNU.sparse.name", w->path, strlen(w->path));
    snprintf(number, sizeof number, "%" PRIu64, size);
    tar_header_record(records, "GNU.sparse.realsize", number, strlen(number));
    header->size = head.size + bytes;
    tar_header_encode(header, &w->headers);
    buf_append(&w->headers, head.data, head.size);
    r = put_headers(w, err);
    for (const char *p = map.data; r == 0 && n > 0; n--) {
        uint64_t offset = strtoull(p, (char **)&p, 10), part = strtoull(p, (char **)&p, 10);

        r = digest_content(w, fd, offset, part, err);
        recipe_put_part(&w->recipe, w->path, offset, part);
    }
    tar_header_pad(&w->headers, bytes);
    return r < 0 ? r : put_headers(w, err);
}

/* The first name of a file with several; NULL when it has now been noted as that. */
static int find_link(struct walk *w, const struct stat *st, const char **ret_path,
                     struct err *err) {
    size_t n = strlen(w->path) + 1;
    struct link *link = malloc(sizeof *link + n), **found;

    *ret_path = NULL;
    if (!link)
        return err_nomem(err);
    link->dev = st->st_dev;
    link->ino = st->st_ino;
    memcpy(link->path, w->path, n);
    found = tsearch(link, &w->links, compare_links);
    if (!found || *found != link)
        free(link);
    if (!found)
        return err_nomem(err);
    if (*found != link)
        *ret_path = (*found)->path;
    return 0;
}

static int put_file(struct walk *w, int dir_fd, const char *base, const struct stat *st,
                    struct buf *records, struct err *err) {
    struct tar_header header = header_of(w, st, '0');
    _cleanup_close_ int fd = -1;
    struct stat now;
    int r;

    header.records = records;
    fd = openat(dir_fd, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &now) < 0)
        return err_errno(err, "cannot read '%.200s'", w->path);
    if (!S_ISREG(now.st_mode) || now.st_size != st->st_size)
        return changed(w, err);
    if (st->st_blocks * 512 < st->st_size && lseek(fd, 0, SEEK_HOLE) < st->st_size)
        return put_sparse(w, fd, &header, records, (uint64_t)st->st_size, err);
    header.size = (uint64_t)st->st_size;
    tar_header_encode(&header, &w->headers);
    r = put_headers(w, err);
    if (r == 0 && st->st_size > 0)
        r = digest_content(w, fd, 0, (uint64_t)st->st_size, err);
    recipe_put_file(&w->recipe, w->path, (uint64_t)st->st_size);
    tar_header_pad(&w->headers, (uint64_t)st->st_size);
    return r < 0 ? r : put_headers(w, err);
}

/* --- the walk ----------------------------------------------------------------- */

static int put_link(struct walk *w, int dir_fd, const char *base, const struct stat *st,
                    struct buf *records, struct err *err) {
    struct tar_header header = header_of(w, st, '2');
    char target[PATH_MAX];
    ssize_t n = readlinkat(dir_fd, base, target, sizeof target - 1);

    if (n < 0)
        return err_errno(err, "cannot read the link '%.200s'", w->path);
    target[n] = '\0';
    header.link = target;
    header.records = records;
    tar_header_encode(&header, &w->headers);
    return put_headers(w, err);
}

static int put_plain(struct walk *w, const struct stat *st, char type, const char *link,
                     const struct buf *records, struct err *err) {
    struct tar_header header = header_of(w, st, type);

    header.link = link;
    header.records = records;
    tar_header_encode(&header, &w->headers);
    return put_headers(w, err);
}

static int put_whiteout(struct walk *w, const char *base, const struct stat *st, struct err *err) {
    char path[PATH_MAX + 8];

    snprintf(path, sizeof path, "%.*s.wh.%s", (int)(strlen(w->path) - strlen(base)), w->path, base);
    if (strlen(base) + 4 > NAME_MAX)
        return err_set(err, -ENAMETOOLONG,
                       "'%.200s' was removed, and its name is too long for that to be recorded",
                       w->path);
    return put_marker(w, path, st, err);
}

static int walk_directory(struct walk *w, int dir_fd, size_t length, int depth, struct err *err);

static int put_directory(struct walk *w, int dir_fd, const char *base, const struct stat *st,
                         const struct buf *records, bool opaque, int depth, struct err *err) {
    size_t length = strlen(w->path);
    char marker[PATH_MAX + 16];
    int fd, r;

    if (depth > LAYER_PATH_DEPTH_MAX)
        return err_set(err, -ENAMETOOLONG, "'%.100s...' is more than %d directories deep", w->path,
                       LAYER_PATH_DEPTH_MAX);
    if (length + 2 > sizeof w->path)
        return err_set(err, -ENAMETOOLONG, "'%.100s...' is longer than Linux allows", w->path);
    w->path[length++] = '/';
    w->path[length] = '\0';
    r = put_plain(w, st, '5', NULL, records, err);
    if (r == 0 && opaque) {
        snprintf(marker, sizeof marker, "%s.wh..wh..opq", w->path);
        r = put_marker(w, marker, st, err);
    }
    if (r < 0)
        return r;
    fd = openat(dir_fd, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot read the directory '%.200s'", w->path);
    r = walk_directory(w, fd, length, depth, err);
    close(fd);
    return r;
}

/* Puts the entry @base of @dir_fd, whose path is in @w->path. */
static int put_entry(struct walk *w, int dir_fd, const char *base, int depth, struct err *err) {
    _cleanup_buf_ struct buf records = BUF_INIT;
    const char *first = NULL;
    struct stat st;
    bool opaque;
    int r;

    if (fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, "cannot look at '%.200s'", w->path);
    if (S_ISCHR(st.st_mode) && st.st_rdev == 0)
        return put_whiteout(w, base, &st, err);
    if (str_after(base, ".wh."))
        return err_set(err, -EINVAL, "'%.200s': a name that begins with .wh. means a removal",
                       w->path);
    if (!S_ISDIR(st.st_mode) && st.st_nlink > 1) {
        r = find_link(w, &st, &first, err);
        if (r < 0 || first)
            return r < 0 ? r : put_plain(w, &st, '1', first, NULL, err);
    }
    r = put_attributes(dir_fd, base, &records, &opaque, err);
    if (r < 0)
        return r;
    switch (st.st_mode & S_IFMT) {
    case S_IFDIR:
        return put_directory(w, dir_fd, base, &st, &records, opaque, depth, err);
    case S_IFREG:
        return put_file(w, dir_fd, base, &st, &records, err);
    case S_IFLNK:
        return put_link(w, dir_fd, base, &st, &records, err);
    case S_IFIFO:
        return put_plain(w, &st, '6', NULL, &records, err);
    default:
        return 0;
    }
}

static int list_names(int dir_fd, struct strv *names, struct err *err) {
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    int fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 3);

    dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return err_errno(err, "cannot read a directory");
    }
    while ((errno = 0, entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && strv_push(names, entry->d_name) < 0)
            return err_nomem(err);
    if (errno)
        return err_errno(err, "cannot read a directory");
    if (names->n > 0)
        qsort(names->items, names->n, sizeof *names->items, compare_texts);
    return 0;
}

static int walk_directory(struct walk *w, int dir_fd, size_t length, int depth, struct err *err) {
    _cleanup_strv_ struct strv names = {0};
    int r = list_names(dir_fd, &names, err);

    for (size_t i = 0; r == 0 && i < names.n; i++) {
        size_t n = strlen(names.items[i]);

        w->path[length] = '\0';
        if (length + n + 2 > sizeof w->path)
            return err_set(err, -ENAMETOOLONG, "'%.100s...' is longer than Linux allows", w->path);
        memcpy(w->path + length, names.items[i], n + 1);
        r = put_entry(w, dir_fd, names.items[i], depth + 1, err);
    }
    return r;
}

static int walk_tree(struct walk *w, struct err *err) {
    _cleanup_buf_ struct buf records = BUF_INIT;
    _cleanup_close_ int fd =
        openat(w->tree_fd, ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    bool opaque;
    int r;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "cannot read the layer");
    r = put_attributes(fd, ".", &records, &opaque, err);
    snprintf(w->path, sizeof w->path, "./");
    if (r == 0)
        r = put_plain(w, &st, '5', NULL, &records, err);
    if (r == 0 && opaque)
        r = put_marker(w, ".wh..wh..opq", &st, err);
    if (r == 0)
        r = walk_directory(w, fd, 0, 0, err);
    tar_header_end(&w->headers);
    return r < 0 ? r : put_headers(w, err);
}

int recipe_tree(int tree_fd, int recipe_fd, enum store_owners owners, struct digest *ret_diff,
                uint64_t *ret_bytes, struct err *err) {
    struct walk *w = calloc(1, sizeof *w);
    int r;

    if (!w)
        return err_nomem(err);
    w->tree_fd = tree_fd;
    w->owners = owners;
    recipe_init(&w->recipe, NULL, recipe_fd);
    r = digest_stream_init(&w->digest, DIGEST_SHA256, err);
    if (r == 0)
        r = walk_tree(w, err);
    if (r == 0) {
        digest_stream_final(&w->digest, ret_diff);
        *ret_bytes = w->recipe.offset;
        if (recipe_finish(&w->recipe, ret_diff) < 0)
            r = err_errno(err, "cannot write the layer's recipe");
    }
    tdestroy(w->links, free);
    digest_stream_done(&w->digest);
    recipe_done(&w->recipe);
    buf_done(&w->headers);
    free(w);
    return r;
}
