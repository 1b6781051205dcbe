/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container may do to others on its bridge: nothing.  On one of mayfly's
 * own, and on one of the host's, whose other ports go on as they did.
 */
#include "net/network.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <unistd.h>

/** hosts_bridge - the bridge of the host's that boxes are on; NULL: one of mayfly's own */
static const char *hosts_bridge;

static void start(struct box *box, int state_fd) {
    struct network_request request = {
        .bridge = hosts_bridge, .network = NETWORK_DEFAULT, .state_fd = state_fd};
    const struct network_setup_request setup = {
        .hostname = "box", .renew = hosts_bridge != NULL, .timeout_nsec = 60 * NSEC_PER_SEC};

    box_start(box);
    NS_CHECK(box_attach(box, &request) == 0, "%s", box->err.message);
    NS_CHECK(box_setup(box, &setup) == 0, "%s", box->err.message);
}

/** begin() - the state's directory; on the host's bridge a server as well, 192.168.9.1. */
static int begin(void) {
    int state_fd = ns_state_dir();

    if (hosts_bridge)
        NS_CHECK(
            ns_shell("ip link add %s type bridge && ip link set %s up &&"
                     " ip addr add 192.168.9.1/24 dev %s && cd /proc/%d/fd/%d &&"
                     " dnsmasq --conf-file=/dev/null --port=0 --interface=%s --bind-interfaces"
                     " --user=root --group= --dhcp-authoritative --no-ping --log-facility=/dev/null"
                     " --dhcp-range=192.168.9.100,192.168.9.150 --dhcp-leasefile=$PWD/leases"
                     " --pid-file=$PWD/pid",
                     hosts_bridge, hosts_bridge, hosts_bridge, getpid(), state_fd,
                     hosts_bridge) == 0);
    return state_fd;
}

/** start_free() - a machine at a port of the host's bridge that is nobody's. */
static void start_free(struct box *box, const char *port, const char *address) {
    box_start(box);
    NS_CHECK(ns_shell("ip link add %s type veth peer name eth0 netns %d &&"
                      " ip link set %s master %s up",
                      port, box->pid, port, hosts_bridge) == 0);
    NS_CHECK(box_shell(box, "ip link set lo up; ip addr add %s/24 dev eth0; ip link set eth0 up",
                       address) == 0);
}

/** run_on_both() - the same on a bridge of mayfly's own and on one of the host's. */
static void run_on_both(void (*body)(void)) {
    cr_assert(ns_run(body));
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    hosts_bridge = "br9";
    cr_assert(ns_run(body), "on a bridge of the host's");
}

static bool can_ping(struct box *from, const char *address) {
    return box_shell(from, "busybox ping -q -c1 -W30 %s >/dev/null 2>&1", address) == 0;
}

static bool cannot_ping(struct box *from, const char *options, const char *address) {
    return box_shell(from, "busybox ping -q -c1 -W1 %s %s >/dev/null 2>&1", options, address) != 0;
}

/* Addresses. */

static void spoofed_mac(void) {
    int state_fd = begin();
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
    run_on_both(spoofed_mac);
}

static void spoofed_address(void) {
    int state_fd = begin();
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
    run_on_both(spoofed_address);
}

/* DHCP. */

static void rogue_server(void) {
    const char *server = hosts_bridge ? "192.168.9.1" : "10.64.0.1";
    int state_fd = begin();
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
        NS_CHECK(victim.lease.client.lease.address_be == network_address(victim.network) &&
                 victim.lease.client.lease.server_be == inet_addr(server));
        NS_CHECK(box_shell(&victim,
                           "busybox udhcpc -i eth0 -n -q -t30 -T1 -s /bin/true 2>&1 |"
                           " grep -q 'lease of %s obtained from %s'",
                           ns_address(&victim), server) == 0);
        box_stop(&victim);
    }
    /* Nobody but the bridge even heard those requests, where it is the server itself. */
    NS_CHECK(hosts_bridge || box_shell(&bad, "awk '/^Udp: [0-9]/ { print $2, $3 }' /proc/net/snmp |"
                                             " diff - /run/before") == 0);
    box_stop(&bad);
}

