/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's own file systems.  A mount point in the image may be missing or
 * be a link to anywhere: it is opened, or made, without following links, and
 * mounted on through its descriptor.  Inside a tree that was just mounted, and
 * that no program of the image has seen yet, plain relative paths are used.
 *
 * A user namespace cannot make device nodes, so those of the host are bound.
 * What an ordinary kernel lacks of the masked paths is passed over.
 */
#include "apivfs.h"

#include "bind.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#define FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* Opens the directory @name of the image, made when missing, links refused. */
static int open_mount_point(int root_fd, const char *name, struct err *err) {
    int fd = fd_open_beneath(root_fd, name, O_PATH | O_DIRECTORY, 0);

    if (fd == -ENOENT) {
        if (sys_mkdirat(root_fd, name, 0755) < 0)
            return err_errno(err, "cannot make /%s in the container", name);
        fd = fd_open_beneath(root_fd, name, O_PATH | O_DIRECTORY, 0);
    }
    if (fd == -ELOOP || fd == -ENOTDIR)
        return err_set(err, fd, "the image's /%s is not a directory", name);
    if (fd < 0) {
        errno = -fd;
        return err_errno(err, "cannot open the image's /%s", name);
    }
    return fd;
}

/* Mounts @type on /@name and enters the new mount. */
static int mount_and_enter(int root_fd, const char *name, const char *type, unsigned long flags,
                           const char *options, struct err *err) {
    _cleanup_close_ int point = open_mount_point(root_fd, name, err);
    _cleanup_close_ int mounted = -1;
    char path[32];

    if (point < 0)
        return point;
    snprintf(path, sizeof path, "/proc/self/fd/%d", point);
    if (sys_mount(type, path, type, flags, options) < 0) {
        if (errno == EPERM)
            return err_set(err, -EPERM,
                           "the kernel refuses to mount /%s in a user namespace: the host's own is "
                           "partly hidden, as inside some containers (docker: run the outer one "
                           "with --security-opt systempaths=unconfined)",
                           name);
        return err_errno(err, "cannot mount /%s in the container", name);
    }
    mounted = openat(root_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mounted < 0 || fchdir(mounted) < 0)
        return err_errno(err, "cannot enter /%s of the container", name);
    return 0;
}

/* Hides each path, relative to the current directory, that is there. */
static int mask(const char *const *paths, size_t n, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        if (sys_mount("/dev/null", paths[i], NULL, MS_BIND, NULL) == 0)
            continue;
        if (errno == ENOTDIR &&
            sys_mount("tmpfs", paths[i], "tmpfs", FLAGS | MS_RDONLY, "size=0,nr_inodes=1") == 0)
            continue;
        if (errno != ENOENT)
            return err_errno(err, "cannot mask %s in the container", paths[i]);
    }
    return 0;
}

static int make_read_only(const char *const *paths, size_t n, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        if (sys_mount(paths[i], paths[i], NULL, MS_BIND | MS_REC, NULL) < 0) {
            if (errno == ENOENT)
                continue;
            return err_errno(err, "cannot protect /proc/%s", paths[i]);
        }
        if (sys_mount(NULL, paths[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | FLAGS, NULL) < 0)
            return err_errno(err, "cannot protect /proc/%s", paths[i]);
    }
    return 0;
}

static int mount_proc(int root_fd, struct err *err) {
    static const char *const masked[] = {
        "acpi",          "asound",      "interrupts", "kcore",      "keys",
        "latency_stats", "sched_debug", "scsi",       "timer_list", "timer_stats",
    };
    static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
    int r = mount_and_enter(root_fd, "proc", "proc", FLAGS, NULL, err);

    if (r == 0)
        r = mask(masked, N_ELEMENTS(masked), err);
    if (r == 0)
        r = make_read_only(read_only, N_ELEMENTS(read_only), err);
    return r;
}

