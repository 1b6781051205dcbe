/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of a copy as a directory and a name in it, with the rules of cp(1) for both. */
#include "copy_path.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <fcntl.h>
#include <sys/stat.h>

/*
 * Splits @path into the directory part (to free(3)) and the last component.  When there is none to
 * speak of (".", "..", "/" or a slash at the end) the directory is the whole path and the name ".".
 */
static int split(const char *path, char **ret_dir, char ret_name[NAME_MAX + 1]) {
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    if (strlen(name) > NAME_MAX)
        return -ENAMETOOLONG;
    if (!*name || str_is_dots(name)) {
        *ret_dir = strdup(*path ? path : ".");
        strcpy(ret_name, ".");
    } else {
        *ret_dir = !slash          ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
        strcpy(ret_name, name);
    }
    return *ret_dir ? 0 : -ENOMEM;
}

int copy_own_name(const char *path, char ret_name[NAME_MAX + 1]) {
    _cleanup_free_ char *copy = strdup(path), *dir = NULL;
    size_t n = copy ? strlen(copy) : 0;

    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = '\0';
    return copy ? split(copy, &dir, ret_name) : -ENOMEM;
}

static int open_directory(const char *path, bool make) {
    _cleanup_close_ int root = -1;
    _cleanup_free_ char *absolute = NULL, *cwd = NULL;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT || !make)
        return fd >= 0 ? fd : -errno;
    if (*path != '/') {
        cwd = getcwd(NULL, 0);
        absolute = cwd ? str_printf("%s/%s", cwd, path) : NULL;
        if (!absolute)
            return -ENOMEM;
    }
    root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -errno;
    fd = fd_mkdir_in_root(root, absolute ? absolute : path, 0755, (uid_t)-1, (gid_t)-1);
    if (fd < 0)
        return fd;
    close(fd);
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int copy_source(const char *source, struct copy_place *ret_place, struct err *err) {
    _cleanup_free_ char *dir = NULL;
    struct stat st;
    int r = split(source, &dir, ret_place->name);

    if (r == 0)
        r = open_directory(dir, false);
    if (r >= 0 && fstatat(r, ret_place->name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
        int saved = errno;

        close(r);
        r = -saved;
    }
    if (r == -ENOENT)
        return err_set(err, r, "cannot copy %s: there is no such file or directory", source);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot copy %s", source);
    }
    ret_place->dir_fd = r;
    return 0;
}

int copy_target(const char *target, const char *source, bool make, struct copy_place *ret_place,
                struct err *err) {
    _cleanup_free_ char *dir = NULL;
    struct stat st;
    bool inside = !target || (*target && target[strlen(target) - 1] == '/') ||
                  (stat(target, &st) == 0 && S_ISDIR(st.st_mode));
    int r;

    if (inside) {
        dir = strdup(target ? target : ".");
        r = dir ? copy_own_name(source, ret_place->name) : -ENOMEM;
    } else {
        r = split(target, &dir, ret_place->name);
    }
    if (r == 0)
        r = open_directory(dir, make);
    if (r == -ENOENT)
        return err_set(err, r, "cannot copy to %s: there is no directory %s, make it first",
                       target ? target : ".", dir);
    if (r < 0) {
        errno = -r;
        return err_errno(err, "cannot copy to %s", target ? target : ".");
    }
    ret_place->dir_fd = r;
    return 0;
}
