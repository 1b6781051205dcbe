/* SPDX-License-Identifier: Apache-2.0 */
/* A new network namespace has a loopback interface that is down; its addresses come with it. */
#include "loopback.h"

#include "engine/base/cleanup.h"

#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int loopback_up(struct err *err) {
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct ifreq request = {.ifr_flags = IFF_UP | IFF_RUNNING};

    strcpy(request.ifr_name, "lo");
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        return err_errno(err, "cannot bring up the container's loopback interface");
    return 0;
}
