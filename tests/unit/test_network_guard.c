/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may do to others on its bridge: nothing.
 */
#include "net/network.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <stdio.h>

static const struct network_setup_request setup = {.hostname = "box",
                                                   .timeout_nsec = 60 * NSEC_PER_SEC};

static void start(struct box *box, int state_fd) {
    struct network_request request = {.network = NETWORK_DEFAULT, .state_fd = state_fd};

    box_start(box);
    NS_CHECK(box_attach(box, &request) == 0, "%s", box->err.message);
    NS_CHECK(box_setup(box, &setup) == 0, "%s", box->err.message);
}

static bool can_ping(struct box *from, const char *address) {
    return box_shell(from, "busybox ping -q -c1 -W30 %s >/dev/null 2>&1", address) == 0;
}

static bool cannot_ping(struct box *from, const char *options, const char *address) {
    return box_shell(from, "busybox ping -q -c1 -W1 %s %s >/dev/null 2>&1", options, address) != 0;
}

/* Addresses. */

static void spoofed_mac(void) {
    int state_fd = ns_state_dir();
    struct box victim, bad;

    start(&victim, state_fd);
    start(&bad, state_fd);
    NS_CHECK(can_ping(&bad, ns_address(&victim)));
    NS_CHECK(box_shell(&bad, "ip link set eth0 address 02:00:00:00:00:99") == 0);
    NS_CHECK(cannot_ping(&bad, "", ns_address(&victim)), "another hardware address got through");
    NS_CHECK(box_shell(&bad, "ip link set eth0 address %02x:%02x:%02x:%02x:%02x:%02x",
                       bad.lease.client.mac[0], bad.lease.client.mac[1], bad.lease.client.mac[2],
                       bad.lease.client.mac[3], bad.lease.client.mac[4],
                       bad.lease.client.mac[5]) == 0);
    NS_CHECK(can_ping(&bad, ns_address(&victim)), "its own does not");
    box_stop(&victim);
    box_stop(&bad);
}

Test(network_guard, no_frame_under_another_hardware_address) {
    cr_assert(ns_run(spoofed_mac));
}

static void spoofed_address(void) {
    int state_fd = ns_state_dir();
    struct box victim, bad, third;
    char source[64];

    start(&victim, state_fd);
    start(&bad, state_fd);
    start(&third, state_fd);
    snprintf(source, sizeof source, "-I %s", ns_address(&third));
    NS_CHECK(box_shell(&bad, "ip addr add %s/20 dev eth0", ns_address(&third)) == 0);
    NS_CHECK(cannot_ping(&bad, source, ns_address(&victim)), "another's address got through");
    /* Neither does an announcement reach those who know the right one. */
    NS_CHECK(can_ping(&victim, ns_address(&third)));
    box_shell(&bad, "busybox arping -q -c3 -U -I eth0 -s %s %s", ns_address(&third),
              ns_address(&third));
    box_shell(&bad, "busybox arping -q -c3 -A -I eth0 -s %s %s", ns_address(&third),
              ns_address(&third));
    NS_CHECK(box_shell(&victim, "ip neigh show %s | grep -q 'lladdr %02x:%02x:%02x:%02x:%02x:%02x'",
                       ns_address(&third), third.lease.client.mac[0], third.lease.client.mac[1],
                       third.lease.client.mac[2], third.lease.client.mac[3],
                       third.lease.client.mac[4], third.lease.client.mac[5]) == 0);
    NS_CHECK(can_ping(&victim, ns_address(&third)));
    box_stop(&victim);
    box_stop(&bad);
    box_stop(&third);
}

Test(network_guard, no_packet_and_no_arp_under_anothers_address) {
    cr_assert(ns_run(spoofed_address));
}

/* DHCP. */

