/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONFINE_H
#define MAYFLY_CONFINE_H

#include "emulate.h"
#include "engine/base/err.h"
#include "engine/plan/plan.h"
#include "selinux.h"

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct confine - how a container will be confined, ready to be done
 * @caps: capabilities of its programs of root, a set of bits
 * @filter: filter of system calls for PID 1 and all others; lent; NULL: none
 * @own: when @filter was made for this run
 * @is_scoped: abstract sockets of the host's are in its network namespace
 * @boots: an image's init will run in a pid namespace of its own, which PID 1 makes
 * @profile: a filter for each step alone, which somebody has brought, or with @boots the default's;
 * its length is 0 without one
 * @apparmor: the name of a profile of AppArmor's, for each step alone; lent; NULL: none
 * @selinux: labels, which selinux_prepare() chooses
 */
struct confine {
    uint64_t caps;
    bool no_new_privileges;
    bool has_default_filter;
    bool is_scoped;
    bool boots;
    const struct sock_fprog *filter;
    struct sock_fprog own;
    struct sock_fprog profile;
    const char *apparmor;
    struct selinux selinux;
};

/**
 * confine_prepare() - find what a plan's confinement comes to
 * @single_id: the container has a single id, and its owners and users are emulated
 *
 * Context: host.  Reads the file of a profile.
 * Return: 0 or -errno with a text that names the option.
 */
int confine_prepare(struct confine *ret_confine, const struct plan *plan, bool single_id,
                    struct err *err);

void confine_done(struct confine *confine);

/**
 * confine_leave_keyring() - give this process a session keyring of its own, and leave the host's
 *
 * Context: the container's side while it is still the host's user, by whose quota a keyring counts.
 * Spec: session-keyring(7), keyctl(2).
 * Return: 0, or -EDQUOT without a text: the user has as many keys as may be, and keyctl(2) has to
 * be forbidden instead (confine_forbid_keys()); another -errno with a text.
 */
int confine_leave_keyring(struct err *err);

/** confine_forbid_keys() - make keyctl(2) fail with ENOSYS from now on.  Return: 0 or -errno. */
int confine_forbid_keys(struct err *err);

/**
 * confine_apply() - confine this process and all that it will start
 * @ret_emulator: with a single id, who answers for the users; else NULL
 *
 * Context: PID 1, after pivot; nothing of the container has run yet.
 * Return: 0 or -errno with a text.
 */
int confine_apply(const struct confine *confine, bool single_id, struct emulator **ret_emulator,
                  struct err *err);

/**
 * confine_step() - what a step does for itself, before it changes its user: profiles
 *
 * Bare system calls.
 * Context: child of PID 1, before execve(2).
 * Return: 0 or -errno.
 */
int confine_step(const struct confine *confine);

/**
 * confine_closure() - give up what PID 1 has beyond the container's capabilities
 *
 * For what goes on in PID 1's memory; a program loses it with execve(2).
 * Context: child of PID 1, after it has changed its user.
 * Return: 0 or -errno.
 */
int confine_closure(const struct confine *confine);

#endif
