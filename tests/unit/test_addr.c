/* SPDX-License-Identifier: Apache-2.0 */
#include "net/addr.h"
#include "net/link.h"

#include "tests/support/ns.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>

/** probe() - whether @text is somebody's; a negative answer is waited for shortly. */
static bool probe(const char *text, uint64_t wait_nsec) {
    _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, NULL);
    struct link_info link;

    NS_CHECK(fd >= 0 && link_get(fd, "near", &link, NULL) == 0);
    return addr_is_taken(fd, link.index, "near", inet_addr(text), wait_nsec);
}

static void probes(void) {
    NS_CHECK(ns_shell("ip link add near type veth peer name far") == 0);
    ns_start_machine("far", "near", "192.168.9.100");
    /* As often as it is asked, and whatever was asked before. */
    for (int i = 0; i < 3; i++) {
        NS_CHECK(probe("192.168.9.100", 10 * NSEC_PER_SEC), "%d", i);
        NS_CHECK(!probe("192.168.9.101", NSEC_PER_MSEC));
    }
    /* Nothing of it stays: no route, and nobody is asked any more. */
    NS_CHECK(ns_shell("test -z \"$(ip -4 route; ip -4 neigh)\"") == 0);
}

Test(addr, probes_for_an_owner) {
    cr_assert(ns_run(probes));
}
