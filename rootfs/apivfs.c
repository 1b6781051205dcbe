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
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>

#define FLAGS (MS_NOSUID | MS_NODEV | MS_NOEXEC)

/* What hiding takes: an empty directory, as soon as the first is hidden; else -1. */
struct hider {
    const struct apivfs *apivfs;
    int empty_fd;
};

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

int apivfs_mount_labelled(const char *type, const char *path, unsigned long flags,
                          const char *options, const char *label) {
    _cleanup_free_ char *text = NULL;

    /* In quotes: it has commas. */
    if (label)
        text = str_printf("%s,context=\"%s\"", options, label);
    if (label && !text)
        return -ENOMEM;
    return sys_mount(type, path, type, flags, text ? text : options) < 0 ? -errno : 0;
}

/* Mounts @type on /@name and enters the new mount. */
static int mount_and_enter(int root_fd, const char *name, const char *type, unsigned long flags,
                           const char *options, const char *label, struct err *err) {
    _cleanup_close_ int point = open_mount_point(root_fd, name, err);
    _cleanup_close_ int mounted = -1;
    char path[32];

    if (point < 0)
        return point;
    snprintf(path, sizeof path, "/proc/self/fd/%d", point);
    errno = -apivfs_mount_labelled(type, path, flags, options, label);
    if (errno != 0) {
        if (errno == EPERM)
            return err_set(err, -EPERM,
                           "the kernel refuses to mount /%s in a user namespace: the host's own is "
                           "partly hidden, as inside a container: run the outer one with "
                           "--privileged or --security-opt unmask=ALL (docker: "
                           "systempaths=unconfined)",
                           name);
        return err_errno(err, "cannot mount /%s in the container", name);
    }
    mounted = openat(root_fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (mounted < 0 || fchdir(mounted) < 0)
        return err_errno(err, "cannot enter /%s of the container", name);
    return 0;
}

/* Shows a device of the host's on @path. */
static int bind_device(const char *device, const char *path, bool host_root) {
    const uint64_t attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    _cleanup_close_ int tree = -1, target = -1;

    if (!host_root)
        return sys_mount(device, path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
    target = open(path, O_PATH | O_CLOEXEC);
    if (target < 0)
        return -errno;
    tree = bind_clone(AT_FDCWD, device, false, attributes, -1);
    return tree < 0 ? tree : bind_attach(tree, target);
}

/*
 * Hides one path: a file behind the host's null device, a directory behind an empty one, of which
 * all are the same.  Which it is, is asked for: a mount that fails waits for an RCU grace period.
 */
static int hide(struct hider *hider, const char *path) {
    char empty[32];
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return -errno;
    if (!S_ISDIR(st.st_mode))
        return bind_device("/dev/null", path, hider->apivfs->host_root);
    if (hider->empty_fd >= 0) {
        snprintf(empty, sizeof empty, "/proc/self/fd/%d", hider->empty_fd);
        return sys_mount(empty, path, NULL, MS_BIND, NULL) < 0 ? -errno : 0;
    }
    r = sys_mount("tmpfs", path, "tmpfs", FLAGS | MS_RDONLY, "size=0,nr_inodes=1") < 0 ? -errno : 0;
    if (r == 0)
        hider->empty_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return r;
}

static bool is_left(const struct hider *hider, const char *path) {
    const struct strv *unmasked = hider->apivfs->unmasked;

    for (size_t i = 0; unmasked && i < unmasked->n; i++)
        if (str_eq(unmasked->items[i], "ALL") || fnmatch(unmasked->items[i], path, 0) == 0)
            return true;
    return hider->apivfs->privileged;
}

/* Hides each path that is there; the current directory is the one that they begin with. */
static int hide_all(struct hider *hider, const char *const *paths, size_t n, struct err *err) {
    for (size_t i = 0; i < n; i++) {
        int r = is_left(hider, paths[i]) ? 0 : hide(hider, strchr(paths[i] + 1, '/') + 1);

        if (r < 0 && r != -ENOENT) {
            errno = -r;
            return err_errno(err, "cannot hide %s in the container", paths[i]);
        }
    }
    return 0;
}

static int make_read_only(struct hider *hider, const char *const *paths, size_t n,
                          struct err *err) {
    for (size_t i = 0; i < n; i++) {
        const char *path = strchr(paths[i] + 1, '/') + 1;

        if (is_left(hider, paths[i]))
            continue;
        if (sys_mount(path, path, NULL, MS_BIND | MS_REC, NULL) < 0) {
            if (errno == ENOENT)
                continue;
            return err_errno(err, "cannot protect %s", paths[i]);
        }
        if (sys_mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY | FLAGS, NULL) < 0)
            return err_errno(err, "cannot protect %s", paths[i]);
    }
    return 0;
}

static int mount_proc(struct hider *hider, int root_fd, struct err *err) {
    static const char *const hidden[] = {
        "/proc/acpi",       "/proc/asound",        "/proc/interrupts",  "/proc/kcore",
        "/proc/keys",       "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
        "/proc/timer_list", "/proc/timer_stats",
    };
    static const char *const read_only[] = {
        "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
    };
    int r = mount_and_enter(root_fd, "proc", "proc", FLAGS, NULL, NULL, err);

    if (r == 0)
        r = hide_all(hider, hidden, N_ELEMENTS(hidden), err);
    if (r == 0)
        r = make_read_only(hider, read_only, N_ELEMENTS(read_only), err);
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

static int mount_sys(struct hider *hider, int root_fd, struct err *err) {
    static const char *const hidden[] = {
        "/sys/dev/block",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
        "/sys/fs/selinux",
    };
    bool privileged = hider->apivfs->privileged;
    int r = hider->apivfs->host_network
                ? bind_host_sys(root_fd, err)
                : mount_and_enter(root_fd, "sys", "sysfs", FLAGS | (privileged ? 0 : MS_RDONLY),
                                  NULL, NULL, err);

    return r < 0 ? r : hide_all(hider, hidden, N_ELEMENTS(hidden), err);
}

static int make_devices(bool host_root, struct err *err) {
    static const char *const devices[] = {"null", "zero", "full", "random", "urandom", "tty"};
    static const char *const links[][2] = {
        {"/proc/self/fd", "fd"},       {"/proc/self/fd/0", "stdin"}, {"/proc/self/fd/1", "stdout"},
        {"/proc/self/fd/2", "stderr"}, {"pts/ptmx", "ptmx"},
    };
    char host[16];
    int r;

    for (size_t i = 0; i < N_ELEMENTS(devices); i++) {
        snprintf(host, sizeof host, "/dev/%s", devices[i]);
        r = sys_mknodat(AT_FDCWD, devices[i], S_IFREG | 0666, 0) < 0
                ? -errno
                : bind_device(host, devices[i], host_root);
        if (r < 0) {
            errno = -r;
            return err_errno(err, "cannot bind the host's %s into the container", host);
        }
    }
    for (size_t i = 0; i < N_ELEMENTS(links); i++)
        if (sys_symlinkat(links[i][0], AT_FDCWD, links[i][1]) < 0)
            return err_errno(err, "cannot make /dev/%s in the container", links[i][1]);
    return 0;
}

static int make_and_mount(const char *name, mode_t mode, const char *type, unsigned long flags,
                          const char *options, const char *label, struct err *err) {
    int r = sys_mkdirat(AT_FDCWD, name, mode) < 0
                ? -errno
                : apivfs_mount_labelled(type, name, flags, options, label);

    errno = -r;
    return r < 0 ? err_errno(err, "cannot mount /dev/%s in the container", name) : 0;
}

static int mount_dev(int root_fd, const struct apivfs *apivfs, struct err *err) {
    char shm[64];
    int r =
        mount_and_enter(root_fd, "dev", "tmpfs", FLAGS, "mode=755,size=64k", apivfs->label, err);

    if (r == 0)
        r = make_devices(apivfs->host_root, err);
    if (r < 0)
        return r;
    r = make_and_mount("pts", 0755, "devpts", MS_NOSUID | MS_NOEXEC,
                       apivfs->tty_group ? "newinstance,ptmxmode=0666,mode=0620,gid=5"
                                         : "newinstance,ptmxmode=0666,mode=0620",
                       apivfs->label, err);
    snprintf(shm, sizeof shm, "mode=1777,size=%" PRIu64, apivfs->shm_bytes);
    return r < 0 ? r : make_and_mount("shm", 01777, "tmpfs", FLAGS, shm, apivfs->label, err);
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
static int mount_hierarchies(const struct strv *names, const char *label, struct err *err) {
    errno = -apivfs_mount_labelled("tmpfs", "fs/cgroup", FLAGS, "mode=755,size=64k", label);
    if (errno != 0)
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
    unsigned long flags = FLAGS | (apivfs->privileged || apivfs->owns_cgroup ? 0 : MS_RDONLY);
    int r;

    if (apivfs->hierarchies->n > 0)
        return mount_hierarchies(apivfs->hierarchies, apivfs->label, err);
    r = sys_mount("cgroup2", "fs/cgroup", "cgroup2", flags, NULL);
    /* In the host's /sys there is one, on which the kernel mounts no other: something between. */
    if (r < 0 && errno == EBUSY)
        r = sys_mount("tmpfs", "fs/cgroup", "tmpfs", FLAGS | MS_RDONLY, "mode=755,size=4k") < 0
                ? -1
                : sys_mount("cgroup2", "fs/cgroup", "cgroup2", flags, NULL);
    if (r < 0 && errno != ENOENT)
        return err_errno(err, "cannot mount /sys/fs/cgroup in the container");
    return 0;
}

int apivfs_mount(int root_fd, const struct apivfs *apivfs, struct err *err) {
    struct hider hider = {.apivfs = apivfs, .empty_fd = -1};
    int r = mount_proc(&hider, root_fd, err);

    if (r == 0)
        r = mount_sys(&hider, root_fd, err);
    if (r == 0 && apivfs->cgroup)
        r = mount_cgroup(apivfs, err);
    if (hider.empty_fd >= 0)
        close(hider.empty_fd);
    if (r == 0)
        r = mount_dev(root_fd, apivfs, err);
    if (r == 0 && apivfs->host_network)
        r = bind_host_names(root_fd, err);
    return r;
}

int apivfs_mount_proc(int root_fd, const struct apivfs *apivfs, struct err *err) {
    struct hider hider = {.apivfs = apivfs, .empty_fd = -1};
    int r = mount_proc(&hider, root_fd, err);

    if (hider.empty_fd >= 0)
        close(hider.empty_fd);
    return r;
}

int apivfs_hide(int root_fd, const struct strv *paths, bool host_root, struct err *err) {
    const struct apivfs apivfs = {.host_root = host_root};
    struct hider hider = {.apivfs = &apivfs, .empty_fd = -1};
    int r = 0;

    for (size_t i = 0; r == 0 && i < paths->n; i++) {
        _cleanup_close_ int fd = fd_open_in_root(root_fd, paths->items[i], O_PATH, 0);
        char path[32];

        if (fd == -ENOENT)
            continue;
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        r = fd < 0 ? fd : hide(&hider, path);
        if (r < 0) {
            errno = -r;
            r = err_errno(err, "cannot hide %s in the container", paths->items[i]);
        }
    }
    if (hider.empty_fd >= 0)
        close(hider.empty_fd);
    return r;
}
