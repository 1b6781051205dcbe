/* SPDX-License-Identifier: Apache-2.0 */
/* The filters that are ready, and the one system call that puts a process under one. */
#include "seccomp.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp_filters.h>
#include <sys/syscall.h>

const struct sock_fprog *seccomp_builtin(bool confine, bool emulate) {
    static const struct sock_fprog programs[2][2] = {
        {{0},
         {N_ELEMENTS(filter_unconfined_single), (struct sock_filter *)filter_unconfined_single}},
        {{N_ELEMENTS(filter_default), (struct sock_filter *)filter_default},
         {N_ELEMENTS(filter_default_single), (struct sock_filter *)filter_default_single}},
    };

    return confine || emulate ? &programs[confine][emulate] : NULL;
}

int seccomp_install(const struct sock_fprog *program, bool notify) {
    long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                     notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, program);

    return r < 0 ? -errno : (int)r;
}
