/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system container: the image's own init runs in it.
 *
 *   supervisor
 *   └─ PID 1 of the container, which is mayfly as ever
 *      ├─ PID 1 of a pid namespace inside: the image's /sbin/init
 *      │  └─ what that starts
 *      └─ programs of exec, in the namespace inside as well
 *
 * Nothing of what PID 1 does otherwise changes so: it ends with its supervisor,
 * serves exec and cp, answers for emulated ids, and no signal of the container's
 * reaches it.  The init takes itself for process 1, reaps all orphans, and what
 * it would do to the machine (reboot(2)) ends its namespace alone.
 *
 * Both see the same mounts, where /proc shows the namespace inside; PID 1 keeps
 * a descriptor of its own /proc.  The container's cgroup is handed to the init,
 * and has to be free of processes for groups with controllers to be made in it:
 * PID 1 and the programs of exec live in a group "mayfly" below.
 *
 * Spec: pid_namespaces(7), reboot(2); systemd's CONTAINER_INTERFACE and
 * CGROUP_DELEGATION.
 */
#include "boot.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "rootfs/apivfs.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define OWN_GROUP "/sys/fs/cgroup/mayfly"

enum kind { KIND_SYSTEMD, KIND_BUSYBOX, KIND_OTHER };

static bool is_same_file(const char *a, const char *b) {
    struct stat one, other;

    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

/* The root is the container's, so that links stay in it. */
static enum kind kind_of(const char *program) {
    _cleanup_free_ char *path = realpath(program, NULL);
    const char *name = path ? strrchr(path, '/') + 1 : "";

    if (str_eq(name, "systemd"))
        return KIND_SYSTEMD;
    if (str_eq(name, "busybox") || (path && is_same_file(path, "/bin/busybox")))
        return KIND_BUSYBOX;
    return KIND_OTHER;
}

static int shutdown_signal(enum kind kind) {
    switch (kind) {
    case KIND_SYSTEMD:
        return SIGRTMIN + 3; /* halt.target */
    case KIND_BUSYBOX:
        return SIGUSR2; /* poweroff */
    case KIND_OTHER:
        break;
    }
    return SIGTERM;
}

static int enter_group(const char *path) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd < 0 || write(fd, "0", 1) < 0 ? -errno : 0;
}

static bool has_group(const struct container *c) {
    return cgroup_birth_fd(c->cgroup) >= 0;
}

static int leave_group(const struct container *c, struct err *err) {
    int r;

    if (!has_group(c))
        return 0;
    r = mkdir(OWN_GROUP, 0755) < 0 ? -errno : enter_group(OWN_GROUP "/cgroup.procs");
    errno = -r;
    return r < 0 ? err_errno(err, "cannot leave the container's cgroup to its init") : 0;
}

int boot_begin(struct inside *inside, const char *program, int *ret_signal, struct err *err) {
    const struct container *c = inside->container;
    enum kind kind = kind_of(program);
    int r;

    if (kind == KIND_SYSTEMD && !has_group(c))
        return err_set(err, -EOPNOTSUPP,
                       "the image's init is systemd, which needs a cgroup of version 2, and this "
                       "user has none to give: log in where systemd delegates one, or run as root");
    inside->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (inside->proc_fd < 0)
        return err_errno(err, "cannot open /proc");
    if (inside->emulator)
        emulator_use_proc(inside->emulator, inside->proc_fd);
    r = leave_group(c, err);
    if (r < 0)
        return r;
    if (unshare(CLONE_NEWPID) < 0)
        return err_errno(err, "cannot make a pid namespace for the image's init");
    *ret_signal = shutdown_signal(kind);
    return 0;
}

static int mount_console(int console_fd, struct err *err) {
    char path[32];

    if (console_fd < 0)
        return 0;
    snprintf(path, sizeof path, "/proc/self/fd/%d", console_fd);
    if (sys_mknodat(AT_FDCWD, "/dev/console", S_IFREG | 0600, 0) < 0 ||
        sys_mount(path, "/dev/console", NULL, MS_BIND, NULL) < 0)
        return err_errno(err, "cannot make /dev/console in the container");
    return 0;
}

int boot_enter(void *argument) {
    const struct boot *boot = argument;
    const struct container *c = boot->inside->container;
    const struct apivfs apivfs = {
        .host_root = c->map.uids[0].outside == 0,
        .privileged = c->plan->confinement.privileged,
        .unmasked = &c->plan->confinement.unmasked,
    };
    int r = mount_console(boot->console_fd, boot->err);

    if (r == 0 && has_group(c)) {
        r = enter_group("/sys/fs/cgroup/cgroup.procs");
        errno = -r;
        r = r < 0 ? err_errno(boot->err, "cannot hand the container's cgroup to its init") : 0;
    }
    if (r == 0)
        r = apivfs_mount_proc(boot->inside->root_fd, &apivfs, boot->err);
    if (r == 0)
        r = apivfs_hide(boot->inside->root_fd, &c->plan->confinement.masked, apivfs.host_root,
                        boot->err);
    return r;
}
