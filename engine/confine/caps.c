/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bounding set is what a program of root has after execve(2), so that
 * cutting it once, in PID 1, confines every step; a step of another user has
 * nothing, since set-user-id to a number other than 0 clears the rest.
 */
#include "caps.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <stdio.h>
#include <sys/capability.h>
#include <sys/prctl.h>

static void free_caps(cap_t *caps) {
    if (*caps)
        cap_free(*caps);
}

int caps_parse(const char *name, uint64_t *ret_caps, struct err *err) {
    char text[64];
    cap_value_t cap;

    if (strcasecmp(name, "ALL") == 0) {
        *ret_caps = CAPS_ALL;
        return 0;
    }
    /* No list, no set: one name, as libcap writes it. */
    snprintf(text, sizeof text, "%s%s", strncasecmp(name, "CAP_", 4) == 0 ? "" : "cap_", name);
    if (strlen(text) + 1 == sizeof text || cap_from_name(text, &cap) < 0 || cap < 0 || cap > 63)
        return err_set(err, -EINVAL,
                       "'%s' is not a capability; give a name such as NET_ADMIN, or ALL", name);
    *ret_caps = CAPS_BIT(cap);
    return 0;
}

int caps_names(uint64_t caps, struct strv *names) {
    for (cap_value_t cap = 0; cap < 64 && cap_get_bound(cap) >= 0; cap++) {
        char *name = caps & CAPS_BIT(cap) ? cap_to_name(cap) : NULL, *copy;

        if (!name)
            continue;
        copy = strdup(name);
        cap_free(name);
        for (char *p = copy; p && *p; p++)
            *p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
        if (strv_push_take(names, copy) < 0)
            return -ENOMEM;
    }
    return 0;
}

int caps_confine(uint64_t caps, uint64_t kept, struct err *err) {
    _cleanup_(free_caps) cap_t own = cap_init();
    cap_value_t list[64];
    int n = 0;

    for (cap_value_t cap = 0; cap < 64 && cap_get_bound(cap) >= 0; cap++) {
        if ((caps & CAPS_BIT(cap)) == 0 && cap_drop_bound(cap) < 0)
            return err_errno(err, "cannot drop capability %d", cap);
        if ((caps | kept) & CAPS_BIT(cap))
            list[n++] = cap;
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return err_errno(err, "cannot clear the ambient capabilities");
    if (!own || (n && cap_set_flag(own, CAP_PERMITTED, n, list, CAP_SET) < 0) ||
        (n && cap_set_flag(own, CAP_EFFECTIVE, n, list, CAP_SET) < 0) || cap_set_proc(own) < 0)
        return err_errno(err, "cannot give up capabilities");
    return 0;
}