Test(network_guard, no_answers_from_a_server_in_a_container) {
    run_on_both(rogue_server);
}

static void starved_pool(void) {
    int state_fd = begin();
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
    int state_fd = begin();
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

static void other_protocols(void) {
    int state_fd = begin();
    struct box victim, bad;

    start(&victim, state_fd);
    start(&bad, state_fd);
    NS_CHECK(box_shell(&bad,
                       "ip link set eth0 addrgenmode eui64; ip link set eth0 down;"
                       " ip link set eth0 up; ip -6 addr add fe80::99/64 dev eth0 nodad"
                       " && ip addr replace %s/20 dev eth0",
                       ns_address(&bad)) == 0);
    /* What the victim's kernel hears of itself or of the host's bridge is from other links. */
    NS_CHECK(box_shell(&victim,
                       "nft add table netdev t && nft add chain netdev t c"
                       " '{ type filter hook ingress device eth0 priority 0; }' &&"
                       " nft add rule netdev t c ether saddr "
                       "%02x:%02x:%02x:%02x:%02x:%02x ether type ip6 counter",
                       bad.lease.client.mac[0], bad.lease.client.mac[1], bad.lease.client.mac[2],
                       bad.lease.client.mac[3], bad.lease.client.mac[4],
                       bad.lease.client.mac[5]) == 0);
    box_shell(&bad, "busybox ping6 -q -c2 -W1 -I eth0 ff02::1 >/dev/null 2>&1");
    NS_CHECK(can_ping(&bad, ns_address(&victim)), "the way was blocked altogether");
    NS_CHECK(box_shell(&victim, "nft list table netdev t | grep -q 'counter packets 0 '") == 0,
             "IPv6 reached another container");
    box_stop(&victim);
    box_stop(&bad);
}

Test(network_guard, ipv6_does_not_pass) {
    run_on_both(other_protocols);
}

/** send_tagged() - a datagram of its own, but with a VLAN's tag. */
static void send_tagged(struct box *box, const char *address) {
    NS_CHECK(
        box_shell(box,
                  "perl -MSocket=:all -e 'open(F, \"/sys/class/net/eth0/address\"); $mac = <F>;"
                  " $mac =~ s/[^0-9a-f]//g; socket(S, 17, SOCK_RAW, 0) or die; send(S,"
                  " pack(\"H12 H12 n3 H4 n3 C2 n a4 a4 n4\", \"f\" x 12, $mac, 0x8100, 5, 0x800,"
                  " \"4500\", 28, 1, 0, 64, 17, 0, inet_aton(\"%s\"), inet_aton(\"203.0.113.9\"),"
                  " 9, 9, 8, 0), 0, pack(\"S n l S C2 a8\", 17, 0x8100, 2, 1, 0, 6, \"\")) or die'",
                  address) == 0);
}

static bool has_tagged(struct box *box) {
    return box_shell(box, "! nft list table netdev t | grep -q 'counter packets 0 '") == 0;
}

static void tagged_frames(void) {
    int state_fd = begin();
    struct box victim, bad, other;

    start(&victim, state_fd);
    start(&bad, state_fd);
    NS_CHECK(box_shell(&victim, "nft add table netdev t && nft add chain netdev t c"
                                " '{ type filter hook ingress device eth0 priority 0; }' &&"
                                " nft add rule netdev t c ether type 8021q counter") == 0);
    send_tagged(&bad, ns_address(&bad));
    NS_CHECK(can_ping(&bad, ns_address(&victim)), "the way was blocked altogether");
    NS_CHECK(!has_tagged(&victim), "a frame with a tag got through");
    if (hosts_bridge) {
        start_free(&other, "free", "192.168.9.7");
        send_tagged(&other, "192.168.9.7");
        NS_CHECK(can_ping(&other, ns_address(&victim)));
        NS_CHECK(has_tagged(&victim), "another port of the bridge's was touched");
        box_stop(&other);
    }
    box_stop(&victim);
    box_stop(&bad);
}

Test(network_guard, no_frame_with_a_tag) {
    run_on_both(tagged_frames);
}

/* What is special of a bridge of the host's. */

static bool advertises(struct box *box) {
    return box_shell(box,
                     "ip link set eth0 down; ip link set eth0 addrgenmode eui64;"
                     " ip link set eth0 up; ip -6 addr add fe80::99/64 dev eth0 nodad;"
                     " perl -MSocket=:all -e 'socket(S, AF_INET6, SOCK_RAW, 58) or die;"
                     " bind(S, pack_sockaddr_in6(0, inet_pton(AF_INET6, \"fe80::99\"), 2)) or die;"
                     " setsockopt(S, 41, 18, 255) or die;"
                     " send(S, pack(\"CCnCCnNN\", 134, 0, 0, 64, 0, 1800, 0, 0), 0,"
                     " pack_sockaddr_in6(0, inet_pton(AF_INET6, \"ff02::1\"), 2)) or die'") == 0;
}

static void rogue_router(void) {
    struct box bad, other;
    int state_fd;

    hosts_bridge = "br9";
    state_fd = begin();
    NS_CHECK(ns_shell("until ip -6 addr show dev br9 | grep -q fe80 &&"
                      " ! ip -6 addr show dev br9 | grep -q tentative; do sleep 0.1; done") == 0);
    start(&bad, state_fd);
    NS_CHECK(advertises(&bad));
    NS_CHECK(box_shell(&bad, "ip addr replace %s/24 dev eth0", ns_address(&bad)) == 0);
    NS_CHECK(can_ping(&bad, "192.168.9.1"));
    NS_CHECK(ns_shell("! ip -6 route | grep default") == 0, "the host took it for a router");
    /* Of a machine that is not mayfly's it is believed, as before. */
    start_free(&other, "free", "192.168.9.7");
    NS_CHECK(advertises(&other));
    NS_CHECK(ns_shell("until ip -6 route | grep -q default; do sleep 0.1; done") == 0);
    box_stop(&bad);
    box_stop(&other);
}

Test(network_guard, router_advertisements_to_the_hosts_bridge) {
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    cr_assert(ns_run(rogue_router));
}

static void free_port(void) {
    struct box box, other;
    int state_fd;

    hosts_bridge = "br9";
    state_fd = begin();
    /* The first, since what is started later has its supervisor's descriptors. */
    start_free(&other, "free", "192.168.9.7");
    start(&box, state_fd);
    /* Another address and hardware address, and a server of its own: all of it is let through. */
    NS_CHECK(box_shell(&other, "ip link set eth0 address 02:00:00:00:00:99;"
                               " ip addr add 192.168.9.8/24 dev eth0; ip addr del 192.168.9.7/24"
                               " dev eth0; ip addr add 192.168.9.8/24 dev eth0") == 0);
    NS_CHECK(can_ping(&other, ns_address(&box)) && can_ping(&box, "192.168.9.8"));
    /* The rules are at the link alone, and go when its supervisor ends. */
    NS_CHECK(ns_shell("nft list ruleset | grep '^table' | grep -qx"
                      " 'table netdev mayfly[0-9a-f]* {.*'"
                      " && test $(nft list ruleset | grep -c '^table') = 1") == 0);
    box_stop(&box);
    NS_CHECK(ns_shell("until test -z \"$(nft list ruleset)\"; do :; done") == 0);
    box_stop(&other);
}

Test(network_guard, other_ports_of_the_hosts_bridge_are_not_touched) {
    if (!ns_has("dnsmasq"))
        cr_skip_test("dnsmasq is not installed");
    cr_assert(ns_run(free_port));
}
