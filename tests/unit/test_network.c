/* SPDX-License-Identifier: Apache-2.0 */
#include "net/network.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct network_setup_request setup = {.hostname = "box",
                                                   .timeout_nsec = 10 * NSEC_PER_SEC};

static struct network_request own_network(int state_fd) {
    return (struct network_request){.network = NETWORK_DEFAULT, .state_fd = state_fd};
}

static void start(struct box *box, struct network_request *request) {
    box_start(box);
    NS_CHECK(box_attach(box, request) == 0, "%s", box->err.message);
    NS_CHECK(box_setup(box, &setup) == 0, "%s", box->err.message);
}

/* One container. */

static void gets_an_address(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box box;

    start(&box, &request);
    NS_CHECK(box.lease.client.lease.address_be == network_address(box.network));
    NS_CHECK(box_shell(&box, "ip -4 addr show dev eth0 | grep -q 'inet %s/20 brd'",
                       ns_address(&box)) == 0);
    NS_CHECK(box_shell(&box, "busybox ping -q -c1 -W2 10.64.0.1 >/dev/null") == 0,
             "no way to the bridge");
    NS_CHECK(box_shell(&box, "ip route | grep -q default") != 0, "there is a way out");
    NS_CHECK(ns_shell("ip link | grep -q mayfly") != 0, "the bridge is in the host's namespace");
    box_stop(&box);
    NS_CHECK(faccessat(request.state_fd, "mayfly0.network", F_OK, 0) < 0, "state is left");
}

Test(network, one_container_gets_an_address_and_leaves_nothing) {
    cr_assert(ns_run(gets_an_address));
}
