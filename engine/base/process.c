/* SPDX-License-Identifier: Apache-2.0 */
#include "process.h"

#include "cleanup.h"
#include "sys.h"

#include <errno.h>
#include <poll.h>

bool process_is_alive(pid_t pid) {
    _cleanup_close_ int pidfd = sys_pidfd_open(pid);
    struct pollfd end = {.fd = pidfd, .events = POLLIN};

    return pidfd < 0 ? errno != ESRCH : poll(&end, 1, 0) <= 0;
}
