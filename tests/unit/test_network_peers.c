/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our server with other people's clients, our client with other people's
 * servers.
 */
#include "net/network.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char last_log[256];

static void keep_log(void *context, enum log_level level, const char *text) {
    (void)context;
    (void)level;
    snprintf(last_log, sizeof last_log, "%s", text);
}

static const struct log capture = {.emit = keep_log};

/* Clients in a container. */

static void start_without_address(struct box *box, int state_fd) {
    struct network_request request = {.network = NETWORK_DEFAULT, .state_fd = state_fd};

    box_start(box);
    NS_CHECK(box_attach(box, &request) == 0, "%s", box->err.message);
    NS_CHECK(box_shell(box, "ip link set lo up; ip link set eth0 up") == 0);
}

static void udhcpc(void) {
    struct box box;

    start_without_address(&box, ns_state_dir());
    /* bound, then a renewal by unicast, then a release. */
    NS_CHECK(box_shell(&box,
                       "printf '#!/bin/sh\\n"
                       "test $1 = bound && ip addr add $ip/$mask dev $interface\\n"
                       "test $1 = deconfig && ip addr flush dev $interface\\n"
                       "echo $1 $ip >>/run/log\\n' >/run/script; chmod +x /run/script;"
                       "busybox udhcpc -i eth0 -n -q -R -t 30 -s /run/script"
                       " >/run/out 2>&1 || exit 1;"
                       "grep -q 'bound %s' /run/log",
                       ns_address(&box)) == 0);
    box_stop(&box);
}

static void udhcpc_renews(void) {
    struct box box;

    start_without_address(&box, ns_state_dir());
    NS_CHECK(box_shell(&box,
                       "mkfifo /run/events; printf '#!/bin/sh\\n"
                       "test $1 = bound && ip addr add $ip/$mask dev $interface\\n"
                       "test $1 = deconfig && ip addr flush dev $interface\\n"
                       "echo $1 >/run/events\\n' >/run/script; chmod +x /run/script;"
                       "(exec busybox udhcpc -f -i eth0 -n -R -t 30 -s /run/script >/run/out 2>&1)"
                       " & pid=$!; exec 3<>/run/events;"
                       "await() { while read -r e <&3; do test $e = $1 && return; done; };"
                       "await bound; kill -USR1 $pid; await renew;"
                       "kill -USR2 $pid; await deconfig; kill $pid; true") == 0);
    box_stop(&box);
}

Test(network_peers, udhcpc_gets_a_lease) {
    cr_assert(ns_run(udhcpc));
}

Test(network_peers, udhcpc_renews_and_releases) {
    cr_assert(ns_run(udhcpc_renews));
}

static void dhclient(void) {
    struct box box;

    start_without_address(&box, ns_state_dir());
    NS_CHECK(box_shell(&box,
                       "printf '#!/bin/sh\\necho $reason $new_ip_address >>/run/log\\n"
                       "test $reason = BOUND &&"
                       " ip addr add $new_ip_address/20 dev $interface\\nexit 0\\n'"
                       " >/run/script; chmod +x /run/script;"
                       "dhclient -1 -v -sf /run/script -lf /run/leases -pf /run/pid"
                       " -cf /dev/null eth0 >/run/out 2>&1; grep -q 'BOUND %s' /run/log",
                       ns_address(&box)) == 0);
    NS_CHECK(box_shell(&box, "dhclient -r -v -sf /run/script -lf /run/leases -pf /run/pid"
                             " -cf /dev/null eth0 >/run/out 2>&1; grep -q RELEASE /run/log") == 0);
    box_stop(&box);
}

Test(network_peers, dhclient_gets_and_releases_a_lease) {
    if (!ns_has("dhclient"))
        cr_skip_test("isc-dhcp-client is not installed");
    cr_assert(ns_run(dhclient));
}

