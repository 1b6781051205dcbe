/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a tar to a tree.  libarchive reads the tar, tree.c knows the
 * directories, and this makes one entry after the other.
 *
 * Nothing is ever written through what an earlier entry left: a file is made
 * with O_EXCL, and what stood in its place is removed first.  The order of the
 * calls on a file is that of the kernel's side effects: chown(2) drops set-id
 * bits and capabilities, so it comes before chmod(2) and the attributes; times
 * come last.
 *
 * libarchive turns PAX names, which are UTF-8, into the locale's encoding and
 * keeps their bytes when that fails.  In the "C" locale it always fails for
 * what is not ASCII; so names arrive as the bytes that they are, and the
 * warnings mean nothing.
 */
#include "unpack.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "lazy_archive.h"
#include "recipe.h"
#include "tree.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <sys/xattr.h>

/* struct unpack - one layer that is being written; @source_err is what its source said */
struct unpack {
    const struct lazy_archive *la;
    const struct unpack_source *source;
    struct archive *archive;
    enum store_owners owners;
    uid_t own_uid;
    gid_t own_gid;
    struct tree tree;
    struct unpack_count *count;
    struct err source_err;
};

static ssize_t read_callback(struct archive *archive, void *context, const void **ret_data) {
    struct unpack *u = context;
    ssize_t n = u->source->read(u->source->context, ret_data, &u->source_err);

    if (n < 0) {
        u->la->archive_set_error(archive, EIO, "%s", "the source failed");
        return ARCHIVE_FATAL;
    }
    return n;
}

/* What libarchive has to say, or what the source said before it. */
static int archive_failed(const struct unpack *u, struct err *err) {
    const char *text = u->la->archive_error_string(u->archive);

    if (u->source_err.code < 0)
        return err_set(err, u->source_err.code, "%s", u->source_err.message);
    return err_set(err, -EBADMSG, "the tar is damaged or cut short (%s)",
                   text ? text : "no details");
}

static int set_owner(const struct unpack *u, struct archive_entry *entry, int dir_fd,
                     const char *base, int flags, struct err *err) {
    int64_t uid = u->la->archive_entry_uid(entry), gid = u->la->archive_entry_gid(entry);

    if (u->owners == STORE_OWNERS_SINGLE)
        return 0;
    if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
        return err_set(err, -EINVAL, "'%.200s' belongs to an impossible number",
                       u->la->archive_entry_pathname(entry));
    /* New files are the maker's, since no directory has the set-group-ID bit yet. */
    if ((uid_t)uid == u->own_uid && (gid_t)gid == u->own_gid)
        return 0;
    if (fchownat(dir_fd, base, (uid_t)uid, (gid_t)gid, flags) == 0)
        return 0;
    if (errno == EINVAL && u->owners == STORE_OWNERS_SUBUID)
        return err_set(err, -EINVAL,
                       "'%.200s' belongs to %lld:%lld, which has no number here; give the user a "
                       "range of more than %lld in /etc/subuid and /etc/subgid",
                       u->la->archive_entry_pathname(entry), (long long)uid, (long long)gid,
                       (long long)(uid > gid ? uid : gid));
    return err_errno(err, "cannot set the owner of '%.200s'", u->la->archive_entry_pathname(entry));
}

bool unpack_takes_xattr(const char *name) {
    return !str_after(name, "user.overlay.") && !str_after(name, "trusted.overlay.") &&
           !str_eq(name, "user.overlay") && !str_eq(name, "trusted.overlay");
}

