/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done on the host's side, before the clone: sets of capabilities are
 * worked out, filters made or found.  What is done in PID 1: it puts itself
 * under the filter and gives its capabilities up, and everything that it starts
 * inherits that, so that a step costs nothing more.
 *
 * A profile that somebody brought may forbid what PID 1 itself needs; so each
 * step is put under it on its own, right before its execve(2).  PID 1 keeps
 * CAP_SYS_ADMIN for that, which the kernel asks for; the bounding set lacks it,
 * so no step has it.
 */
#include "confine.h"

#include "base/cleanup.h"
#include "base/str.h"
#include "caps.h"
#include "seccomp.h"
#include "seccomp_compile.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int confine_prepare(struct confine *ret_confine, const struct plan *plan, bool single_id,
                    struct err *err) {
    (void)plan;
    (void)err;
    *ret_confine = (struct confine){
        .caps = CAPS_DEFAULT,
        .filter = seccomp_builtin(true, single_id),
    };
    return 0;
}

void confine_done(struct confine *confine) {
    free(confine->own.filter);
    free(confine->profile.filter);
    *confine = (struct confine){0};
}

int confine_leave_keyring(struct err *err) {
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
        return 0;
    /* A kernel without keys, or a filter around us that lets nobody at them. */
    if (errno == ENOSYS || errno == EPERM)
        return 0;
    return errno == EDQUOT ? -EDQUOT : err_errno(err, "cannot make a session keyring");
}

int confine_forbid_keys(struct err *err) {
    _cleanup_seccomp_filter_ scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    struct sock_fprog program = {0};
    int r = filter ? seccomp_add_architectures(filter) : -ENOMEM;

    if (r == 0)
        r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(keyctl), 0);
    if (r == 0)
        r = seccomp_export(filter, &program);
    if (r == 0)
        r = seccomp_install(&program, false);
    free(program.filter);
    return r < 0 ? err_set(err, r, "cannot forbid the host's keyrings: %s", strerror(-r)) : 0;
}

int confine_apply(const struct confine *confine, const struct plan *plan, bool single_id,
                  struct emulator **ret_emulator, struct err *err) {
    int r = 0;

    (void)plan;
    if (confine->filter)
        r = seccomp_install(confine->filter, single_id);
    if (r < 0)
        return err_set(err, r, "cannot install the filter of system calls: %s", strerror(-r));
    if (single_id) {
        r = emulator_new(ret_emulator, r, err);
        if (r < 0)
            return r;
    }
    return caps_confine(confine->caps, confine->profile.len ? CAPS_BIT(CAP_SYS_ADMIN) : 0, err);
}
