/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several of overlayfs's layers as one.  They are laid down from the lowest to the
 * highest, each entry in the place of what stands there:
 *
 *   directory over directory   both, with the upper one's owner, mode and attributes
 *   directory over anything    a directory that is opaque: what was there has hidden what is
 *                              below the merged layer
 *   opaque directory           in the place of all
 *   whiteout, file, link ...   in the place of all; a whiteout stays one, for what is below
 */
#include "layer_merge.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"

#include <fcntl.h>
#include <sys/xattr.h>

#define ATTRIBUTE_BYTES 4096
#define OVERLAY_PREFIX "user.overlay."
#define OPAQUE OVERLAY_PREFIX "opaque"
#define OLDER_PREFIX "trusted.overlay."
#define OLDER_OPAQUE OLDER_PREFIX "opaque"

static int merge(int from_fd, int to_fd, struct err *err);

static int fail(const char *what, const char *name, struct err *err) {
    return err_errno(err, "cannot %s '%.200s' of a layer", what, name);
}

/* Those of a kernel before Linux 5.11 are doubled where they matter, overlay_mark(). */
static bool is_note(const char *name) {
    return str_after(name, OVERLAY_PREFIX) || str_after(name, OLDER_PREFIX);
}

static bool is_opaque(int fd) {
    char value[8];

    return (fgetxattr(fd, OPAQUE, value, sizeof value) == 1 ||
            fgetxattr(fd, OLDER_OPAQUE, value, sizeof value) == 1) &&
           value[0] == 'y';
}

/* Attributes that the lower directory has and the upper one has not. */
static void drop_attributes(int from_fd, int to_fd) {
    char names[ATTRIBUTE_BYTES];
    ssize_t n = flistxattr(to_fd, names, sizeof names);

    for (const char *p = names; n > 0 && p < names + n; p += strlen(p) + 1)
        if (!is_note(p) && fgetxattr(from_fd, p, NULL, 0) < 0)
            (void)fremovexattr(to_fd, p);
}

static int copy_attributes(int from_fd, int to_fd) {
    char names[ATTRIBUTE_BYTES], value[ATTRIBUTE_BYTES];
    ssize_t n = flistxattr(from_fd, names, sizeof names);

    if (n < 0)
        return errno == ENOTSUP ? 0 : -errno;
    drop_attributes(from_fd, to_fd);
    for (const char *p = names; p < names + n; p += strlen(p) + 1) {
        ssize_t size;

        /* Overlayfs's notes on where an upper directory came from mean nothing here. */
        if (is_note(p) && !str_eq(p, OPAQUE) && !str_eq(p, OLDER_OPAQUE))
            continue;
        size = fgetxattr(from_fd, p, value, sizeof value);
        if (size < 0 || fsetxattr(to_fd, p, value, (size_t)size, 0) < 0)
            return -errno;
    }
    return 0;
}

/* Owner first: it clears the bits of the mode that it is about. */
static int copy_metadata(int from_fd, int to_fd, const char *name, struct err *err) {
    struct stat st, own;
    int r = 0;

    if (fstat(from_fd, &st) < 0 || fstat(to_fd, &own) < 0)
        return fail("look at", name, err);
    if ((st.st_uid != own.st_uid || st.st_gid != own.st_gid) &&
        fchown(to_fd, st.st_uid, st.st_gid) < 0)
        return fail("set the owner of", name, err);
    if (fchmod(to_fd, (st.st_mode & 07777) | S_IRWXU) < 0)
        return fail("set the mode of", name, err);
    r = copy_attributes(from_fd, to_fd);
    if (r < 0) {
        errno = -r;
        return fail("set the attributes of", name, err);
    }
    if (fchmod(to_fd, st.st_mode & 07777) < 0 ||
        futimens(to_fd, (const struct timespec[2]){st.st_mtim, st.st_mtim}) < 0)
        return fail("set the mode of", name, err);
    return 0;
}

static int remove_entry(int to_fd, const char *name, struct err *err) {
    int r = fd_remove_tree(to_fd, name);

    if (r < 0) {
        errno = -r;
        return fail("replace", name, err);
    }
    return 0;
}

static int open_directory(int dir_fd, const char *name) {
    return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A directory to merge @from into: the one that stands there, or a new one. */
static int enter_directory(int from, int to_fd, const char *name, struct err *err) {
    struct stat st;
    bool stands = fstatat(to_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0, hides = false;
    int fd, r;

    if (stands && (!S_ISDIR(st.st_mode) || is_opaque(from))) {
        hides = true;
        r = remove_entry(to_fd, name, err);
        if (r < 0)
            return r;
        stands = false;
    }
    if (!stands && sys_mkdirat(to_fd, name, 0700) < 0)
        return fail("make", name, err);
    /* Written to before it has its mode again. */
    if (stands && fchmodat(to_fd, name, (st.st_mode & 07777) | S_IRWXU, 0) < 0)
        return fail("open", name, err);
    fd = open_directory(to_fd, name);
    if (fd < 0)
        return fail("open", name, err);
    if (hides && fsetxattr(fd, OPAQUE, "y", 1, 0) < 0 &&
        (errno != ENOTSUP || fsetxattr(fd, OLDER_OPAQUE, "y", 1, 0) < 0)) {
        r = fail("set the attributes of", name, err);
        close(fd);
        return r;
    }
    return fd;
}

static int merge_directory(int from_fd, int to_fd, const char *name, struct err *err) {
    _cleanup_close_ int from = open_directory(from_fd, name), to = -1;
    int r;

    if (from < 0)
        return fail("open", name, err);
    to = enter_directory(from, to_fd, name, err);
    if (to < 0)
        return to;
    r = merge(from, to, err);
    return r < 0 ? r : copy_metadata(from, to, name, err);
}

static int merge_entry(int from_fd, int to_fd, const char *name, struct err *err) {
    struct stat st;
    int r;

    if (fstatat(from_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail("look at", name, err);
    if (S_ISDIR(st.st_mode))
        return merge_directory(from_fd, to_fd, name, err);
    if (sys_linkat(from_fd, name, to_fd, name, 0) == 0)
        return 0;
    if (errno != EEXIST)
        return fail("link", name, err);
    r = remove_entry(to_fd, name, err);
    if (r == 0 && sys_linkat(from_fd, name, to_fd, name, 0) < 0)
        r = fail("link", name, err);
    return r;
}

static int merge(int from_fd, int to_fd, struct err *err) {
    int fd = openat(from_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    if (!dir) {
        r = fail("read", "a directory", err);
        if (fd >= 0)
            close(fd);
        return r;
    }
    while (r == 0 && (errno = 0, entry = readdir(dir)))
        if (!str_is_dots(entry->d_name))
            r = merge_entry(from_fd, to_fd, entry->d_name, err);
    return r == 0 && errno ? fail("read", "a directory", err) : r;
}

int layer_merge(int from_fd, const struct strv *layers, int dir_fd, const char *name,
                struct err *err) {
    _cleanup_close_ int to = -1;
    int r = 0;

    if (sys_mkdirat(dir_fd, name, 0700) < 0)
        return fail("make", name, err);
    to = open_directory(dir_fd, name);
    if (to < 0)
        return fail("open", name, err);
    for (size_t i = 0; r == 0 && i < layers->n; i++) {
        _cleanup_close_ int from =
            openat(from_fd, layers->items[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        if (from < 0)
            return fail("open", layers->items[i], err);
        if (fchmod(to, 0700) < 0)
            return fail("open", name, err);
        r = merge(from, to, err);
        if (r == 0)
            r = copy_metadata(from, to, name, err);
    }
    return r;
}
