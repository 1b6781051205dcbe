/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done on the host's side, before the clone: sets of capabilities are
 * worked out, filters made or found.  What is done in PID 1: it puts itself
 * under the filter and gives its capabilities up, and everything that it starts
 * inherits that, so that a step costs nothing more.
 *
 * A profile that somebody brought may forbid what PID 1 itself needs; so each
 * step is put under it on its own, right before its execve(2), and so it is with
 * a profile of AppArmor's and a label of SELinux's.  PID 1 keeps
 * CAP_SYS_ADMIN for that, which the kernel asks for.  What PID 1 has beyond the
 * container's capabilities is not in the bounding set, so no program has it.
 */
#include "confine.h"

#include "apparmor.h"
#include "attribute.h"
#include "caps.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "landlock.h"
#include "seccomp.h"
#include "seccomp_compile.h"
#include "seccomp_profile.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* PID 1 has to mount and to make a namespace later on: each step goes under the filter by itself.
 * An init may end its own pid namespace, which is all that reboot(2) does there. */
static int prepare_for_boot(struct confine *confine, const struct confinement *wanted,
                            bool single_id, struct err *err) {
    const char *profile = confinement_profile(wanted);
    bool default_filter = confine->has_default_filter;

    confine->caps |= CAPS_BIT(CAP_SYS_BOOT) & ~wanted->caps_dropped;
    confine->filter = seccomp_builtin(false, single_id);
    confine->has_default_filter = false;
    if (profile)
        return seccomp_profile_load(profile, confine->caps, &confine->profile, err);
    return default_filter ? seccomp_compile(true, confine->caps, false, &confine->profile, err) : 0;
}

int confine_prepare(struct confine *ret_confine, const struct plan *plan, bool single_id,
                    struct err *err) {
    const struct confinement *wanted = &plan->confinement;
    bool default_filter = confinement_has_filter(wanted);
    const char *profile = confinement_profile(wanted);
    int r = 0;

    *ret_confine = (struct confine){
        .caps = confinement_caps(wanted),
        .no_new_privileges = wanted->no_new_privileges,
        .has_default_filter = default_filter,
        .filter = seccomp_builtin(default_filter, single_id),
        .is_scoped = plan->net == NET_HOST && !wanted->privileged,
        .boots = plan->init_system,
        .apparmor = wanted->apparmor,
    };
    if (wanted->apparmor)
        r = apparmor_check(wanted->apparmor, err);
    if (r == 0 && plan->init_system)
        return prepare_for_boot(ret_confine, wanted, single_id, err);
    if (r == 0 && profile)
        r = seccomp_profile_load(profile, ret_confine->caps, &ret_confine->profile, err);
    if (r == 0 && default_filter && ret_confine->caps != CAPS_DEFAULT) {
        r = seccomp_compile(true, ret_confine->caps, single_id, &ret_confine->own, err);
        ret_confine->filter = &ret_confine->own;
    }
    return r;
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

/* The filter without its emulation. */
static int install_beneath(const struct confine *confine, struct err *err) {
    struct sock_fprog program = {0};
    int r = 0;

    if (confine->own.len)
        r = seccomp_compile(true, confine->caps, false, &program, err);
    else if (confine->has_default_filter)
        return seccomp_install(seccomp_builtin(true, false), false);
    if (r == 0 && program.len)
        r = seccomp_install(&program, false);
    free(program.filter);
    return r;
}

int confine_apply(const struct confine *confine, bool single_id, struct emulator **ret_emulator,
                  struct err *err) {
    /* What PID 1 itself does takes these: users of steps, owners of copies, their filters, mounts.
     */
    const bool is_admin = confine->profile.len || confine->boots;
    const uint64_t own = CAPS_DEFAULT | (is_admin ? CAPS_BIT(CAP_SYS_ADMIN) : 0);
    int r = 0;

    if (confine->no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_errno(err, "cannot give up new privileges");
    if (confine->is_scoped)
        r = landlock_keep_inside(err);
    if (r < 0)
        return r;
    if (confine->filter)
        r = seccomp_install(confine->filter, single_id);
    /* Inside a container that emulates there is somebody who answers already, and one is all. */
    if (r == -EBUSY && single_id) {
        single_id = false;
        r = install_beneath(confine, err);
    }
    if (r < 0)
        return err_set(err, r, "cannot install the filter of system calls: %s", strerror(-r));
    if (single_id) {
        r = emulator_new(ret_emulator, r, err);
        if (r < 0)
            return r;
    }
    return caps_confine(confine->caps, own, err);
}

static int set_label(const struct confine *confine, const char *attribute) {
    const char *label = confine->selinux.process;

    return *label ? attribute_write(attribute, label, strlen(label)) : 0;
}

int confine_step(const struct confine *confine) {
    int r = confine->apparmor ? apparmor_set(confine->apparmor, APPARMOR_EXEC) : 0;

    if (r == 0)
        r = set_label(confine, "exec");
    if (r < 0)
        return r;
    return confine->profile.len ? seccomp_install(&confine->profile, false) : 0;
}

int confine_closure(const struct confine *confine) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    for (int i = 0; i < 2; i++) {
        data[i].effective &= (uint32_t)(confine->caps >> (32 * i));
        data[i].permitted &= (uint32_t)(confine->caps >> (32 * i));
    }
    if (syscall(SYS_capset, &header, data) < 0)
        return -errno;
    if (confine->apparmor)
        return apparmor_set(confine->apparmor, APPARMOR_NOW);
    return set_label(confine, "current");
}
