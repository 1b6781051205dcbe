/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's directories.
 *
 *   layers/HEX     a layer's tree, never changed, named by its diff ID; one that takes the mode of
 *                  a directory from the layers below it, by its chain ID
 *   recipes/HEX    what makes the layer's tar of its tree (recipe.c)
 *   images/NAME    an image: its layers and its configuration (record.c)
 *   index/KEY      a symbolic link: an archive's stat data -> images/NAME (index.c)
 *   tmp/NAME       work under way, locked by whoever does it
 *   runs/          the engine's
 *
 * Whatever is in layers/, images/ or index/ is whole: it was made in tmp/,
 * synced, and renamed.  The lock of a directory in tmp/ is a flock(2) on the
 * directory itself, which the kernel lets go of when its holder dies; what
 * nobody holds is a leaving, and what a killed process's children still hold
 * is about to be one.  A lock that was waited for may be on a directory
 * that its last holder has removed, so after locking one looks again whether
 * the name still leads to it.
 */
#include "store.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/orphan_lock.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>

static const char *const kind_names[] = {
    [STORE_OWNERS_ROOT] = "root",
    [STORE_OWNERS_SUBUID] = "subuid",
    [STORE_OWNERS_SINGLE] = "single",
};

static const char *const folder_names[] = {"layers", "recipes", "images", "index", "tmp", "runs"};

static int describe(const char *path, const char *what, struct err *err) {
    const char *mend = "";
    int r;

    switch (errno) {
    case EACCES:
    case EPERM:
    case EROFS:
        mend = "; set MAYFLY_STORE to a directory that you may write to";
        break;
    case ENOSPC:
    case EDQUOT:
        mend = "; make room, or set MAYFLY_STORE to a directory elsewhere";
        break;
    case ENOTDIR:
        mend = "; set MAYFLY_STORE to a directory";
        break;
    case EMFILE:
    case ENFILE:
        mend = "; raise the limit (ulimit -n)";
        break;
    default:
        break;
    }
    r = -errno;
    err_errno(err, "store %s: %s", path, what);
    if (err) {
        size_t used = strlen(err->message);

        snprintf(err->message + used, sizeof err->message - used, "%s", mend);
    }
    return r;
}

int store_errno(const struct store *store, const char *what, struct err *err) {
    return describe(store->path, what, err);
}

/* The user's own store, an absolute path to free(3). */
static char *default_path(struct err *err) {
    const char *path = getenv("MAYFLY_STORE"), *base;
    char *text;

    if (path && *path)
        text = strdup(path);
    else if (geteuid() == 0)
        text = strdup("/var/lib/mayfly");
    else if ((base = getenv("XDG_DATA_HOME")) && *base == '/')
        text = str_printf("%s/mayfly", base);
    else if ((base = getenv("HOME")) && *base == '/')
        text = str_printf("%s/.local/share/mayfly", base);
    else {
        err_set(err, -ENOENT,
                "no place for the store: HOME is not set; set MAYFLY_STORE to a directory");
        return NULL;
    }
    if (!text)
        err_nomem(err);
    return text;
}

static char *store_base(const char *path, struct err *err) {
    _cleanup_free_ char *own = NULL, *current = NULL;
    char *text;

    if (!path) {
        own = default_path(err);
        if (!own)
            return NULL;
        path = own;
    }
    if (*path == '/')
        text = strdup(path);
    else {
        current = getcwd(NULL, 0);
        text = current ? str_printf("%s/%s", current, path) : NULL;
    }
    if (!text)
        err_nomem(err);
    return text;
}

/* Makes @path and what is missing above it. */
static int make_directories(const char *path) {
    _cleanup_free_ char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    for (char *p = copy + 1;; p++) {
        char c = *p;

        if (c != '/' && c != '\0')
            continue;
        *p = '\0';
        if (sys_mkdirat(AT_FDCWD, copy, 0700) < 0 && errno != EEXIST) {
            struct stat st;
            int e = errno;

            /* A read-only parent says so before it says that the directory is there. */
            if (stat(copy, &st) < 0 || !S_ISDIR(st.st_mode)) {
                errno = e;
                return -errno;
            }
        }
        *p = c;
        if (!c)
            return 0;
    }
}

/* Makes the directory of one kind, whole or not at all. */
static int create(const char *base, enum store_owners owners, struct err *err) {
    _cleanup_free_ char *fresh = str_printf("%s/.new-XXXXXX", base);
    _cleanup_free_ char *path = str_printf("%s/%s", base, kind_names[owners]);
    _cleanup_close_ int fd = -1;
    int r = 0;

    if (!fresh || !path)
        return err_nomem(err);
    if (make_directories(base) < 0)
        return describe(base, "cannot make the directory", err);
    if (!mkdtemp(fresh))
        return describe(base, "cannot make a directory in it", err);
    fd = open(fresh, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < N_ELEMENTS(folder_names) && r == 0; i++)
        if (fd < 0 || sys_mkdirat(fd, folder_names[i], 0700) < 0)
            r = describe(base, "cannot make a directory in it", err);
    if (r == 0 && sys_renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE) < 0) {
        if (errno == EEXIST)
            fd_remove_tree(AT_FDCWD, fresh); /* another process was quicker */
        else
            r = describe(base, "cannot rename a directory in it", err);
    }
    if (r < 0)
        fd_remove_tree(AT_FDCWD, fresh);
    return r;
}

