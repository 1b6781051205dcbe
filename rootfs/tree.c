/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a tree without walking paths.  The descriptors of the directory that
 * was written to last, and of those above it, are kept; since archives list a
 * directory's entries together, most entries then cost no look-up at all.
 *
 * Each part is opened by itself and not through a link, so nothing leads out
 * of the tree.  Where the layer has a symbolic link for a directory and then
 * entries "below" it, the link is followed as a process chrooted into the tree
 * would (openat2(2), RESOLVE_IN_ROOT): that is what the entry's author saw.
 *
 * Directories get their mode, owner and times at the end: a mode may forbid
 * writing, and each new entry changes the time.
 */
#include "tree.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/xattr.h>

#define OPEN_DIR (O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

void tree_init(struct tree *tree, int root_fd) {
    tree->root_fd = root_fd;
    tree->depth = 0;
    tree->dirs = NULL;
    tree->n_dirs = tree->dirs_capacity = 0;
    tree->implied = NULL;
    tree->literal = tree->linked = tree->replaced = false;
}

/* Closes the kept descriptors below the first @depth. */
static void truncate_to(struct tree *tree, size_t depth) {
    while (tree->depth > depth)
        close(tree->fds[--tree->depth]);
}

void tree_done(struct tree *tree) {
    truncate_to(tree, 0);
    for (size_t i = 0; i < tree->n_dirs; i++)
        free(tree->dirs[i].path);
    free(tree->dirs);
    tree->dirs = NULL;
    tree->n_dirs = 0;
}

int tree_set_opaque(int dir_fd, const char *name, struct err *err) {
    char path[64 + NAME_MAX];

    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", dir_fd, name);
    if (lsetxattr(path, "user.overlay.opaque", "y", 1, 0) < 0)
        return err_errno(err,
                         "cannot mark '%.100s' as opaque; the store needs a file system with "
                         "user.* attributes (ext4, xfs, btrfs)",
                         name);
    return 0;
}

static bool is_whiteout(const struct stat *st) {
    return S_ISCHR(st->st_mode) && st->st_rdev == 0;
}

/* Opens the directory that a link leads to, inside the tree; makes it if it is missing. */
static int open_through_link(struct tree *tree, int dir_fd, const char *path, const char *base,
                             struct err *err) {
    char target[PATH_MAX], full[2 * PATH_MAX];
    ssize_t n;
    int fd = fd_open_in_root(tree->root_fd, path, O_PATH | O_DIRECTORY, 0);

    if (fd == -ENOENT) {
        n = readlinkat(dir_fd, base, target, sizeof target - 1);
        if (n > 0) {
            target[n] = '\0';
            snprintf(full, sizeof full, "%.*s%s",
                     *target == '/' ? 0 : (int)(layer_path_base(path) - path), path, target);
            fd = fd_mkdir_in_root(tree->root_fd, full, 0755, (uid_t)-1, (gid_t)-1);
        }
    }
    if (fd < 0)
        return err_set(err, fd,
                       "'%.200s' is a link that leads to no directory of the image, yet has "
                       "entries below it",
                       path);
    return fd;
}

