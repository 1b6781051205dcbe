/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What unpack.c made of a tar's entries, looked at again.  A tar that replaces
 * its own entries has no recipe and does not come here; only directories may be
 * named several times, and of those the last entry counts, so they are kept until
 * the end.
 */
#include "layer_check.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "layer_path.h"
#include "lazy_archive.h"
#include "tree.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

/* struct layer_check - one layer that is looked at; @parent_path is what @parent_fd is of */
struct layer_check {
    const struct lazy_archive *la;
    const struct unpack_source *source;
    struct archive *archive;
    enum store_owners owners;
    int tree_fd;
    int parent_fd;
    char parent_path[PATH_MAX];
    struct tree_dir *dirs;
    size_t n_dirs;
    struct err source_err;
};

/* What an entry says of itself. */
struct wanted {
    mode_t mode; /* with its kind */
    int64_t uid;
    int64_t gid;
    int64_t mtime;
    int64_t size; /* of a file; -1: no matter */
};

static ssize_t read_callback(struct archive *archive, void *context, const void **ret_data) {
    struct layer_check *c = context;
    ssize_t n = c->source->read(c->source->context, ret_data, &c->source_err);

    if (n < 0)
        c->la->archive_set_error(archive, EIO, "%s", "the source failed");
    return n < 0 ? ARCHIVE_FATAL : n;
}

/* The directory that an entry is in, lent. */
static int open_parent(struct layer_check *c, const char *path) {
    size_t n = (size_t)(layer_path_base(path) - path);
    int fd;

    if (c->parent_fd >= 0 && strlen(c->parent_path) == n && memcmp(c->parent_path, path, n) == 0)
        return c->parent_fd;
    if (c->parent_fd >= 0)
        close(take_fd(c->parent_fd));
    memcpy(c->parent_path, path, n);
    c->parent_path[n] = '\0';
    fd = fd_open_in_root(c->tree_fd, n > 0 ? c->parent_path : ".", O_PATH | O_DIRECTORY, 0);
    c->parent_fd = fd;
    return fd;
}

