/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounding set is what a program of root has after execve(2), so that
 * cutting it once, in PID 1, confines every step; a step of another user has
 * nothing, since set-user-id to a number other than 0 clears the rest.
 */
#include "caps.h"

#include "base/cleanup.h"

#include <sys/capability.h>
#include <sys/prctl.h>

static const cap_value_t kept[] = {
    CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,  CAP_FSETID, CAP_KILL,       CAP_NET_BIND_SERVICE,
    CAP_SETFCAP, CAP_SETGID,       CAP_SETPCAP, CAP_SETUID, CAP_SYS_CHROOT,
};

static int is_kept(cap_value_t cap) {
    for (size_t i = 0; i < N_ELEMENTS(kept); i++)
        if (kept[i] == cap)
            return 1;
    return 0;
}

static void free_caps(cap_t *caps) {
    if (*caps)
        cap_free(*caps);
}

int caps_confine(struct err *err) {
    _cleanup_(free_caps) cap_t caps = NULL;

    for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
        if (!is_kept(cap) && cap_drop_bound(cap) < 0)
            return err_errno(err, "cannot drop capability %d", cap);
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return err_errno(err, "cannot clear the ambient capabilities");
    caps = cap_init();
    if (!caps || cap_set_flag(caps, CAP_PERMITTED, N_ELEMENTS(kept), kept, CAP_SET) < 0 ||
        cap_set_flag(caps, CAP_EFFECTIVE, N_ELEMENTS(kept), kept, CAP_SET) < 0 ||
        cap_set_proc(caps) < 0)
        return err_errno(err, "cannot give up capabilities");
    return 0;
}
