/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The digest of a layer as it lies on disk.  A remembered step's files are not
 * synced when they are kept, which would cost as much as the step itself; the
 * page cache has them, and a layer that is found after another boot is compared
 * with the digest once before it is used.
 */
#include "tree_digest.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

static int visit(int dir_fd, const char *name, struct sha256 *sha, uint64_t *bytes,
                 struct err *err);

static int fail(const char *name, struct err *err) {
    return err_errno(err, "cannot read %s of a layer", name);
}

static int compare_names(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int take_attributes(int fd, struct sha256 *sha) {
    char names[4096], value[4096];
    _cleanup_strv_ struct strv list = {0};
    ssize_t n = flistxattr(fd, names, sizeof names);

    if (n < 0)
        return errno == ENOTSUP ? 0 : -errno;
    for (const char *p = names; p < names + n; p += strlen(p) + 1)
        if (strv_push(&list, p) < 0)
            return -ENOMEM;
    if (list.n > 1)
        qsort(list.items, list.n, sizeof *list.items, compare_names);
    for (size_t i = 0; i < list.n; i++) {
        ssize_t size = fgetxattr(fd, list.items[i], value, sizeof value);

        if (size < 0)
            return -errno;
        sha256_text(sha, list.items[i]);
        sha256_number(sha, (uint64_t)size);
        sha256_update(sha, value, (size_t)size);
    }
    return 0;
}

static int take_file(int fd, struct sha256 *sha) {
    static char block[128 * 1024];
    ssize_t n;

    while ((n = read(fd, block, sizeof block)) != 0) {
        if (n > 0)
            sha256_update(sha, block, (size_t)n);
        else if (errno != EINTR)
            return -errno;
    }
    return 0;
}

static int take_directory(int fd, struct sha256 *sha, uint64_t *bytes, struct err *err) {
    _cleanup_closedir_ DIR *dir = fdopendir(fd);
    _cleanup_strv_ struct strv names = {0};
    struct dirent *entry;
    int r = 0;

    if (!dir) {
        close(fd);
        return err_nomem(err);
    }
    while ((errno = 0, entry = readdir(dir)))
        if (!str_is_dots(entry->d_name) && strv_push(&names, entry->d_name) < 0)
            return err_nomem(err);
    if (errno)
        return fail("a directory", err);
    if (names.n > 1)
        qsort(names.items, names.n, sizeof *names.items, compare_names);
    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = visit(dirfd(dir), names.items[i], sha, bytes, err);
    sha256_text(sha, "/");
    return r;
}

static int take_link(int dir_fd, const char *name, struct sha256 *sha) {
    char target[PATH_MAX];
    ssize_t n = readlinkat(dir_fd, name, target, sizeof target);

    if (n < 0)
        return -errno;
    sha256_number(sha, (uint64_t)n);
    sha256_update(sha, target, (size_t)n);
    return 0;
}

static int visit(int dir_fd, const char *name, struct sha256 *sha, uint64_t *bytes,
                 struct err *err) {
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = 0;

    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(name, err);
    sha256_text(sha, name);
    sha256_number(sha, st.st_mode);
    sha256_number(sha, st.st_uid);
    sha256_number(sha, st.st_gid);
    sha256_number(sha, st.st_rdev);
    sha256_number(sha, S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0);
    sha256_number(sha, (uint64_t)st.st_mtim.tv_sec);
    sha256_number(sha, (uint64_t)st.st_mtim.tv_nsec);
    *bytes += (uint64_t)st.st_blocks * 512;
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
        fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        r = fd < 0 ? -errno : take_attributes(fd, sha);
        if (r == 0 && S_ISREG(st.st_mode))
            r = take_file(fd, sha);
    } else if (S_ISLNK(st.st_mode))
        r = take_link(dir_fd, name, sha);
    if (r < 0) {
        errno = -r;
        return fail(name, err);
    }
    return S_ISDIR(st.st_mode) ? take_directory(take_fd(fd), sha, bytes, err) : 0;
}

int tree_digest(int dir_fd, const char *name, struct sha256 *sha, uint64_t *bytes,
                struct err *err) {
    return visit(dir_fd, name, sha, bytes, err);
}
