/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile of AppArmor's and a label of SELinux's are asked for by a write to a file
 * of the process's own in /proc.  Were something else mounted there, the write would
 * go astray and the program run without (CVE-2019-16884, CVE-2025-52881): no mount
 * is crossed below the root of the kernel's own /proc.
 */
#include "attribute.h"

#include "engine/base/cleanup.h"
#include "engine/base/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The inode of the root of every /proc. */
#define PROC_ROOT_INO 1

static int open_attribute(const char *name) {
    const struct open_how how = {
        .flags = O_WRONLY | O_CLOEXEC,
        .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
    };
    _cleanup_close_ int proc = open("/proc", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    char path[64];
    struct statfs fs;
    struct stat st;
    int fd;

    if (proc < 0 || fstatfs(proc, &fs) < 0 || fstat(proc, &st) < 0)
        return -errno;
    if (fs.f_type != PROC_SUPER_MAGIC || st.st_ino != PROC_ROOT_INO)
        return -EXDEV;
    snprintf(path, sizeof path, "thread-self/attr/%s", name);
    fd = sys_openat2(proc, path, &how);
    return fd < 0 ? -errno : fd;
}

int attribute_write(const char *name, const char *text, size_t n) {
    _cleanup_close_ int fd = open_attribute(name);

    if (fd < 0)
        return fd;
    return write(fd, text, n) < 0 ? -errno : 0;
}