static int set_xattrs(const struct unpack *u, struct archive_entry *entry, int parent_fd,
                      const char *base, struct err *err) {
    char path[64 + NAME_MAX];
    const char *name;
    const void *value;
    size_t size;

    if (u->la->archive_entry_xattr_count(entry) == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", parent_fd, base);
    u->la->archive_entry_xattr_reset(entry);
    while (u->la->archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        if (!name || !unpack_takes_xattr(name) || lsetxattr(path, name, value, size, 0) == 0)
            continue;
        if (errno == ENOSPC || errno == EDQUOT || errno == EIO)
            return err_errno(err, "cannot set an attribute of '%.200s'",
                             u->la->archive_entry_pathname(entry));
        u->count->n_xattrs++;
    }
    return 0;
}

static struct timespec entry_mtime(const struct unpack *u, struct archive_entry *entry) {
    return (struct timespec){
        .tv_sec = u->la->archive_entry_mtime(entry),
        .tv_nsec = u->la->archive_entry_mtime_nsec(entry),
    };
}

static int set_times(const struct unpack *u, struct archive_entry *entry, int dir_fd,
                     const char *base, struct err *err) {
    struct timespec mtime = entry_mtime(u, entry), times[2] = {mtime, mtime};

    if ((base ? utimensat(dir_fd, base, times, AT_SYMLINK_NOFOLLOW) : futimens(dir_fd, times)) < 0)
        return err_errno(err, "cannot set the time of '%.200s'",
                         u->la->archive_entry_pathname(entry));
    return 0;
}

/* Copies an entry's content; holes stay holes. */
static int write_content(const struct unpack *u, struct archive_entry *entry, int fd,
                         struct err *err) {
    int64_t size = u->la->archive_entry_size(entry), end = 0, offset;
    const void *data;
    size_t n;
    int r;

    while ((r = u->la->archive_read_data_block(u->archive, &data, &n, &offset)) == ARCHIVE_OK ||
           r == ARCHIVE_WARN) {
        if (offset < 0 || offset > INT64_MAX - (int64_t)n)
            return err_set(err, -EBADMSG, "the tar is damaged: a file's part has no place");
        while (n > 0) {
            ssize_t written = pwrite(fd, data, n, offset);

            if (written < 0 && errno == EINTR)
                continue;
            if (written < 0)
                return err_errno(err, "cannot write '%.200s'",
                                 u->la->archive_entry_pathname(entry));
            data = (const char *)data + written;
            offset += written;
            n -= (size_t)written;
        }
        if (offset > end)
            end = offset;
    }
    if (r != ARCHIVE_EOF)
        return archive_failed(u, err);
    if (end < size && ftruncate(fd, size) < 0)
        return err_errno(err, "cannot write '%.200s'", u->la->archive_entry_pathname(entry));
    return 0;
}

/* Of a sparse file the tar holds something else than what will be in the file. */
static int note_content(const struct unpack *u, struct archive_entry *entry, const char *path,
                        struct err *err) {
    int64_t size = u->la->archive_entry_size(entry);
    int64_t offset = u->la->archive_filter_bytes(u->archive, 0);

    if (!u->source->recipe || size <= 0 || offset < 0 ||
        u->la->archive_entry_sparse_count(entry) > 0)
        return 0;
    if (recipe_note_file(u->source->recipe, (uint64_t)offset, (uint64_t)size, path) < 0)
        return err_nomem(err);
    return 0;
}

static int make_file(struct unpack *u, struct archive_entry *entry, const char *path, int parent_fd,
                     struct err *err) {
    const char *base = layer_path_base(path);
    const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    bool has_xattrs = u->la->archive_entry_xattr_count(entry) > 0;
    mode_t mode = u->la->archive_entry_perm(entry) & 07777;
    /* Attributes need a file that can be written to; set-id bits would not outlive chown(2). */
    mode_t first = has_xattrs || (mode & 07000) ? 0600 : mode;
    _cleanup_close_ int fd = openat(parent_fd, base, flags, first);
    int r;

    if (fd < 0 && errno == EEXIST) {
        r = tree_clear(&u->tree, parent_fd, base, err);
        if (r < 0)
            return r;
        fd = openat(parent_fd, base, flags, first);
    }
    if (fd < 0)
        return err_errno(err, "cannot make '%.200s'", u->la->archive_entry_pathname(entry));
    r = note_content(u, entry, path, err);
    if (r == 0)
        r = write_content(u, entry, fd, err);
    if (r < 0)
        return r;
    r = set_owner(u, entry, fd, "", AT_EMPTY_PATH, err);
    if (r < 0)
        return r;
    if (has_xattrs) {
        r = set_xattrs(u, entry, parent_fd, base, err);
        if (r < 0)
            return r;
    }
    if (first != mode && fchmod(fd, mode) < 0)
        return err_errno(err, "cannot set the mode of '%.200s'",
                         u->la->archive_entry_pathname(entry));
    return set_times(u, entry, fd, NULL, err);
}

static int make_directory(struct unpack *u, struct archive_entry *entry, const char *path,
                          int parent_fd, struct err *err) {
    const char *base = *path ? layer_path_base(path) : ".";
    struct tree_dir dir = {
        .path = (char *)path,
        .mode = u->la->archive_entry_perm(entry) & 07777,
        .uid = (uid_t)-1,
        .gid = (gid_t)-1,
        .mtime = entry_mtime(u, entry),
    };
    int r;

    if (*path) {
        r = tree_mkdir(&u->tree, parent_fd, base, err);
        if (r < 0)
            return r;
    }
    /* Now, though the mode comes later: an owner that cannot be is told here by its name. */
    r = set_owner(u, entry, parent_fd, base, AT_SYMLINK_NOFOLLOW, err);
    if (r < 0)
        return r;
    if (u->owners != STORE_OWNERS_SINGLE) {
        dir.uid = (uid_t)u->la->archive_entry_uid(entry);
        dir.gid = (gid_t)u->la->archive_entry_gid(entry);
    }
    r = set_xattrs(u, entry, parent_fd, base, err);
    return r < 0 ? r : tree_note_dir(&u->tree, &dir, err);
}

static int make_symlink(struct unpack *u, struct archive_entry *entry, int parent_fd,
                        const char *base, struct err *err) {
    const char *target = u->la->archive_entry_symlink(entry);
    int r;

    if (!target || !*target)
        return err_set(err, -EBADMSG, "the link '%.200s' has no target",
                       u->la->archive_entry_pathname(entry));
    r = sys_symlinkat(target, parent_fd, base);
    if (r < 0 && errno == EEXIST) {
        r = tree_clear(&u->tree, parent_fd, base, err);
        if (r < 0)
            return r;
        r = sys_symlinkat(target, parent_fd, base);
    }
    if (r < 0)
        return err_errno(err, "cannot make the link '%.200s'",
                         u->la->archive_entry_pathname(entry));
    r = set_owner(u, entry, parent_fd, base, AT_SYMLINK_NOFOLLOW, err);
    if (r == 0)
        r = set_xattrs(u, entry, parent_fd, base, err);
    return r < 0 ? r : set_times(u, entry, parent_fd, base, err);
}

static int make_fifo(struct unpack *u, struct archive_entry *entry, int parent_fd, const char *base,
                     struct err *err) {
    mode_t mode = u->la->archive_entry_perm(entry) & 07777;
    int r = tree_clear(&u->tree, parent_fd, base, err);

    if (r < 0)
        return r;
    if (sys_mknodat(parent_fd, base, S_IFIFO | mode, 0) < 0)
        return err_errno(err, "cannot make the FIFO '%.200s'",
                         u->la->archive_entry_pathname(entry));
    r = set_owner(u, entry, parent_fd, base, AT_SYMLINK_NOFOLLOW, err);
    if (r == 0 && (mode & 07000) && fchmodat(parent_fd, base, mode, 0) < 0)
        r = err_errno(err, "cannot set the mode of '%.200s'", u->la->archive_entry_pathname(entry));
    return r < 0 ? r : set_times(u, entry, parent_fd, base, err);
}

static bool is_same_file(int a_fd, const char *a, int b_fd, const char *b) {
    struct stat x, y;

    return fstatat(a_fd, a, &x, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(b_fd, b, &y, AT_SYMLINK_NOFOLLOW) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

/* Links to a file of this layer, by either name not through a link at its end. */
static int make_hardlink(struct unpack *u, struct archive_entry *entry, const char *path,
                         struct err *err) {
    const char *name = u->la->archive_entry_pathname(entry), *base = layer_path_base(path);
    const char *target_base;
    char target[PATH_MAX];
    _cleanup_close_ int target_fd = -1;
    int parent_fd, r;

    r = layer_path_normalize(u->la->archive_entry_hardlink(entry), target, err);
    if (r < 0)
        return r;
    if (r == 0)
        return err_set(err, -EINVAL, "'%.200s' is a hard link to the layer's root", name);
    parent_fd = tree_parent(&u->tree, target, err);
    if (parent_fd < 0)
        return parent_fd;
    target_base = layer_path_base(target);
    target_fd = fcntl(parent_fd, F_DUPFD_CLOEXEC, 0);
    parent_fd = tree_parent(&u->tree, path, err);
    if (target_fd < 0 || parent_fd < 0)
        return parent_fd < 0 ? parent_fd : err_errno(err, "cannot make '%.200s'", name);
    if (sys_linkat(target_fd, target_base, parent_fd, base, 0) == 0)
        return 0;
    if (errno == EEXIST) {
        if (is_same_file(target_fd, target_base, parent_fd, base))
            return 0;
        r = tree_clear(&u->tree, parent_fd, base, err);
        if (r < 0)
            return r;
        if (sys_linkat(target_fd, target_base, parent_fd, base, 0) == 0)
            return 0;
    }
    if (errno == ENOENT)
        return err_set(err, -ENOENT, "'%.150s' is a hard link to '%.150s', which the layer has not",
                       name, target);
    return err_errno(err, "cannot make the hard link '%.200s'", name);
}

/*
 * Does what a whiteout says; 1 when the entry is none.  It is about the layers
 * below, where its path has no links of this layer in it: what lies behind one
 * is hidden already.
 */
static int apply_whiteout(struct unpack *u, const char *path, struct err *err) {
    const char *target = NULL;
    int kind = layer_path_classify(layer_path_base(path), &target), parent_fd;

    if (kind == LAYER_NAME_PLAIN)
        return 1;
    if (kind == LAYER_NAME_RESERVED)
        return 0;
    if (kind < 0)
        return err_set(err, -EINVAL, "'%.200s' is a whiteout of nothing", path);
    u->tree.literal = true;
    parent_fd = tree_parent(&u->tree, path, err);
    u->tree.literal = false;
    if (parent_fd < 0)
        return parent_fd == -ELOOP ? 0 : parent_fd;
    return kind == LAYER_NAME_OPAQUE ? tree_set_opaque(parent_fd, ".", err)
                                     : tree_whiteout(&u->tree, parent_fd, target, err);
}

static int unpack_entry(struct unpack *u, struct archive_entry *entry, struct err *err) {
    const char *name = u->la->archive_entry_pathname(entry);
    mode_t type = u->la->archive_entry_filetype(entry);
    const char *base;
    char path[PATH_MAX];
    int parent_fd, r;

    if (!name)
        return err_set(err, -EBADMSG, "an entry has no name");
    r = layer_path_normalize(name, path, err);
    if (r < 0)
        return r;
    if (r == 0) {
        if (type != S_IFDIR || u->la->archive_entry_hardlink(entry))
            return err_set(err, -EINVAL, "the layer's root ('%.100s') is no directory", name);
        return make_directory(u, entry, path, u->tree.root_fd, err);
    }
    r = apply_whiteout(u, path, err);
    if (r <= 0)
        return r;
    if (u->la->archive_entry_hardlink(entry))
        return make_hardlink(u, entry, path, err);
    parent_fd = tree_parent(&u->tree, path, err);
    if (parent_fd < 0)
        return parent_fd;
    base = layer_path_base(path);
    switch (type) {
    case S_IFDIR:
        return make_directory(u, entry, path, parent_fd, err);
    case S_IFREG:
        return make_file(u, entry, path, parent_fd, err);
    case S_IFLNK:
        return make_symlink(u, entry, parent_fd, base, err);
    case S_IFIFO:
        return make_fifo(u, entry, parent_fd, base, err);
    default:
        u->count->n_devices++;
        return 0;
    }
}

static int unpack_entries(struct unpack *u, struct err *err) {
    for (;;) {
        struct archive_entry *entry;
        int r = u->la->archive_read_next_header(u->archive, &entry);

        if (r == ARCHIVE_EOF)
            break;
        if (r != ARCHIVE_OK && r != ARCHIVE_WARN)
            return archive_failed(u, err);
        if (++u->count->n_entries > UNPACK_ENTRIES_MAX)
            return err_set(err, -EFBIG, "more than %d entries", UNPACK_ENTRIES_MAX);
        r = unpack_entry(u, entry, err);
        if (r < 0)
            return r;
    }
    return tree_finish(&u->tree, err);
}

static int unpack_with(void *argument, struct err *err) {
    struct unpack *u = argument;
    int r;

    u->archive = u->la->archive_read_new();
    if (!u->archive)
        return err_nomem(err);
    if (u->la->archive_read_support_format_tar(u->archive) < ARCHIVE_WARN ||
        u->la->archive_read_open(u->archive, u, NULL, read_callback, NULL) != ARCHIVE_OK)
        r = archive_failed(u, err);
    else
        r = unpack_entries(u, err);
    u->la->archive_read_free(u->archive);
    return r;
}

int unpack_in_locale(int (*function)(void *argument, struct err *err), void *argument,
                     struct err *err) {
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0), before;
    int r;

    if (c == (locale_t)0)
        return err_nomem(err);
    before = uselocale(c);
    r = function(argument, err);
    uselocale(before);
    freelocale(c);
    return r;
}

int unpack_layer(const struct unpack_source *source, int root_fd, enum store_owners owners,
                 struct unpack_count *ret_count, struct err *err) {
    const struct lazy_archive *la = lazy_archive(err);
    struct unpack *u;
    int r;

    *ret_count = (struct unpack_count){0};
    if (!la)
        return -ENOENT;
    u = calloc(1, sizeof *u);
    if (!u)
        return err_nomem(err);
    u->la = la;
    u->source = source;
    u->owners = owners;
    u->own_uid = geteuid();
    u->own_gid = getegid();
    u->count = ret_count;
    tree_init(&u->tree, root_fd);
    u->tree.implied = &ret_count->implied;
    r = unpack_in_locale(unpack_with, u, err);
    if (source->recipe && u->tree.replaced)
        recipe_note_loss(source->recipe);
    tree_done(&u->tree);
    free(u);
    return r;
}