int store_open(struct store *store, const char *path, enum store_owners owners, struct err *err) {
    _cleanup_free_ char *base = store_base(path, err);
    _cleanup_free_ char *full = NULL;
    struct timespec now;
    int fd, r;

    if (!base)
        return err && err->code ? err->code : -ENOMEM;
    full = str_printf("%s/%s", base, kind_names[owners]);
    if (!full)
        return err_nomem(err);
    fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        r = create(base, owners, err);
        if (r < 0)
            return r;
        fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
    }
    if (fd < 0)
        return describe(full, "cannot open it", err);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    *store = (struct store){
        .fd = fd,
        .path = take_ptr(full),
        .owners = owners,
        .max_image_bytes = STORE_IMAGE_BYTES_MAX,
        .opened_nsec = (uint64_t)now.tv_sec * NSEC_PER_SEC + (uint64_t)now.tv_nsec,
    };
    return 0;
}

void store_close(struct store *store) {
    if (store->fd >= 0)
        close(store->fd);
    free(store->path);
    *store = STORE_INIT;
}

static int open_folder(const struct store *store, const char *folder) {
    return openat(store->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Whether @name in @dir_fd still leads to the file that @fd is open on. */
static bool is_same(int dir_fd, const char *name, int fd) {
    struct stat a, b;

    return fstat(fd, &a) == 0 && fstatat(dir_fd, name, &b, AT_SYMLINK_NOFOLLOW) == 0 &&
           a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Removes one entry of tmp/ unless somebody works in it; whether it is a leaving that stays. */
static bool clean_entry(int tmp_fd, const char *name) {
    _cleanup_close_ int fd =
        openat(tmp_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return false;
    if (fd >= 0) {
        if (flock(fd, LOCK_EX | LOCK_NB) < 0 && orphan_lock_take(fd) < 0)
            return false;
        if (!is_same(tmp_fd, name, fd))
            return false;
    }
    return fd_remove_tree(tmp_fd, name) < 0;
}

int store_clean(const struct store *store) {
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    int fd = open_folder(store, "tmp"), n = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return -ENOMEM;
    }
    while ((entry = readdir(dir)))
        if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, "..") &&
            clean_entry(dirfd(dir), entry->d_name))
            n++;
    return n;
}

/* Removes everything in a directory that was locked and holds what a killed process left. */
static int empty(int fd) {
    _cleanup_closedir_ DIR *dir = NULL;
    struct dirent *entry;
    int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (own < 0)
        return -errno;
    dir = fdopendir(own);
    if (!dir) {
        close(own);
        return -ENOMEM;
    }
    while ((entry = readdir(dir)))
        if (!str_eq(entry->d_name, ".") && !str_eq(entry->d_name, "..")) {
            int r = fd_remove_tree(fd, entry->d_name);

            if (r < 0) {
                errno = -r;
                return r;
            }
        }
    return 0;
}

int store_work_begin(const struct store *store, const char *name, struct store_work *ret_work,
                     struct err *err) {
    _cleanup_close_ int tmp_fd = open_folder(store, "tmp");

    if (tmp_fd < 0)
        return store_errno(store, "cannot open tmp", err);
    for (;;) {
        _cleanup_close_ int fd = -1;

        if (sys_mkdirat(tmp_fd, name, 0700) < 0 && errno != EEXIST)
            return store_errno(store, "cannot make a directory in tmp", err);
        fd = openat(tmp_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue;
        if (fd < 0)
            return store_errno(store, "cannot open a directory in tmp", err);
        while (flock(fd, LOCK_EX) < 0)
            if (errno != EINTR)
                return store_errno(store, "cannot lock a directory in tmp", err);
        if (!is_same(tmp_fd, name, fd))
            continue;
        if (empty(fd) < 0)
            return store_errno(store, "cannot remove what a killed import left in tmp", err);
        orphan_lock_mark(fd); /* Last: any descriptor's closing would have taken it away. */
        ret_work->fd = take_fd(fd);
        snprintf(ret_work->name, sizeof ret_work->name, "%s", name);
        return 0;
    }
}

void store_work_end(const struct store *store, struct store_work *work) {
    _cleanup_close_ int tmp_fd = -1;

    if (work->fd < 0)
        return;
    tmp_fd = open_folder(store, "tmp");
    if (tmp_fd >= 0)
        fd_remove_tree(tmp_fd, work->name);
    close(work->fd);
    *work = STORE_WORK_INIT;
}

int store_publish(const struct store *store, const struct store_work *work, const char *from,
                  const char *to, struct err *err) {
    if (sys_renameat2(work->fd, from, store->fd, to, RENAME_NOREPLACE) < 0 && errno != EEXIST)
        return store_errno(store, "cannot rename what was made to its place", err);
    return 0;
}

int store_replace(const struct store *store, const struct store_work *work, const char *from,
                  const char *to, struct err *err) {
    if (sys_renameat2(work->fd, from, store->fd, to, 0) < 0)
        return store_errno(store, "cannot rename what was made to its place", err);
    return 0;
}

int store_sync_folder(const struct store *store, const char *folder, struct err *err) {
    _cleanup_close_ int fd = open_folder(store, folder);

    if (fd < 0 || fsync(fd) < 0)
        return store_errno(store, "cannot sync it", err);
    return 0;
}

int store_lock_images(const struct store *store, int operation, int *ret_fd, struct err *err) {
    _cleanup_close_ int fd = open_folder(store, "images");

    if (fd < 0)
        return store_errno(store, "cannot open it", err);
    while (flock(fd, operation) < 0)
        if (errno != EINTR)
            return store_errno(store, "cannot lock it", err);
    *ret_fd = take_fd(fd);
    return 0;
}

int store_list(const struct store *store, const char *folder, struct strv *ret_names,
               struct err *err) {
    int fd = open_folder(store, folder);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        if (fd >= 0)
            close(fd);
        return store_errno(store, "cannot read a directory in it", err);
    }
    while ((errno = 0, entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && strv_push(ret_names, entry->d_name) < 0)
            return err_nomem(err);
    return errno ? store_errno(store, "cannot read a directory in it", err) : 0;
}
