/* SPDX-License-Identifier: Apache-2.0 */
/* What AppArmor is told is a verb and a profile's name, in one write: each is an order of its own.
 */
#include "apparmor.h"

#include "attribute.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* The longest name that is asked for. */
#define APPARMOR_NAME_BYTES 1024

int apparmor_check(const char *profile, struct err *err) {
    _cleanup_free_ char *enabled = NULL;

    if (fd_read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 64, &enabled, NULL) < 0 ||
        enabled[0] != 'Y')
        return err_set(err, -EOPNOTSUPP, "--security-opt apparmor=%s: this host has no AppArmor",
                       profile);
    return 0;
}

int apparmor_set(const char *profile, enum apparmor_moment moment) {
    const char *verb = moment == APPARMOR_EXEC ? "exec " : "changeprofile ";
    char text[APPARMOR_NAME_BYTES + 32];
    size_t length = strlen(profile);

    if (length > APPARMOR_NAME_BYTES)
        return -ENOENT;
    memcpy(mempcpy(text, verb, strlen(verb)), profile, length);
    return attribute_write(moment == APPARMOR_EXEC ? "apparmor/exec" : "apparmor/current", text,
                           strlen(verb) + length);
}
