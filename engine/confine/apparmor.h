/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_APPARMOR_H
#define MAYFLY_APPARMOR_H

#include "engine/base/err.h"

/** enum apparmor_moment - from when on a profile holds */
enum apparmor_moment {
    APPARMOR_EXEC, /* this process's next execve(2) */
    APPARMOR_NOW,
};

/**
 * apparmor_check() - whether profiles can be set here
 *
 * Whether there is one of that name, the kernel says when it is set.
 * Context: host.
 * Return: 0 or -errno with a text that names the option.
 */
int apparmor_check(const char *profile, struct err *err);

/**
 * apparmor_set() - put this process under a profile
 *
 * Bare system calls.
 * Context: in the container, /proc mounted; one thread.
 * Spec: the kernel's Documentation/admin-guide/LSM/apparmor.rst; proc_pid_attr(5).
 * Return: 0, -ENOENT: there is no such profile; another -errno.
 */
int apparmor_set(const char *profile, enum apparmor_moment moment);

#endif
