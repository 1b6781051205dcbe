/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile of AppArmor's is asked for by a write to a file of the process's own
 * in /proc.  Were something else mounted there, the write would go astray and the
 * program run without its profile (CVE-2019-16884, CVE-2025-52881): no mount is
 * crossed below the root of the kernel's own /proc.
 */
#include "apparmor.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The longest name that is asked for. */
#define APPARMOR_NAME_BYTES 1024

/* The inode of the root of every /proc. */
#define PROC_ROOT_INO 1

int apparmor_check(const char *profile, struct err *err) {
    _cleanup_free_ char *enabled = NULL;

    if (fd_read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 64, &enabled, NULL) < 0 ||
        enabled[0] != 'Y')
        return err_set(err, -EOPNOTSUPP, "--security-opt apparmor=%s: this host has no AppArmor",
                       profile);
    return 0;
}

static int open_attribute(const char *path) {
    const struct open_how how = {
        .flags = O_WRONLY | O_CLOEXEC,
        .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
    };
    _cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct statfs fs;
    struct stat st;
    int fd;

    if (proc < 0 || fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
        return -errno;
    if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INO)
        return -EXDEV;
    fd = sys_openat2(proc, path, &how);
    return fd < 0 ? -errno : fd;
}

int apparmor_set(const char *profile, enum apparmor_moment moment) {
    const char *verb = moment == APPARMOR_EXEC ? "exec " : "changeprofile ";
    _cleanup_close_ int fd =
        open_attribute(moment == APPARMOR_EXEC ? "thread-self/attr/apparmor/exec"
                                               : "thread-self/attr/apparmor/current");
    char text[APPARMOR_NAME_BYTES + 32];
    size_t length = strlen(profile);

    if (fd < 0)
        return fd;
    if (length > APPARMOR_NAME_BYTES)
        return -ENOENT;
    /* In one write: each is an order of its own. */
    memcpy(mempcpy(text, verb, strlen(verb)), profile, length);
    return write(fd, text, strlen(verb) + length) < 0 ? -errno : 0;
}