static void dhcpcd(void) {
    static const struct log talkative = {.emit = keep_log, .debug = true};
    struct network_request request = {
        .network = NETWORK_DEFAULT, .state_fd = ns_state_dir(), .log = &talkative};
    struct box box;

    box_start(&box);
    NS_CHECK(box_attach(&box, &request) == 0, "%s", box.err.message);
    NS_CHECK(box_shell(&box, "ip link set lo up; ip link set eth0 up") == 0);
    NS_CHECK(
        box_shell(&box,
                  "mkdir -p /run/db && mount --bind /run/db /var/lib/dhcpcd; mkfifo /run/events;"
                  "printf '#!/bin/sh\\necho $reason $new_ip_address >/run/events\\n'"
                  " >/run/script; chmod +x /run/script; exec 3<>/run/events;"
                  "dhcpcd -4 -B -A -f /dev/null -c /run/script eth0 >/run/out 2>&1 & pid=$!;"
                  "await() { while read -r e <&3; do test \"$e\" = \"$*\" && return; done; };"
                  /* It is deaf to that until it has dealt with the end of its script. */
                  "await BOUND %s; (while :; do dhcpcd -4 -N -f /dev/null eth0; sleep 0.1; done)"
                  " >/run/out2 2>&1 & again=$!; await RENEW %s; kill $again; wait $again;"
                  "dhcpcd -4 -k -f /dev/null eth0 >/run/out3 2>&1;"
                  "await STOPPED; wait $pid; ! ip -4 addr show dev eth0 | grep inet",
                  ns_address(&box), ns_address(&box)) == 0,
        "dhcpcd has no lease");
    network_dispatch(box.network, NULL, 0, clock_monotonic());
    NS_CHECK(strstr(last_log, "given back"), "%s", last_log);
    box_stop(&box);
}

Test(network_peers, dhcpcd_gets_renews_and_releases_a_lease) {
    if (!ns_has("dhcpcd"))
        cr_skip_test("dhcpcd is not installed");
    cr_assert(ns_run(dhcpcd));
}

/* Servers on a bridge of the host. */

static const struct network_setup_request setup = {
    .hostname = "box", .renew = true, .timeout_nsec = 60 * NSEC_PER_SEC};

static void make_bridge(void) {
    NS_CHECK(ns_shell("ip link add br9 type bridge && ip link set br9 up &&"
                      " ip addr add 192.168.9.1/24 dev br9") == 0);
}

/** start_dnsmasq() - returns when it is ready: it goes into the background then. */
static void start_dnsmasq(int state_fd, const char *range) {
    NS_CHECK(ns_shell("cd /proc/%d/fd/%d && dnsmasq --conf-file=/dev/null --port=0"
                      " --interface=br9 --bind-interfaces --user=root --group="
                      " --dhcp-authoritative --dhcp-range=%s,120 --dhcp-leasefile=$PWD/leases"
                      " --pid-file=$PWD/pid --no-ping --dhcp-option=6,192.168.9.53"
                      " --dhcp-option=15,lan.example --log-facility=/dev/null",
                      getpid(), state_fd, range) == 0);
}

static void stop_server(int state_fd) {
    /* It has let go of its port when its pid file is gone. */
    NS_CHECK(ns_shell("cd /proc/%d/fd/%d && p=$(cat pid) && kill $p &&"
                      " while kill -0 $p 2>/dev/null; do :; done; rm -f leases",
                      getpid(), state_fd) == 0);
}

static void attach(struct box *box) {
    struct network_request request = {.bridge = "br9", .log = &capture};

    box_start(box);
    NS_CHECK(box_attach(box, &request) == 0, "%s", box->err.message);
}

/** pass_time() - let the client act as if it were later, and take the answer. */
static void pass_time(struct box *box, uint64_t later_nsec, bool is_answered) {
    struct pollfd fds[NETWORK_MAX_POLL];

    network_dispatch(box->network, NULL, 0, later_nsec);
    NS_CHECK(network_poll(box->network, fds) == 1);
    if (is_answered)
        NS_CHECK(poll(fds, 1, 60000) == 1, "no answer");
    network_dispatch(box->network, NULL, 0, later_nsec);
}

