/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease that was renewed may name other name servers, other domains to look
 * in, or another address.  The container's /etc/resolv.conf and /etc/hosts are
 * files of the run's directory, each mounted in its place; so a new file is
 * written there and mounted in place of the old one, which whoever has it open
 * goes on reading.  Nobody ever sees half a file, or none.
 *
 * Linux 6.5 can put a mount beneath another, which then goes; before, the new
 * one lies on top of the old one for the container's life.
 *
 * A file is left alone where the container has written to it, and where something
 * else is mounted there: its volume, say.
 */
#include "connect.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "base/sys.h"
#include "build.h"
#include "net/network.h"
#include "rootfs/bind.h"
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define MAX_FILE_BYTES (1u << 20)
#define MAX_INFO_BYTES 4096
#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x200
#endif
/* Conditions of this file alone. */
#define OTHERS 1

/** struct swap - one file's exchange, in the container's mount namespace */
struct swap {
    int pidfd;
    const char *path;
    struct stat old;
    int tree_fd;
};

static int swap(void *argument, struct err *err) {
    const struct swap *swap = argument;
    const unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
    _cleanup_close_ int target = -1;
    struct stat st;

    if (setns(swap->pidfd, CLONE_NEWNS) < 0)
        return err_errno(err, "cannot enter the container's mounts");
    /* From here on paths are the container's, links in them too. */
    target = open(swap->path, O_PATH | O_CLOEXEC);
    if (target < 0 || fstat(target, &st) < 0 || st.st_dev != swap->old.st_dev ||
        st.st_ino != swap->old.st_ino)
        return OTHERS;
    if (sys_move_mount(swap->tree_fd, "", target, "", flags | MOVE_MOUNT_BENEATH) == 0)
        return umount2(swap->path, MNT_DETACH) < 0 ? err_errno(err, "unmounting the old one") : 0;
    return sys_move_mount(swap->tree_fd, "", target, "", flags) < 0
               ? err_errno(err, "mounting the new one")
               : 0;
}

static const char *text_of(const struct buf *buf) {
    return buf->data ? buf->data : "";
}

/* The file is that of @st to whoever may look at it. */
static int write_like(int dir_fd, const char *name, const struct stat *st, const char *label,
                      const struct buf *text) {
    _cleanup_close_ int fd = -1;
    int r;

    (void)sys_unlinkat(dir_fd, name, 0);
    fd = openat(dir_fd, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = fd_write_all(fd, text->data, text->size);
    if (r == 0 && label && fsetxattr(fd, "security.selinux", label, strlen(label) + 1, 0) < 0)
        r = -errno;
    if (r == 0 && (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0))
        r = -errno;
    return r;
}

/* The user namespace by which root's mounts are mapped, in that mode.  The process is a child that
 * has not been waited for, so its number is nobody else's. */
static int open_userns(const struct container *c, int pidfd, int *ret_fd, struct err *err) {
    _cleanup_free_ char *info = NULL;
    char path[40];
    const char *line;

    if (c->map.mode != IDMAP_SHIFTED)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    line = fd_read_file(AT_FDCWD, path, MAX_INFO_BYTES, &info, NULL) == 0 ? strstr(info, "\nPid:")
                                                                          : NULL;
    snprintf(path, sizeof path, "/proc/%ld/ns/user", line ? strtol(line + 5, NULL, 10) : 0);
    *ret_fd = open(path, O_RDONLY | O_CLOEXEC);
    return *ret_fd < 0 ? err_errno(err, "cannot open its user namespace") : 0;
}

/* Return: 0, OTHERS when the file is not ours to change, or -errno. */
static int renew_file(const struct container *c, int pidfd, const char *name,
                      const struct buf *before, const struct buf *now, struct err *err) {
    _cleanup_free_ char *text = NULL;
    _cleanup_close_ int tree = -1, userns = -1;
    struct swap job = {.pidfd = pidfd};
    char path[32], fresh[32];
    int r, dir = c->state.fd;

    snprintf(path, sizeof path, "/etc/%s", name);
    snprintf(fresh, sizeof fresh, "%s.new", name);
    if (fd_read_file(dir, name, MAX_FILE_BYTES, &text, NULL) < 0 ||
        !str_eq(text, text_of(before)) || fstatat(dir, name, &job.old, AT_SYMLINK_NOFOLLOW) < 0)
        return OTHERS;
    r = open_userns(c, pidfd, &userns, err);
    if (r < 0)
        return r;
    r = write_like(dir, fresh, &job.old, build_label(c), now);
    if (r == 0)
        r = tree = bind_clone(dir, fresh, false, 0, userns);
    if (r < 0) {
        errno = -r;
        r = err_errno(err, "writing it anew");
    } else {
        job.path = path;
        job.tree_fd = tree;
        r = userns_call(&c->map, swap, &job, -1, err);
    }
    if (r == 0 && sys_renameat2(dir, fresh, dir, name, 0) < 0)
        return err_errno(err, "renaming it");
    if (r != 0)
        (void)sys_unlinkat(dir, fresh, 0);
    return r;
}

static void renew(const struct container *c, int pidfd, const char *name, const struct buf *before,
                  const struct buf *now) {
    struct err err;
    int r;

    if (buf_failed(before) || buf_failed(now) || str_eq(text_of(before), text_of(now)))
        return;
    r = renew_file(c, pidfd, name, before, now, &err);
    if (r < 0)
        log_warning(c->log, "network: the container's /etc/%s says what the lease said before: %s",
                    name, err.message);
    else if (r == OTHERS)
        log_info(c->log,
                 "network: the lease says something new, but /etc/%s is the container's own", name);
    else
        log_debug(c->log, "network: /etc/%s says what the new lease says", name);
}

void connect_renew(struct container *c, int pidfd) {
    _cleanup_buf_ struct buf resolv_before = BUF_INIT, hosts_before = BUF_INIT;
    _cleanup_buf_ struct buf resolv = BUF_INIT, hosts = BUF_INIT;
    struct dhcp_parameters before, now;

    if (pidfd < 0 || !network_changed(c->network, &before, &now))
        return;
    connect_names_format(c, &before, NULL, &resolv_before, &hosts_before);
    connect_names_format(c, &now, NULL, &resolv, &hosts);
    renew(c, pidfd, "resolv.conf", &resolv_before, &resolv);
    renew(c, pidfd, "hosts", &hosts_before, &hosts);
}
