/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Archives, manifests and compressed layers are read by libraries, and somebody
 * else has made them.  Were one of these libraries to be turned against its caller
 * by what it reads, it would have root's process, but not root's host: all that
 * is mounted is read-only and without devices but the store, capabilities are those
 * over files, no program gains any, system calls are those of a container, and
 * nobody can be signalled or spoken to over sockets that lie on the host.  What
 * root can read can still be read, and when the image comes over the network, be
 * sent there.
 *
 * Directories that were open before would lead around the read-only mounts, so
 * they are opened anew.  Two of them hold locks by which a later command waits for
 * this process if it is killed: a second process keeps these, and dies after it.
 */
#include "importer.h"

#include "caps.h"
#include "engine/base/cleanup.h"
#include "engine/base/sys.h"
#include "rootfs/mount_older.h"
#include "seccomp.h"
#include "seccomp_compile.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define CAPS_OVER_FILES                                                                            \
    (CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_DAC_OVERRIDE) | CAPS_BIT(CAP_FOWNER) |                     \
     CAPS_BIT(CAP_FSETID) | CAPS_BIT(CAP_SETFCAP))

/* The kernel kills it once this process has let go of all that it has open. */
static int start_keeper(struct importer *importer, struct err *err) {
    int ends[2];
    pid_t self = getpid();

    if (pipe2(ends, O_CLOEXEC) < 0 || (importer->keeper = fork()) < 0)
        return err_errno(err, "cannot make a process");
    if (importer->keeper == 0) {
        sigset_t all;
        char none;

        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, NULL);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        close(ends[1]);
        if (getppid() == self)
            (void)!read(ends[0], &none, 1);
        _exit(0);
    }
    close(ends[0]);
    importer->keeper_fd = ends[1];
    return 0;
}

/* Makes a descriptor of a directory one of the same directory in this mount namespace. */
static int reopen(int fd) {
    char link[40], path[PATH_MAX];
    _cleanup_close_ int fresh = -1;
    struct stat old, new;
    ssize_t n;

    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof path - 1);
    if (n > 0) {
        path[n] = '\0';
        fresh = open(path, O_DIRECTORY | O_CLOEXEC | (fcntl(fd, F_GETFL) & O_PATH));
    }
    if (fresh < 0 || fstat(fd, &old) < 0 || fstat(fresh, &new) < 0 || old.st_dev != new.st_dev ||
        old.st_ino != new.st_ino || dup3(fresh, fd, O_CLOEXEC) < 0)
        return -ENOENT;
    return 0;
}

static int reopen_directories(const struct store *store, struct err *err) {
    _cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat st;

    if (!dir)
        return err_errno(err, "cannot open /proc/self/fd");
    while ((entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || fd == dirfd(dir) || fstat(fd, &st) < 0 ||
            !S_ISDIR(st.st_mode) || reopen(fd) == 0)
            continue;
        if (fd == store->fd)
            return err_set(err, -ENOENT, "%s: it was moved meanwhile", store->path);
        close(fd);
    }
    return 0;
}

/* All that is mounted becomes read-only for this process, but the store. */
static int seclude(const struct store *store, struct err *err) {
    struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID,
        .propagation = MS_PRIVATE,
    };
    _cleanup_close_ int tree = -1;
    int r;

    tree = sys_open_tree(AT_FDCWD, store->path, OPEN_TREE_CLONE | (unsigned)OPEN_TREE_CLOEXEC);
    r = tree < 0 ? -errno : mount_set_all(&attr);
    /* In a chroot there is no mount to begin with, and it is no prison either. */
    if (r < 0 && (tree < 0 || r != -EINVAL)) {
        errno = -r;
        return err_errno(err, "cannot make the mounts read-only");
    }
    if (sys_move_mount(tree, "", AT_FDCWD, store->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
        return err_errno(err, "cannot mount %s", store->path);
    return reopen_directories(store, err);
}

/* Sockets that lead to services of the host's, and signals. */
static int forbid_others(bool is_remote, struct err *err) {
    static const int signals[] = {SCMP_SYS(kill), SCMP_SYS(tkill), SCMP_SYS(rt_sigqueueinfo),
                                  SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(pidfd_send_signal)};
    const uint32_t refused = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    _cleanup_seccomp_filter_ scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    struct sock_fprog program = {0};
    int r = filter ? 0 : -ENOMEM;

    for (size_t i = 0; r == 0 && i < N_ELEMENTS(signals); i++)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), signals[i], 0);
    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(tgkill), 1,
                             SCMP_A0(SCMP_CMP_NE, (scmp_datum_t)getpid(), 0));
    if (r == 0)
        r = is_remote ? seccomp_rule_add(filter, refused, SCMP_SYS(socket), 1,
                                         SCMP_A0(SCMP_CMP_EQ, AF_UNIX, 0))
                      : seccomp_rule_add(filter, refused, SCMP_SYS(socket), 0);
    /* One of datagrams can be sent elsewhere; libcurl needs one of the other kind. */
    if (r == 0)
        r = seccomp_rule_add(filter, refused, SCMP_SYS(socketpair), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM));
    if (r == 0)
        r = seccomp_export(filter, &program);
    if (r == 0)
        r = seccomp_install(&program, false);
    if (r == 0)
        r = seccomp_install(seccomp_builtin(true, false), false);
    free(program.filter);
    return r < 0 ? err_set(err, r, "cannot install the filter of system calls: %s", strerror(-r))
                 : 0;
}

static int confine(void *context, struct err *err) {
    struct importer *importer = context;
    int r;

    if (importer->keeper != 0)
        return 0;
    r = start_keeper(importer, err);
    /* Inside of a container that cannot mount there is little left to be taken away. */
    if (r == 0 && unshare(CLONE_NEWNS) == 0)
        r = seclude(importer->store, err);
    if (r == 0)
        r = caps_confine(CAPS_OVER_FILES, 0, err);
    if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        r = err_errno(err, "cannot give up new privileges");
    return r < 0 ? r : forbid_others(importer->is_remote, err);
}

void importer_begin(struct importer *importer, struct store *store, bool is_remote) {
    *importer = (struct importer){.store = store, .is_remote = is_remote, .keeper_fd = -1};
    if (store->owners != STORE_OWNERS_ROOT)
        return;
    store->confine = confine;
    store->confine_context = importer;
}

void importer_end(struct importer *importer) {
    if (importer->keeper_fd >= 0)
        close(importer->keeper_fd);
    if (importer->keeper > 0)
        while (waitpid(importer->keeper, NULL, 0) < 0 && errno == EINTR)
            ;
}
