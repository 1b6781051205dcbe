/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that make, change or remove a thing with a name, and those
 * that the C library does not wrap.  Each returns as the call does: -1 and
 * errno.  A build with MAYFLY_FAULT counts them and can fail one or be killed
 * at one (tests/support/fault.c), so that every unwinding can be tried.
 */
#ifndef MAYFLY_SYS_H
#define MAYFLY_SYS_H

#include <errno.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef MAYFLY_FAULT
/** fault_point() - counts a call; nonzero and errno set when this one is to fail. */
int fault_point(const char *name);
#else
static inline int fault_point(const char *name) {
    (void)name;
    return 0;
}
#endif

static inline int sys_openat2(int dir_fd, const char *path, const struct open_how *how) {
    return (int)syscall(SYS_openat2, dir_fd, path, how, sizeof *how);
}

static inline int sys_mkdirat(int dir_fd, const char *path, mode_t mode) {
    return fault_point("mkdirat") ? -1 : mkdirat(dir_fd, path, mode);
}

static inline int sys_unlinkat(int dir_fd, const char *path, int flags) {
    return fault_point("unlinkat") ? -1 : unlinkat(dir_fd, path, flags);
}

static inline int sys_symlinkat(const char *target, int dir_fd, const char *path) {
    return fault_point("symlinkat") ? -1 : symlinkat(target, dir_fd, path);
}

static inline int sys_linkat(int old_fd, const char *old, int new_fd, const char *new_, int flags) {
    return fault_point("linkat") ? -1 : linkat(old_fd, old, new_fd, new_, flags);
}

static inline int sys_mknodat(int dir_fd, const char *path, mode_t mode, dev_t device) {
    return fault_point("mknodat") ? -1 : mknodat(dir_fd, path, mode, device);
}

/** sys_renameat2() - @flags: RENAME_NOREPLACE, RENAME_EXCHANGE; Spec: renameat2(2). */
static inline int sys_renameat2(int old_fd, const char *old, int new_fd, const char *new_,
                                unsigned flags) {
    return fault_point("renameat2") ? -1
                                    : (int)syscall(SYS_renameat2, old_fd, old, new_fd, new_, flags);
}

static inline int sys_open_tree(int dir_fd, const char *path, unsigned flags) {
    return fault_point("open_tree") ? -1 : (int)syscall(SYS_open_tree, dir_fd, path, flags);
}

static inline int sys_move_mount(int from_fd, const char *from, int to_fd, const char *to,
                                 unsigned flags) {
    return fault_point("move_mount")
               ? -1
               : (int)syscall(SYS_move_mount, from_fd, from, to_fd, to, flags);
}

static inline int sys_mount_setattr(int dir_fd, const char *path, unsigned flags,
                                    struct mount_attr *attr) {
    return fault_point("mount_setattr")
               ? -1
               : (int)syscall(SYS_mount_setattr, dir_fd, path, flags, attr, sizeof *attr);
}

static inline int sys_fsopen(const char *type, unsigned flags) {
    return fault_point("fsopen") ? -1 : (int)syscall(SYS_fsopen, type, flags);
}

static inline int sys_fsconfig(int fs_fd, unsigned command, const char *key, const void *value) {
    return (int)syscall(SYS_fsconfig, fs_fd, command, key, value, 0);
}

static inline int sys_fsmount(int fs_fd, unsigned flags, unsigned attributes) {
    return fault_point("fsmount") ? -1 : (int)syscall(SYS_fsmount, fs_fd, flags, attributes);
}

static inline int sys_mount(const char *source, const char *target, const char *type,
                            unsigned long flags, const char *options) {
    return fault_point("mount") ? -1 : mount(source, target, type, flags, options);
}

static inline int sys_pivot_root(const char *new_root, const char *put_old) {
    return fault_point("pivot_root") ? -1 : (int)syscall(SYS_pivot_root, new_root, put_old);
}

static inline pid_t sys_clone3(struct clone_args *args) {
    return fault_point("clone3") ? -1 : (pid_t)syscall(SYS_clone3, args, sizeof *args);
}

static inline int sys_pidfd_open(pid_t pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

static inline int sys_pidfd_send_signal(int pidfd, int signal_number) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal_number, NULL, 0);
}

static inline int sys_close_range(unsigned first, unsigned last) {
    return (int)syscall(SYS_close_range, first, last, 0);
}

#endif