static int look(struct layer_check *c, const char *path, struct stat *ret_st) {
    int fd = open_parent(c, path);
    const char *base = *path ? layer_path_base(path) : ".";

    if (fd < 0)
        return fd;
    return fstatat(fd, base, ret_st, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int is_lacking(const char *path, int r, struct err *err) {
    if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
        return err_set(err, -EBADMSG, "'%.200s' is not there", path);
    return err_set(err, r, "cannot look at '%.200s': %s", path, strerror(-r));
}

static int compare(struct layer_check *c, const char *path, const struct wanted *wanted,
                   struct err *err) {
    struct stat st;
    int r = look(c, path, &st);
    const char *name = *path ? path : ".";

    if (r < 0)
        return is_lacking(name, r, err);
    if ((st.st_mode & S_IFMT) != (wanted->mode & S_IFMT))
        return err_set(err, -EBADMSG, "'%.200s' is something else than it was", name);
    if (!S_ISLNK(st.st_mode) && (st.st_mode & 07777) != (wanted->mode & 07777))
        return err_set(err, -EBADMSG, "'%.200s' has the mode %03o where it had %03o", name,
                       (unsigned)st.st_mode & 07777, (unsigned)wanted->mode & 07777);
    if (c->owners != STORE_OWNERS_SINGLE &&
        ((int64_t)st.st_uid != wanted->uid || (int64_t)st.st_gid != wanted->gid))
        return err_set(err, -EBADMSG,
                       "'%.200s' belongs to %u:%u where it belonged to %" PRId64 ":%" PRId64, name,
                       st.st_uid, st.st_gid, wanted->uid, wanted->gid);
    if (wanted->size >= 0 && S_ISREG(st.st_mode) && st.st_size != wanted->size)
        return err_set(err, -EBADMSG, "'%.200s' has %jd bytes where there were %" PRId64, name,
                       (intmax_t)st.st_size, wanted->size);
    /* What no file system has a place for became the nearest that it has. */
    if (wanted->mtime >= 0 && wanted->mtime <= INT32_MAX && st.st_mtime != wanted->mtime)
        return err_set(err, -EBADMSG, "'%.200s' has another time than it had", name);
    return 0;
}

/* What a container would see; other attributes are this machine's, or nobody here could set them.
 */
static bool is_compared(const struct layer_check *c, const char *name) {
    return (str_after(name, "user.") && unpack_takes_xattr(name)) ||
           (c->owners != STORE_OWNERS_SINGLE && str_eq(name, "security.capability"));
}

static int check_xattr(const char *place, const char *path, const char *name, const void *value,
                       size_t size, struct err *err) {
    char found[4096];
    ssize_t n = lgetxattr(place, name, found, sizeof found);

    /* A file system without attributes has kept none. */
    if ((n < 0 && errno != ENODATA && errno != ERANGE) || size > sizeof found ||
        (n == (ssize_t)size && memcmp(found, value, size) == 0))
        return 0;
    return err_set(err, -EBADMSG, "'%.150s' has the attribute %.100s %s", path, name,
                   n < 0 && errno == ENODATA ? "no more" : "with another value");
}

static bool has_xattr(const struct layer_check *c, struct archive_entry *entry,
                      const char *wanted) {
    const char *name;
    const void *value;
    size_t size;

    c->la->archive_entry_xattr_reset(entry);
    while (c->la->archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
        if (name && str_eq(name, wanted))
            return true;
    return false;
}

/* Of a directory only those that it had: another entry may have given it more. */
static int check_xattrs(struct layer_check *c, struct archive_entry *entry, const char *path,
                        bool is_dir, struct err *err) {
    int parent_fd = open_parent(c, path), r = 0;
    char place[64 + NAME_MAX], names[4096];
    const char *name;
    const void *value;
    size_t size;
    ssize_t n;

    if (parent_fd < 0)
        return is_lacking(path, parent_fd, err);
    snprintf(place, sizeof place, "/proc/self/fd/%d/%s", parent_fd,
             *path ? layer_path_base(path) : ".");
    c->la->archive_entry_xattr_reset(entry);
    while (r == 0 && c->la->archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
        if (name && is_compared(c, name))
            r = check_xattr(place, path, name, value, size, err);
    n = r < 0 || is_dir ? 0 : llistxattr(place, names, sizeof names);
    for (name = names; r == 0 && n > 0 && name < names + n; name += strlen(name) + 1)
        if (is_compared(c, name) && !has_xattr(c, entry, name))
            r = err_set(err, -EBADMSG, "'%.150s' has the attribute %.100s, which it had not", path,
                        name);
    return r;
}

static int note_dir(struct layer_check *c, const char *path, const struct wanted *wanted,
                    struct err *err) {
    struct tree_dir *dirs = reallocarray(c->dirs, c->n_dirs + 1, sizeof *dirs), *dir;

    if (!dirs)
        return err_nomem(err);
    c->dirs = dirs;
    dir = &dirs[c->n_dirs];
    *dir = (struct tree_dir){.path = strdup(path),
                             .index = c->n_dirs,
                             .mode = wanted->mode,
                             .uid = (uid_t)wanted->uid,
                             .gid = (gid_t)wanted->gid,
                             .mtime = {.tv_sec = wanted->mtime}};
    if (!dir->path)
        return err_nomem(err);
    c->n_dirs++;
    return 0;
}

static int check_hardlink(struct layer_check *c, const char *path, const char *link,
                          struct err *err) {
    char target[PATH_MAX];
    struct stat a, b;
    int r = layer_path_normalize(link, target, err);

    if (r < 0)
        return r;
    r = look(c, target, &a);
    if (r == 0)
        r = look(c, path, &b);
    if (r < 0)
        return is_lacking(path, r, err);
    if (a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return err_set(err, -EBADMSG, "'%.150s' is no hard link to '%.150s' any more", path,
                       target);
    return 0;
}

static int check_symlink(struct layer_check *c, const char *path, const char *link,
                         struct err *err) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(c->parent_fd, layer_path_base(path), target, sizeof target);

    if (!link || n != (ssize_t)strlen(link) || memcmp(link, target, (size_t)n) != 0)
        return err_set(err, -EBADMSG, "the link '%.200s' leads elsewhere than it did", path);
    return 0;
}

/* Return: 1 when the entry is none.  What lies behind a link of the layer was passed over. */
static int check_whiteout(struct layer_check *c, const char *path, struct err *err) {
    const char *target = NULL;
    int kind = layer_path_classify(layer_path_base(path), &target), n;
    char parent[PATH_MAX];
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (kind == LAYER_NAME_PLAIN)
        return 1;
    if (kind != LAYER_NAME_WHITEOUT)
        return 0;
    n = (int)(layer_path_base(path) - path);
    snprintf(parent, sizeof parent, "%.*s", n, path);
    fd = fd_open_beneath(c->tree_fd, n > 0 ? parent : ".", O_PATH | O_DIRECTORY, 0);
    if (fd >= 0 && fstatat(fd, target, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return err_set(err, -EBADMSG, "the whiteout of '%.*s%.200s' is not there", n, path, target);
    return 0;
}

static int check_entry(struct layer_check *c, struct archive_entry *entry, struct err *err) {
    const char *name = c->la->archive_entry_pathname(entry);
    const char *link = c->la->archive_entry_hardlink(entry);
    mode_t type = c->la->archive_entry_filetype(entry);
    struct wanted wanted = {
        .mode = type | (c->la->archive_entry_perm(entry) & 07777),
        .uid = c->la->archive_entry_uid(entry),
        .gid = c->la->archive_entry_gid(entry),
        .mtime = c->la->archive_entry_mtime(entry),
        .size = type == S_IFREG ? c->la->archive_entry_size(entry) : -1,
    };
    char path[PATH_MAX];
    int r = name ? layer_path_normalize(name, path, err) : -EBADMSG;

    if (r > 0) {
        r = check_whiteout(c, path, err);
        if (r <= 0)
            return r;
    }
    if (r < 0)
        return name ? r : err_set(err, r, "an entry has no name");
    if (link)
        return check_hardlink(c, path, link, err);
    switch (type) {
    case S_IFDIR:
        r = check_xattrs(c, entry, path, true, err);
        return r < 0 ? r : note_dir(c, path, &wanted, err);
    case S_IFREG:
    case S_IFIFO:
        r = compare(c, path, &wanted, err);
        return r < 0 ? r : check_xattrs(c, entry, path, false, err);
    case S_IFLNK:
        r = compare(c, path, &wanted, err);
        return r < 0 ? r : check_symlink(c, path, c->la->archive_entry_symlink(entry), err);
    default: /* left out */
        return 0;
    }
}

/* By path, of one path the last first. */
static int compare_dirs(const void *a, const void *b) {
    const struct tree_dir *x = a, *y = b;
    int r = strcmp(x->path, y->path);

    return r != 0 ? r : x->index < y->index ? 1 : -1;
}

static int check_dirs(struct layer_check *c, struct err *err) {
    int r = 0;

    if (c->n_dirs > 0)
        qsort(c->dirs, c->n_dirs, sizeof *c->dirs, compare_dirs);
    for (size_t i = 0; r == 0 && i < c->n_dirs; i++) {
        const struct tree_dir *dir = &c->dirs[i];
        const struct wanted wanted = {
            .mode = dir->mode,
            .uid = dir->uid,
            .gid = dir->gid,
            .mtime = dir->mtime.tv_sec,
            .size = -1,
        };

        if (i == 0 || !str_eq(dir->path, c->dirs[i - 1].path))
            r = compare(c, dir->path, &wanted, err);
    }
    return r;
}

static int check_entries(struct layer_check *c, struct err *err) {
    struct archive_entry *entry;
    int r, checked;

    if (c->la->archive_read_support_format_tar(c->archive) < ARCHIVE_WARN ||
        c->la->archive_read_open(c->archive, c, NULL, read_callback, NULL) != ARCHIVE_OK)
        r = ARCHIVE_FATAL;
    else
        while ((r = c->la->archive_read_next_header(c->archive, &entry)) == ARCHIVE_OK ||
               r == ARCHIVE_WARN) {
            checked = check_entry(c, entry, err);
            if (checked < 0)
                return checked;
        }
    if (c->source_err.code < 0)
        return err_set(err, c->source_err.code, "%s", c->source_err.message);
    return r == ARCHIVE_EOF ? check_dirs(c, err)
                            : err_set(err, -EBADMSG, "its tar cannot be read any more");
}

static int check(void *argument, struct err *err) {
    struct layer_check *c = argument;
    int r;

    c->archive = c->la->archive_read_new();
    if (!c->archive)
        return err_nomem(err);
    r = check_entries(c, err);
    c->la->archive_read_free(c->archive);
    return r;
}

int layer_check(const struct unpack_source *source, int tree_fd, enum store_owners owners,
                struct err *err) {
    struct layer_check *c = calloc(1, sizeof *c);
    int r;

    if (!c)
        return err_nomem(err);
    c->la = lazy_archive(err);
    c->source = source;
    c->owners = owners;
    c->tree_fd = tree_fd;
    c->parent_fd = -1;
    r = c->la ? unpack_in_locale(check, c, err) : -ENOENT;
    if (c->parent_fd >= 0)
        close(c->parent_fd);
    for (size_t i = 0; i < c->n_dirs; i++)
        free(c->dirs[i].path);
    free(c->dirs);
    free(c);
    return r;
}