static void dnsmasq_lease(void) {
    int state_fd = ns_state_dir();
    struct box box;
    uint64_t now_nsec;

    make_bridge();
    start_dnsmasq(state_fd, "192.168.9.100,192.168.9.110");
    attach(&box);
    NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
    NS_CHECK(box.lease.client.lease.lease_sec == 120);
    NS_CHECK(strcmp(box.lease.client.lease.domain, "lan.example") == 0);
    NS_CHECK(box.lease.client.lease.n_dns == 1);
    NS_CHECK(box_shell(&box, "ip route | grep -q 'default via 192.168.9.1 dev eth0'") == 0);

    /* dnsmasq wants renewals somewhat before half the time. */
    /* Renewed by unicast, then after a restart of the server that forgot all. */
    now_nsec = clock_monotonic();
    pass_time(&box, now_nsec + 61 * NSEC_PER_SEC, true);
    NS_CHECK(network_deadline(box.network) > now_nsec + 90 * NSEC_PER_SEC, "not renewed");
    stop_server(state_fd);
    start_dnsmasq(state_fd, "192.168.9.100,192.168.9.110");
    pass_time(&box, now_nsec + 122 * NSEC_PER_SEC, true);
    NS_CHECK(network_deadline(box.network) > now_nsec + 150 * NSEC_PER_SEC, "not renewed");
    /* Another one in its place hears what is said to all alone: rebinding. */
    stop_server(state_fd);
    NS_CHECK(ns_shell("ip addr del 192.168.9.1/24 dev br9; ip addr add 192.168.9.2/24 dev br9") ==
             0);
    start_dnsmasq(state_fd, "192.168.9.100,192.168.9.110");
    pass_time(&box, network_deadline(box.network), false);
    now_nsec = network_deadline(box.network);
    pass_time(&box, now_nsec, true);
    NS_CHECK(network_deadline(box.network) > now_nsec + 30 * NSEC_PER_SEC, "not rebound");
    box_stop(&box);
    /* The kernel ends the container's namespace, and with it the link, in the background. */
    NS_CHECK(ns_shell("while ip -o link | grep -q mayfly; do :; done") == 0);
    stop_server(state_fd);
}

Test(network_peers, dnsmasq_gives_a_lease_and_is_restarted) {
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    cr_assert(ns_run(dnsmasq_lease));
}

/** start_dhcpd() - returns when it is ready: it goes into the background then. */
static void start_dhcpd(int state_fd) {
    NS_CHECK(ns_shell("cd /proc/%d/fd/%d && touch leases && printf '%%s\\n' 'authoritative;'"
                      " 'default-lease-time 120; max-lease-time 120;'"
                      " 'subnet 192.168.9.0 netmask 255.255.255.0 {'"
                      " ' range 192.168.9.100 192.168.9.110; option routers 192.168.9.1;'"
                      " ' option domain-name-servers 192.168.9.53;'"
                      " ' option domain-name \"lan.example\"; }' >conf &&"
                      " dhcpd -4 -q -cf $PWD/conf -lf $PWD/leases -pf $PWD/pid br9 >out 2>&1",
                      getpid(), state_fd) == 0);
}

static void dhcpd_lease(void) {
    int state_fd = ns_state_dir();
    struct box box;
    uint64_t now_nsec;
    uint32_t address_be;

    make_bridge();
    start_dhcpd(state_fd);
    attach(&box);
    NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
    NS_CHECK(box.lease.client.lease.lease_sec == 120);
    NS_CHECK(strcmp(box.lease.client.lease.domain, "lan.example") == 0);
    address_be = network_address(box.network);
    /* Renewed, and once more by a server that was started anew and has forgotten all. */
    now_nsec = clock_monotonic();
    pass_time(&box, now_nsec + 61 * NSEC_PER_SEC, true);
    NS_CHECK(network_deadline(box.network) > now_nsec + 90 * NSEC_PER_SEC, "not renewed");
    stop_server(state_fd);
    start_dhcpd(state_fd);
    pass_time(&box, now_nsec + 122 * NSEC_PER_SEC, true);
    NS_CHECK(network_deadline(box.network) > now_nsec + 150 * NSEC_PER_SEC, "not renewed");
    NS_CHECK(network_address(box.network) == address_be);
    box_stop(&box);
    NS_CHECK(ns_shell("while ip -o link | grep -q mayfly; do :; done") == 0);
    stop_server(state_fd);
}

Test(network_peers, isc_dhcp_server_gives_a_lease_and_is_restarted) {
    if (!ns_has("dhcpd"))
        cr_skip_test("isc-dhcp-server is not installed");
    cr_assert(ns_run(dhcpd_lease));
}

