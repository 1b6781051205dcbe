/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SECCOMP_H
#define MAYFLY_SECCOMP_H

#include "engine/base/err.h"

#include <linux/filter.h>
#include <stdbool.h>

/**
 * seccomp_builtin() - a filter that was made when mayfly was built
 * @confine, @emulate: as for seccomp_compile(), for the capabilities of CAPS_DEFAULT
 *
 * Return: lent; NULL when neither is asked for.
 */
const struct sock_fprog *seccomp_builtin(bool confine, bool emulate);

/**
 * seccomp_install() - put this thread, and all that it will start, under a filter
 * @notify: the filter has calls that another process answers
 *
 * A bare system call, also fit for a child that borrows its parent's memory.
 * Context: CAP_SYS_ADMIN in the user namespace, or no_new_privs.
 * Spec: seccomp(2), SECCOMP_SET_MODE_FILTER.
 * Return: with @notify the descriptor where the calls arrive, O_CLOEXEC, else 0; -errno.
 */
int seccomp_install(const struct sock_fprog *program, bool notify);

#endif