/* Opens the directory @path, whose last part is @base in @dir_fd; makes it if it is missing. */
static int open_part(struct tree *tree, int dir_fd, const char *path, const char *base,
                     struct err *err) {
    int fd = openat(dir_fd, base, OPEN_DIR);
    struct stat st;

    if (fd >= 0)
        return fd;
    if (errno == ENOENT) {
        if (sys_mkdirat(dir_fd, base, 0755) < 0)
            return err_errno(err, "cannot make '%.200s'", path);
        if (tree->implied && strv_push(tree->implied, path) < 0)
            return err_nomem(err);
    } else if (errno != ENOTDIR || fstatat(dir_fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, "cannot open '%.200s'", path);
    else if (tree->literal && !is_whiteout(&st))
        return -ELOOP;
    else if (S_ISLNK(st.st_mode)) {
        tree->linked = true;
        return open_through_link(tree, dir_fd, path, base, err);
    } else if (is_whiteout(&st)) {
        int r = tree_mkdir(tree, dir_fd, base, err);

        if (r < 0)
            return r;
        if (fchmodat(dir_fd, base, 0755, 0) < 0)
            return err_errno(err, "cannot set the mode of '%.200s'", path);
    } else
        return err_set(err, -ENOTDIR, "'%.200s' is no directory, yet has entries below it", path);
    fd = openat(dir_fd, base, OPEN_DIR);
    return fd < 0 ? err_errno(err, "cannot open '%.200s'", path) : fd;
}

int tree_parent(struct tree *tree, const char *path, struct err *err) {
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0, kept = 0;

    while (kept < tree->depth && tree->ends[kept] <= n &&
           (path[tree->ends[kept]] == '/' || tree->ends[kept] == n) &&
           memcmp(path, tree->path, tree->ends[kept]) == 0)
        kept++;
    if (tree->literal && tree->linked)
        kept = 0;
    truncate_to(tree, kept);
    tree->linked = tree->linked && kept > 0;
    memcpy(tree->path, path, n);
    while (n > 0 && (tree->depth == 0 || tree->ends[tree->depth - 1] < n)) {
        size_t start = tree->depth ? tree->ends[tree->depth - 1] + 1 : 0;
        size_t end = start + strcspn(path + start, "/");
        int above = tree->depth ? tree->fds[tree->depth - 1] : tree->root_fd, fd;

        tree->path[end] = '\0';
        fd = open_part(tree, above, tree->path, tree->path + start, err);
        if (fd < 0)
            return fd;
        tree->path[end] = '/';
        tree->ends[tree->depth] = end;
        tree->fds[tree->depth++] = fd;
    }
    return tree->depth ? tree->fds[tree->depth - 1] : tree->root_fd;
}

int tree_clear(struct tree *tree, int parent_fd, const char *base, struct err *err) {
    int r;

    if (sys_unlinkat(parent_fd, base, 0) == 0) {
        tree->replaced = true;
        return 0;
    }
    if (errno == ENOENT)
        return 0;
    tree->replaced = true;
    r = fd_remove_tree(parent_fd, base);
    if (r < 0)
        return err_set(err, r, "cannot replace '%.200s': %s", base, strerror(-r));
    /* A kept descriptor may now be of a directory that is no more; only the parent is lent. */
    while (tree->depth > 0 && tree->fds[tree->depth - 1] != parent_fd)
        close(tree->fds[--tree->depth]);
    return 0;
}

int tree_mkdir(struct tree *tree, int parent_fd, const char *base, struct err *err) {
    bool hid, replaced = tree->replaced;
    struct stat st;
    int r;

    if (sys_mkdirat(parent_fd, base, 0700) == 0)
        return 0;
    if (errno != EEXIST || fstatat(parent_fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, "cannot make the directory '%.200s'", base);
    if (S_ISDIR(st.st_mode))
        return 0;
    hid = is_whiteout(&st);
    r = tree_clear(tree, parent_fd, base, err);
    if (r < 0)
        return r;
    if (sys_mkdirat(parent_fd, base, 0700) < 0)
        return err_errno(err, "cannot make the directory '%.200s'", base);
    if (!hid)
        return 0;
    tree->replaced = replaced; /* no content was lost */
    return tree_set_opaque(parent_fd, base, err);
}

int tree_whiteout(struct tree *tree, int parent_fd, const char *base, struct err *err) {
    struct stat st;

    (void)tree;
    if (sys_mknodat(parent_fd, base, S_IFCHR | 0600, 0) == 0)
        return 0;
    if (errno != EEXIST || fstatat(parent_fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, "cannot make a whiteout of '%.200s'", base);
    return S_ISDIR(st.st_mode) ? tree_set_opaque(parent_fd, base, err) : 0;
}

int tree_note_dir(struct tree *tree, const struct tree_dir *dir, struct err *err) {
    struct tree_dir *note;

    if (tree->n_dirs == tree->dirs_capacity) {
        size_t capacity = tree->dirs_capacity ? tree->dirs_capacity * 2 : 64;
        struct tree_dir *dirs = reallocarray(tree->dirs, capacity, sizeof *dirs);

        if (!dirs)
            return err_nomem(err);
        tree->dirs = dirs;
        tree->dirs_capacity = capacity;
    }
    note = &tree->dirs[tree->n_dirs];
    *note = *dir;
    note->index = tree->n_dirs;
    note->path = strdup(dir->path);
    if (!note->path)
        return err_nomem(err);
    tree->n_dirs++;
    return 0;
}

/* Descending, so that a directory comes after all that is in it; of one path the last note first.
 */
static int compare_dirs(const void *a, const void *b) {
    const struct tree_dir *x = a, *y = b;
    int c = strcmp(y->path, x->path);

    if (c != 0)
        return c;
    return x->index < y->index ? 1 : -1;
}

static int finish_dir(int parent_fd, const char *base, const struct tree_dir *dir,
                      struct err *err) {
    struct timespec times[2] = {dir->mtime, dir->mtime};
    struct stat st;

    /* What the layer itself has replaced later is no directory any more. */
    if (fstatat(parent_fd, base, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode))
        return 0;
    if (dir->uid != (uid_t)-1 && (dir->uid != st.st_uid || dir->gid != st.st_gid) &&
        fchownat(parent_fd, base, dir->uid, dir->gid, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, "cannot set the owner of '%.200s'", dir->path);
    if (dir->mode != (st.st_mode & 07777) && fchmodat(parent_fd, base, dir->mode, 0) < 0)
        return err_errno(err, "cannot set the mode of '%.200s'", dir->path);
    if (utimensat(parent_fd, base, times, AT_SYMLINK_NOFOLLOW) < 0)
        return err_errno(err, "cannot set the time of '%.200s'", dir->path);
    return 0;
}

static int compare_path(const void *key, const void *element) {
    return strcmp(((const struct tree_dir *)element)->path, key);
}

/* Takes those that have an entry out of the implied ones. */
static void forget_noted(struct tree *tree) {
    struct strv *implied = tree->implied;
    size_t n = 0;

    for (size_t i = 0; implied && i < implied->n; i++)
        if (bsearch(implied->items[i], tree->dirs, tree->n_dirs, sizeof *tree->dirs, compare_path))
            free(implied->items[i]);
        else
            implied->items[n++] = implied->items[i];
    if (implied && implied->items) {
        implied->items[n] = NULL;
        implied->n = n;
    }
}

int tree_finish(struct tree *tree, struct err *err) {
    if (tree->n_dirs > 0) {
        qsort(tree->dirs, tree->n_dirs, sizeof *tree->dirs, compare_dirs);
        forget_noted(tree);
    }
    for (size_t i = 0; i < tree->n_dirs; i++) {
        const struct tree_dir *dir = &tree->dirs[i];
        int parent_fd = tree->root_fd, r;

        if (i > 0 && str_eq(dir->path, tree->dirs[i - 1].path))
            continue;
        if (*dir->path) {
            parent_fd = tree_parent(tree, dir->path, err);
            if (parent_fd < 0)
                return parent_fd;
        }
        r = finish_dir(parent_fd, *dir->path ? layer_path_base(dir->path) : ".", dir, err);
        if (r < 0)
            return r;
    }
    return 0;
}
