/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Labels of what a person shows a container with `z` or `Z`.  Nobody else's links are
 * followed: each name is looked up in the directory that it was read from, and its
 * label set on the name itself.
 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "selinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Deeper than paths of the kernel's go. */
#define MAX_DEPTH 2048

struct relabelling {
    const char *label;
    dev_t device;
};

/* The system would no longer work with these: Podman refuses them as well. */
static bool is_the_systems(const char *path) {
    static const char *const paths[] = {
        "/",      "/bin", "/boot", "/dev",     "/etc",     "/home",       "/lib",        "/lib64",
        "/media", "/opt", "/proc", "/root",    "/run",     "/sbin",       "/srv",        "/sys",
        "/tmp",   "/usr", "/var",  "/var/lib", "/var/log", "/etc/passwd", "/etc/shadow",
    };
    const char *home = getenv("HOME");

    for (size_t i = 0; i < N_ELEMENTS(paths); i++)
        if (str_eq(paths[i], path))
            return true;
    return home && str_eq(home, path);
}

/* A descriptor of any kind is named by the kernel's link to it. */
static void name_of(int dir_fd, const char *name, char path[64 + NAME_MAX]) {
    snprintf(path, 64 + NAME_MAX, *name ? "/proc/self/fd/%d/%s" : "/proc/self/fd/%d%s", dir_fd,
             name);
}

static bool has_label(int dir_fd, const char *name, const char *label) {
    char path[64 + NAME_MAX], now[SELINUX_CONTEXT_BYTES] = "";
    size_t n = strlen(label) + 1;

    name_of(dir_fd, name, path);
    return (*name ? lgetxattr : getxattr)(path, "security.selinux", now, sizeof now) ==
               (ssize_t)n &&
           memcmp(now, label, n) == 0;
}

static int set_label(int dir_fd, const char *name, const char *label) {
    char path[64 + NAME_MAX];

    /* Each change would be a new time of the file's. */
    if (has_label(dir_fd, name, label))
        return 0;
    name_of(dir_fd, name, path);
    if ((*name ? lsetxattr : setxattr)(path, "security.selinux", label, strlen(label) + 1, 0) == 0)
        return 0;
    /* A file system without labels, or one that has gone meanwhile. */
    return errno == EOPNOTSUPP || errno == ENOENT ? 0 : -errno;
}

bool selinux_has_label(int fd, const char *label) {
    return has_label(fd, "", label);
}

int selinux_set_label(int fd, const char *label) {
    return set_label(fd, "", label);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than MAX_DEPTH */
static int relabel_all(const struct relabelling *relabelling, int dir_fd, int depth) {
    int list = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
    _cleanup_closedir_ DIR *dir = list < 0 ? NULL : fdopendir(list);
    struct dirent *entry;
    struct stat st;

    if (!dir)
        return -errno;
    if (depth == MAX_DEPTH)
        return -ELOOP;
    while (r == 0 && (entry = readdir(dir))) {
        _cleanup_close_ int fd = -1;

        if (str_is_dots(entry->d_name) ||
            fstatat(dir_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            st.st_dev != relabelling->device)
            continue;
        r = set_label(dir_fd, entry->d_name, relabelling->label);
        if (r < 0 || !S_ISDIR(st.st_mode))
            continue;
        fd = openat(dir_fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        r = fd < 0 ? -errno : relabel_all(relabelling, fd, depth + 1);
    }
    return r;
}

int selinux_relabel(int fd, const char *name, const char *label, struct err *err) {
    struct relabelling relabelling = {.label = label};
    char link[40], path[PATH_MAX];
    struct stat st;
    ssize_t n;
    int r;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n < 0 || fstat(fd, &st) < 0)
        return err_errno(err, "%s", name);
    path[n] = '\0';
    if (is_the_systems(path))
        return err_set(err, -EINVAL, "volume %s: the system needs the labels it has; leave out z",
                       name);
    relabelling.device = st.st_dev;
    r = set_label(fd, "", label);
    if (r == 0 && S_ISDIR(st.st_mode))
        r = relabel_all(&relabelling, fd, 0);
    errno = -r;
    return r < 0 ? err_errno(err, "volume %s: cannot give it the label %s", name, label) : 0;
}
