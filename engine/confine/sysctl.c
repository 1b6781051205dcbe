/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Switches under /proc/sys.  Those listed belong to a namespace, and the process
 * that writes decides which; every other one is the whole host's, and refused.
 */
#include "sysctl.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* Spec: OCI runtime-spec, config-linux.md, "Sysctl"; docker-run(1), --sysctl. */
static const char *const of_namespaces[] = {
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni",          "kernel.sem",  "kernel.shmall",
    "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced", "fs.mqueue.*", "net.*",
};

static bool is_of_namespace(const char *name) {
    for (size_t i = 0; i < N_ELEMENTS(of_namespaces); i++) {
        const char *pattern = of_namespaces[i];
        size_t n = strlen(pattern);

        if (pattern[n - 1] == '*' ? strncmp(name, pattern, n - 1) == 0 && name[n - 1]
                                  : str_eq(name, pattern))
            return true;
    }
    return false;
}

int sysctl_add(struct strv *sysctls, const char *spec, struct err *err) {
    const char *value = strchr(spec, '=');
    _cleanup_free_ char *name = value ? strndup(spec, (size_t)(value - spec)) : NULL;
    _cleanup_free_ char *assignment = NULL;

    if (!value || value == spec || strstr(spec, ".."))
        return err_set(err, -EINVAL, "--sysctl '%s' is not NAME=VALUE", spec);
    if (!name)
        return err_nomem(err);
    for (char *p = name; *p; p++)
        if (*p == '/')
            *p = '.';
    if (!is_of_namespace(name))
        return err_set(err, -EINVAL,
                       "--sysctl %s is the whole host's, not a container's; those of net.*, "
                       "fs.mqueue.* and kernel.shm*, msg*, sem can be set",
                       name);
    assignment = str_printf("%s%s", name, value);
    return !assignment || strv_set_env(sysctls, assignment) < 0 ? err_nomem(err) : 0;
}

bool sysctl_is_network(const char *spec) {
    return str_after(spec, "net.") != NULL;
}

int sysctl_apply(const struct strv *sysctls, struct err *err) {
    for (size_t i = 0; i < sysctls->n; i++) {
        const char *value = strchr(sysctls->items[i], '=') + 1;
        _cleanup_free_ char *path =
            str_printf("/proc/sys/%.*s", (int)(value - 1 - sysctls->items[i]), sysctls->items[i]);
        _cleanup_close_ int fd = -1;
        int r;

        if (!path)
            return err_nomem(err);
        for (char *p = path; *p; p++)
            if (*p == '.')
                *p = '/';
        fd = open(path, O_WRONLY | O_CLOEXEC);
        r = fd < 0 ? -errno : fd_write_all(fd, value, strlen(value));
        if (r < 0) {
            errno = -r;
            return err_errno(err, "--sysctl %s", sysctls->items[i]);
        }
    }
    return 0;
}
