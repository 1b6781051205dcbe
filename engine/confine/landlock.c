/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Abstract sockets belong to a network namespace and have no mode: a container
 * in the host's could speak to whatever service of the host's listens on one
 * (CVE-2020-15257).  Landlock keeps connections inside of a domain, which is this
 * process and all that it will start; what is made there can be reached as ever.
 *
 * File systems are not its business here.  A container sees no directory that it
 * was not given, and a domain with rules for files could mount nothing any more.
 */
#include "landlock.h"

#include "engine/base/cleanup.h"

#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* As the kernel has had it since 6.12; headers may be older. */
struct ruleset {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

#define SCOPE_ABSTRACT_UNIX_SOCKET 1
#define SCOPE_SIGNAL 2

int landlock_keep_inside(struct err *err) {
    const struct ruleset rules = {.scoped = SCOPE_ABSTRACT_UNIX_SOCKET | SCOPE_SIGNAL};
    _cleanup_close_ int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);

    if (fd >= 0 && syscall(SYS_landlock_restrict_self, fd, 0) < 0)
        return err_errno(err, "cannot keep the container from the host's abstract sockets");
    return 0;
}