static void dnsmasq_refuses(void) {
    int state_fd = ns_state_dir();
    struct box box;
    uint64_t now_nsec;

    make_bridge();
    start_dnsmasq(state_fd, "192.168.9.100,192.168.9.100");
    attach(&box);
    NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
    stop_server(state_fd);
    start_dnsmasq(state_fd, "192.168.9.200,192.168.9.200");
    now_nsec = clock_monotonic() + 61 * NSEC_PER_SEC;
    pass_time(&box, now_nsec, true);
    NS_CHECK(strstr(last_log, "takes 192.168.9.100 back"), "%s", last_log);
    NS_CHECK(box_shell(&box, "ip -4 addr show dev eth0 | grep -q inet") != 0);
    /* Discover and offer, request and acknowledgement. */
    now_nsec += NSEC_PER_SEC;
    for (int i = 0; i < 3 && !strstr(last_log, "is now"); i++)
        pass_time(&box, now_nsec, true);
    NS_CHECK(strstr(last_log, "is now 192.168.9.200"), "%s", last_log);
    NS_CHECK(box_shell(&box, "ip -4 addr show dev eth0 | grep -q 'inet 192.168.9.200/24'") == 0);
    box_stop(&box);
    stop_server(state_fd);
}

Test(network_peers, a_server_that_takes_an_address_back) {
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    cr_assert(ns_run(dnsmasq_refuses));
}

static void dnsmasq_falls_silent(void) {
    int state_fd = ns_state_dir();
    struct box box;

    make_bridge();
    start_dnsmasq(state_fd, "192.168.9.100,192.168.9.110");
    attach(&box);
    NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
    stop_server(state_fd);
    pass_time(&box, clock_monotonic() + 121 * NSEC_PER_SEC, false);
    NS_CHECK(strstr(last_log, "no DHCP server answers"), "%s", last_log);
    NS_CHECK(box_shell(&box, "ip -4 addr show dev eth0 | grep -q inet") != 0);
    box_stop(&box);
}

Test(network_peers, a_server_that_falls_silent) {
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    cr_assert(ns_run(dnsmasq_falls_silent));
}

static void address_taken(void) {
    int state_fd = ns_state_dir();
    struct box box;

    /* The only address but one belongs to a machine that the server does not know of. */
    make_bridge();
    NS_CHECK(ns_shell("ip link add squatter type veth peer name far &&"
                      " ip link set far master br9 up") == 0);
    ns_start_machine("squatter", "br9", "192.168.9.100");
    start_dnsmasq(state_fd, "192.168.9.100,192.168.9.101");
    for (int i = 0; i < 24 && !strstr(last_log, "192.168.9.100 is another"); i++) {
        attach(&box);
        NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
        NS_CHECK(strcmp(ns_address(&box), "192.168.9.101") == 0, "%s", ns_address(&box));
        box_stop(&box);
    }
    NS_CHECK(strstr(last_log, "192.168.9.100 is another"), "%s", last_log);
    stop_server(state_fd);
}

Test(network_peers, an_address_that_another_machine_has) {
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    cr_assert(ns_run(address_taken));
}

static void no_server(void) {
    const struct network_setup_request hasty = {
        .hostname = "box", .renew = true, .timeout_nsec = 700 * NSEC_PER_MSEC};
    struct box box;

    make_bridge();
    attach(&box);
    NS_CHECK(box_setup(&box, &hasty) == -ETIMEDOUT);
    NS_CHECK(strstr(box.err.message, "no server answers"), "%s", box.err.message);
    box_stop(&box);
}

Test(network_peers, a_bridge_without_a_server) {
    cr_assert(ns_run(no_server));
}

static void no_bridge(void) {
    struct network_request missing = {.bridge = "br9"}, wrong = {.bridge = "lo"};
    struct box box;

    box_start(&box);
    NS_CHECK(box_attach(&box, &missing) == -ENODEV);
    NS_CHECK(strstr(box.err.message, "br9"), "%s", box.err.message);
    NS_CHECK(box_attach(&box, &wrong) == -EINVAL);
    NS_CHECK(strstr(box.err.message, "not a bridge"), "%s", box.err.message);
    box_stop(&box);
}

Test(network_peers, a_bridge_that_is_none) {
    cr_assert(ns_run(no_bridge));
}
