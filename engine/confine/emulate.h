/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_EMULATE_H
#define MAYFLY_EMULATE_H

#include "engine/base/err.h"
#include "user.h"

/**
 * struct emulator - emulated ownership for containers that have a single id
 *
 * Package managers change owners and drop privileges; with one id in the namespace every such call
 * fails.  Under the emulator, chown(2) and its kin succeed and change nothing; the setuid(2)
 * family succeeds and is remembered for each process and its descendants, so that the getuid(2)
 * family answers what was set.
 */
struct emulator;

/**
 * emulator_new() - answer the calls of a filter with emulation
 * @notify_fd: where they arrive (seccomp_install()); taken over, also on failure
 *
 * Context: PID 1.
 * Spec: seccomp_unotify(2).
 * Return: 0 or -errno with a text.
 */
int emulator_new(struct emulator **ret_emulator, int notify_fd, struct err *err);

/** emulator_use_proc() - look processes up in the /proc that @proc_fd, lent, is, in place of
 * "/proc". */
void emulator_use_proc(struct emulator *emulator, int proc_fd);

/** emulator_fd() - to poll(2) for POLLIN. */
int emulator_fd(const struct emulator *emulator);

/** emulator_dispatch() - answer one call.  Of processes that died meanwhile nothing is expected. */
void emulator_dispatch(struct emulator *emulator);

/** emulator_set() - process @pid begins as @user. */
void emulator_set(struct emulator *emulator, pid_t pid, const struct user *user);

/** emulator_reap() - process @pid has ended. */
void emulator_reap(struct emulator *emulator, pid_t pid);

#endif