/* A sysfs shows the network namespace that its mounter owns; the host's is not ours: bind it. */
static int bind_host_sys(int root_fd, struct err *err) {
    _cleanup_close_ int point = open_mount_point(root_fd, "sys", err);
    _cleanup_close_ int tree = -1;
    int r;

    if (point < 0)
        return point;
    tree = bind_clone(AT_FDCWD, "/sys", true, MOUNT_ATTR_RDONLY, -1);
    r = tree < 0 ? tree : bind_attach(tree, point);
    if (r == 0) {
        _cleanup_close_ int mounted = openat(root_fd, "sys", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (mounted >= 0 && fchdir(mounted) == 0)
            return 0;
        r = -errno;
    }
    errno = -r;
    return err_errno(err, "cannot show the host's /sys in the container");
}

static int mount_sys(int root_fd, bool host_network, struct err *err) {
    static const char *const masked[] = {"firmware", "devices/virtual/powercap"};
    int r = host_network ? bind_host_sys(root_fd, err)
                         : mount_and_enter(root_fd, "sys", "sysfs", FLAGS | MS_RDONLY, NULL, err);

    return r < 0 ? r : mask(masked, N_ELEMENTS(masked), err);
}

static int make_devices(struct err *err) {
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {
        {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
        {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
    };
    char host[16];

    for (size_t i = 0; i < N_ELEMENTS(devices); i++) {
        snprintf(host, sizeof host, "/dev/%s", devices[i]);
        if (sys_mknodat(AT_FDCWD, devices[i], S_IFREG | 0666, 0) < 0 ||
            sys_mount(host, devices[i], NULL, MS_BIND, NULL) < 0)
            return err_errno(err, "cannot bind the host's %s into the container", host);
    }
    for (size_t i = 0; i < N_ELEMENTS(links); i++)
        if (sys_symlinkat(links[i][0], AT_FDCWD, links[i][1]) < 0)
            return err_errno(err, "cannot make /dev/%s in the container", links[i][1]);
    return 0;
}

static int mount_dev(int root_fd, const struct apivfs *apivfs, struct err *err) {
    char shm[64];
    int r =
        mount_and_enter(root_fd, "dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=64k", err);

    if (r == 0)
        r = make_devices(err);
    if (r < 0)
        return r;
    if (sys_mkdirat(AT_FDCWD, "pts", 0755) < 0 ||
        sys_mount("devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC,
                  apivfs->tty_group ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
                                    : "newinstance,ptmxmode=0666,mode=0620") < 0)
        return err_errno(err, "cannot mount /dev/pts in the container");
    snprintf(shm, sizeof shm, "mode=1777,size=%" PRIu64, apivfs->shm_bytes);
    if (sys_mkdirat(AT_FDCWD, "shm", 01777) < 0 ||
        sys_mount("tmpfs", "shm", "tmpfs", FLAGS, shm) < 0)
        return err_errno(err, "cannot mount /dev/shm in the container");
    return 0;
}

/* With the host's network come the host's names. */
static int bind_host_names(int root_fd, struct err *err) {
    static const char *const files[] = {"/etc/resolv.conf", "/etc/hosts"};

    for (size_t i = 0; i < N_ELEMENTS(files); i++) {
        _cleanup_close_ int tree = bind_clone(AT_FDCWD, files[i], false, MOUNT_ATTR_RDONLY, -1);
        _cleanup_close_ int target = -1;
        int r;

        if (tree == -ENOENT)
            continue;
        target = bind_target(root_fd, files[i], false, err);
        if (target < 0)
            return target;
        r = tree < 0 ? tree : bind_attach(tree, target);
        if (r < 0) {
            errno = -r;
            return err_errno(err, "cannot show the host's %s in the container", files[i]);
        }
    }
    return 0;
}

/* A hierarchy of version 1 each, on a tmpfs, as hosts have them. */
static int mount_hierarchies(const struct strv *names, struct err *err) {
    if (sys_mount("tmpfs", "fs/cgroup", "tmpfs", FLAGS, "mode=755,size=64k") < 0)
        return err_errno(err, "cannot mount /sys/fs/cgroup in the container");
    for (size_t i = 0; i < names->n; i++) {
        char path[64];

        snprintf(path, sizeof path, "fs/cgroup/%.40s", names->items[i]);
        if (sys_mkdirat(AT_FDCWD, path, 0755) < 0 ||
            sys_mount("cgroup", path, "cgroup", FLAGS | MS_RDONLY, names->items[i]) < 0)
            return err_errno(err, "cannot mount /sys/%s in the container", path);
    }
    if (sys_mount(NULL, "fs/cgroup", NULL, MS_REMOUNT | MS_RDONLY | FLAGS, NULL) < 0)
        return err_errno(err, "cannot protect /sys/fs/cgroup in the container");
    return 0;
}

/* In /sys, which has just been entered.  Programs look here for the memory they may use. */
static int mount_cgroup(const struct apivfs *apivfs, struct err *err) {
    if (apivfs->hierarchies->n > 0)
        return mount_hierarchies(apivfs->hierarchies, err);
    if (sys_mount("cgroup2", "fs/cgroup", "cgroup2", FLAGS | MS_RDONLY, NULL) < 0 &&
        errno != ENOENT)
        return err_errno(err, "cannot mount /sys/fs/cgroup in the container");
    return 0;
}

int apivfs_mount(int root_fd, const struct apivfs *apivfs, struct err *err) {
    int r = mount_proc(root_fd, err);

    if (r == 0)
        r = mount_sys(root_fd, apivfs->host_network, err);
    if (r == 0 && apivfs->cgroup)
        r = mount_cgroup(apivfs, err);
    if (r == 0)
        r = mount_dev(root_fd, apivfs, err);
    if (r == 0 && apivfs->host_network)
        r = bind_host_names(root_fd, err);
    return r;
}