static void rogue_server(void) {
    int state_fd = ns_state_dir();
    struct box victim, bad;

    start(&bad, state_fd);
    NS_CHECK(box_shell(&bad, "printf 'start 10.64.9.1\\nend 10.64.9.9\\ninterface eth0\\n"
                             "lease_file /run/leases\\n' >/run/c; touch /run/leases;"
                             " awk '/^Udp: [0-9]/ { print $2, $3 }' /proc/net/snmp >/run/before;"
                             " busybox udhcpd /run/c && until grep -q ':0043 ' /proc/net/udp;"
                             " do :; done") == 0,
             "no udhcpd to try with");
    for (int i = 0; i < 5; i++) {
        start(&victim, state_fd);
        NS_CHECK(victim.lease.client.lease.address_be == network_address(victim.network));
        NS_CHECK(box_shell(&victim,
                           "busybox udhcpc -i eth0 -n -q -t30 -T1 -s /bin/true 2>&1 |"
                           " grep -q 'lease of %s obtained from 10.64.0.1'",
                           ns_address(&victim)) == 0);
        box_stop(&victim);
    }
    /* Nobody but the bridge even heard those requests. */
    NS_CHECK(box_shell(&bad, "awk '/^Udp: [0-9]/ { print $2, $3 }' /proc/net/snmp |"
                             " diff - /run/before") == 0);
    box_stop(&bad);
}

Test(network_guard, no_answers_from_a_server_in_a_container) {
    cr_assert(ns_run(rogue_server));
}

static void starved_pool(void) {
    int state_fd = ns_state_dir();
    struct box bad, next;

    start(&bad, state_fd);
    /* Requests under any number of identities are the same interface's to the server. */
    NS_CHECK(box_shell(&bad,
                       "for i in 1 2 3 4 5 6 7 8 9 10; do"
                       " busybox udhcpc -i eth0 -n -q -t1 -T1 -s /bin/true -C"
                       " -x 0x3d:01aabbccdd$((i+10)) 2>&1 | grep -q 'lease of %s ' || exit 1;"
                       " done",
                       ns_address(&bad)) == 0);
    start(&next, state_fd);
    NS_CHECK(network_address(next.network) != network_address(bad.network));
    box_stop(&bad);
    box_stop(&next);
}

Test(network_guard, one_container_has_one_address_whatever_it_asks_for) {
    cr_assert(ns_run(starved_pool));
}

static void flood(void) {
    int state_fd = ns_state_dir();
    struct box bad, next;

    start(&bad, state_fd);
    NS_CHECK(box_shell(&bad, "(while :; do echo x | bash -c 'cat >/dev/udp/10.64.0.1/67';"
                             " done) >/dev/null 2>&1 & "
                             "(while :; do busybox udhcpc -i eth0 -n -q -t1 -T1 -s /bin/true;"
                             " done) >/dev/null 2>&1 &") == 0);
    for (int i = 0; i < 20; i++) {
        start(&next, state_fd);
        NS_CHECK(can_ping(&next, "10.64.0.1"));
        box_stop(&next);
    }
    box_stop(&bad);
}

Test(network_guard, a_flood_of_requests_keeps_nobody_from_an_address) {
    cr_assert(ns_run(flood));
}

/* The rest of Ethernet. */

/** count_protocol() - what one box sends must not be seen by another. */
static void count_protocol(struct box *from, struct box *to, const char *name, const char *send) {
    NS_CHECK(box_shell(to, "cat /sys/class/net/eth0/statistics/rx_packets >/run/before") == 0);
    box_shell(from, "%s", send);
    NS_CHECK(box_shell(to, "test $(cat /run/before) ="
                           " $(cat /sys/class/net/eth0/statistics/rx_packets)") == 0,
             "%s reached another container", name);
}

static void other_protocols(void) {
    int state_fd = ns_state_dir();
    struct box victim, bad;

    start(&victim, state_fd);
    start(&bad, state_fd);
    NS_CHECK(box_shell(&bad,
                       "ip link set eth0 addrgenmode eui64; ip link set eth0 down;"
                       " ip link set eth0 up; ip -6 addr add fe80::99/64 dev eth0 nodad"
                       " && ip addr replace %s/20 dev eth0",
                       ns_address(&bad)) == 0);
    count_protocol(&bad, &victim, "IPv6",
                   "busybox ping6 -q -c2 -W1 -I eth0 ff02::1 >/dev/null 2>&1");
    NS_CHECK(can_ping(&bad, ns_address(&victim)), "the way was blocked altogether");
    box_stop(&victim);
    box_stop(&bad);
}

Test(network_guard, ipv6_does_not_pass) {
    cr_assert(ns_run(other_protocols));
}
