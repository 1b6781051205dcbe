/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks with IPv6: addresses, what a container may not do to others, the
 * way out, and that all goes back to what it was.
 */
#include "net/network.h"
#include "net/network_config.h"
#include "net/ra_socket.h"
#include "net/subnet6.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct network_setup_request setup = {.hostname = "box",
                                                   .timeout_nsec = 60 * NSEC_PER_SEC};

/** text6() - an address as text, in a static buffer. */
static const char *text6(const struct in6_addr *address) {
    static char text[4][INET6_ADDRSTRLEN];
    static unsigned turn;

    turn = (turn + 1) % 4;
    return inet_ntop(AF_INET6, address, text[turn], sizeof text[turn]);
}

static struct network_ipv6 ipv6_of(const struct box *box) {
    struct network_ipv6 ipv6;

    NS_CHECK(network_get_ipv6(box->network, &ipv6));
    return ipv6;
}

static const char *address6(const struct box *box) {
    struct network_ipv6 ipv6 = ipv6_of(box);

    return text6(&ipv6.address);
}

static const char *link_address(const struct box *box) {
    struct network_ipv6 ipv6 = ipv6_of(box);

    return text6(&ipv6.link_address);
}

/** create() - a network "six", fd00:6::/64.  Return: its state's directory. */
static int create(enum network_way way) {
    const struct network_config config = {
        .subnet = "10.66.0.0/24", .ipv6 = true, .subnet6 = "fd00:6::/64", .way = way};
    int state_fd = ns_state_dir();
    struct err err;

    NS_CHECK(network_config_create(state_fd, "six", &config, &err) == 0, "%s", err.message);
    return state_fd;
}

static void start(struct box *box, int state_fd, const char *name) {
    struct network_request request = {
        .network = "six", .must_exist = true, .state_fd = state_fd, .container = name};

    box_start(box);
    NS_CHECK(box_attach(box, &request) == 0, "%s", box->err.message);
    NS_CHECK(box_setup(box, &setup) == 0, "%s", box->err.message);
}

static bool can_ping(struct box *from, const char *address) {
    return box_shell(from, "busybox ping6 -q -c1 -W30 %s >/dev/null 2>&1", address) == 0;
}

static bool cannot_ping(struct box *from, const char *options, const char *address) {
    return box_shell(from, "busybox ping6 -q -c1 -W1 %s %s >/dev/null 2>&1", options, address) != 0;
}

/* Addresses. */

static void reach_each_other(void) {
    int state_fd = create(NETWORK_CLOSED);
    struct box a, b;

    start(&a, state_fd, "first");
    start(&b, state_fd, "second");
    /* There when the first step begins: nothing is tentative. */
    NS_CHECK(box_shell(&a, "ip -6 addr show dev eth0 | grep -q 'inet6 %s/64'", address6(&a)) == 0);
    NS_CHECK(box_shell(&a, "ip -6 addr show dev eth0 | grep -q tentative") != 0);
    NS_CHECK(can_ping(&a, address6(&b)));
    NS_CHECK(can_ping(&a, "fd00:6::1"));
    NS_CHECK(box_shell(&a, "ip -6 route | grep -q default") != 0, "there is a way out");
    /* By name, and back. */
    NS_CHECK(box_shell(&a,
                       "busybox nslookup -type=aaaa second 10.66.0.130 >/run/out;"
                       " grep -q 'Address: %s' /run/out",
                       address6(&b)) == 0);
    NS_CHECK(box_shell(&a, "busybox nslookup %s 10.66.0.130 | grep -q 'name = second'",
                       address6(&b)) == 0);
    box_stop(&a);
    box_stop(&b);
}

Test(network_ipv6, containers_reach_each_other) {
    cr_assert(ns_run(reach_each_other));
}

static void autoconfiguration(void) {
    struct box box;

    start(&box, create(NETWORK_CLOSED), "one");
    /* The container's own kernel, from nothing: its link's address, a question, an answer. */
    NS_CHECK(box_shell(&box,
                       "ip link set eth0 down; ip -6 addr flush dev eth0;"
                       " ip link set eth0 addrgenmode eui64; ip link set eth0 up;"
                       " until ip -6 addr show dev eth0 | grep -q 'inet6 %s/64.*dynamic' ||"
                       " ip -6 addr show dev eth0 | grep -q 'inet6 %s/64 scope global'; do"
                       " :; done",
                       address6(&box), address6(&box)) == 0);
    NS_CHECK(can_ping(&box, "fd00:6::1"));
    NS_CHECK(box_shell(&box, "ip -6 route | grep -q default") != 0, "there is a way out");
    box_stop(&box);
}

Test(network_ipv6, a_containers_kernel_makes_itself_the_same_address) {
    cr_assert(ns_run(autoconfiguration));
}

static void no_ipv6(void) {
    struct network_request request = {.network = NETWORK_DEFAULT, .state_fd = ns_state_dir()};
    struct network_ipv6 ipv6;
    struct box box;

    box_start(&box);
    NS_CHECK(box_attach(&box, &request) == 0, "%s", box.err.message);
    NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
    NS_CHECK(!network_get_ipv6(box.network, &ipv6));
    NS_CHECK(box_shell(&box, "ip -6 addr show dev eth0 | grep -q inet6") != 0);
    box_stop(&box);
}

Test(network_ipv6, without_it_there_is_none) {
    cr_assert(ns_run(no_ipv6));
}

/* What a container may do to others: nothing. */

static void spoofed(void) {
    int state_fd = create(NETWORK_CLOSED);
    struct box victim, bad, third;
    char source[64];

    start(&victim, state_fd, "victim");
    start(&bad, state_fd, "bad");
    start(&third, state_fd, "third");
    NS_CHECK(can_ping(&bad, address6(&victim)));
    /* Neither under another's address, nor under one that is nobody's. */
    NS_CHECK(box_shell(&bad,
                       "ip -6 addr add %s/64 dev eth0 nodad &&"
                       " ip -6 addr add fd00:6::bad/64 dev eth0 nodad &&"
                       " ip -6 addr add fe80::bad/64 dev eth0 nodad",
                       address6(&third)) == 0);
    snprintf(source, sizeof source, "-I %s", address6(&third));
    NS_CHECK(cannot_ping(&bad, source, address6(&victim)), "another's address got through");
    NS_CHECK(cannot_ping(&bad, "-I fd00:6::bad", address6(&victim)), "a made up one did");
    /* Who asks for the one that was taken, hears its owner alone. */
    NS_CHECK(can_ping(&victim, address6(&third)));
    NS_CHECK(box_shell(&victim,
                       "ip -6 neigh show %s | grep -q 'lladdr %02x:%02x:%02x:%02x:%02x:%02x'",
                       address6(&third), third.lease.client.mac[0], third.lease.client.mac[1],
                       third.lease.client.mac[2], third.lease.client.mac[3],
                       third.lease.client.mac[4], third.lease.client.mac[5]) == 0);
    NS_CHECK(cannot_ping(&victim, "", "fd00:6::bad"),
             "an address that is not its own was heard of");
    /* Nor does it keep others from addresses by saying that it has them already. */
    NS_CHECK(box_shell(&third,
                       "ip -6 addr del %s/64 dev eth0 && ip -6 addr add %s/64 dev eth0 &&"
                       " while ip -6 addr show dev eth0 | grep -q tentative; do :; done;"
                       " ! ip -6 addr show dev eth0 | grep -q dadfailed",
                       address6(&third), address6(&third)) == 0);
    NS_CHECK(can_ping(&victim, address6(&third)));
    box_stop(&victim);
    box_stop(&bad);
    box_stop(&third);
}

Test(network_ipv6, no_packet_and_no_neighbour_under_anothers_address) {
    cr_assert(ns_run(spoofed));
}

/** advertise() - what a router says, from a process in the box; its sum is the kernel's.
 */
static void advertise(struct box *box, const char *destination) {
    struct ra ra = {.lifetime_sec = 1800, .mtu = 1280};
    uint8_t data[RA_MAX_BYTES];
    char octal[4 * RA_MAX_BYTES + 1];
    size_t size;

    NS_CHECK(inet_pton(AF_INET6, "fd66:bad::", &ra.prefix) == 1);
    size = ra_encode(&ra, data);
    for (size_t i = 0; i < size; i++)
        snprintf(octal + 4 * i, 5, "\\%03o", data[i]);
    NS_CHECK(box_shell(box,
                       "printf '%s' >/run/ra && perl -e 'use Socket qw(:all);"
                       " socket(S, AF_INET6, SOCK_RAW, 58) or die;"
                       " setsockopt(S, 41, 16, pack(\"i\", 255)) or die;"
                       " setsockopt(S, 41, 18, pack(\"i\", 255)) or die;"
                       " open(F, \"/run/ra\"); local $/; $d = <F>; send(S, $d, 0,"
                       " pack_sockaddr_in6(0, inet_pton(AF_INET6, \"%s\"), 2)) or die'",
                       octal, destination) == 0);
}

static void rogue_router(enum network_way way) {
    int state_fd = create(way);
    struct box victim, bad;

    start(&victim, state_fd, "victim");
    start(&bad, state_fd, "bad");
    /* The real router's answer has come to what its kernel has asked. */
    NS_CHECK(box_shell(&victim, "until awk '/^Icmp6InRouterAdvertisements/ { exit $2 != 1 }'"
                                " /proc/net/snmp6; do :; done") == 0);
    NS_CHECK(box_shell(&victim, "ip -6 route >/run/before; ip -6 addr >>/run/before;"
                                " ip link show eth0 >>/run/before") == 0);
    NS_CHECK(ns_shell("ip -6 route >/proc/%d/fd/%d/before; ip -6 addr >>/proc/%d/fd/%d/before",
                      getpid(), state_fd, getpid(), state_fd) == 0);
    advertise(&bad, "ff02::1");
    advertise(&bad, link_address(&victim));
    advertise(&bad, "fe80::1");
    /* The last of the way: what was sent before it has arrived, or been dropped. */
    NS_CHECK(can_ping(&bad, address6(&victim)));
    NS_CHECK(box_shell(&victim,
                       "ip -6 route >/run/after; ip -6 addr >>/run/after;"
                       " ip link show eth0 >>/run/after; diff /run/before /run/after >&2") == 0);
    NS_CHECK(box_shell(&victim,
                       "awk '/^Icmp6InRouterAdvertisements/ { exit $2 > %d }'"
                       " /proc/net/snmp6",
                       1) == 0,
             "others' advertisements came");
    NS_CHECK(ns_shell("(ip -6 route; ip -6 addr) | diff /proc/%d/fd/%d/before - >&2", getpid(),
                      state_fd) == 0);
    box_stop(&victim);
    box_stop(&bad);
}

static void rogue_router_inside(void) {
    rogue_router(NETWORK_CLOSED);
}

static void rogue_router_outside(void) {
    rogue_router(NETWORK_OUT);
}

Test(network_ipv6, router_advertisements_of_a_container_change_nothing) {
    cr_assert(ns_run(rogue_router_inside));
    cr_assert(ns_run(rogue_router_outside));
}

/* The way out. */

/** struct scene - the outside is 2001:db8::2, the host 2001:db8::1 there */
struct scene {
    int state_fd;
    struct box outside;
    struct box box;
};

static void make_outside(struct scene *scene) {
    box_start(&scene->outside);
    NS_CHECK(ns_shell("ip link add out type veth peer name eth0 netns %d &&"
                      " ip -6 addr add 2001:db8::1/64 dev out nodad && ip link set out up",
                      scene->outside.pid) == 0);
    NS_CHECK(box_shell(&scene->outside, "ip -6 addr add 2001:db8::2/64 dev eth0 nodad &&"
                                        " ip link set eth0 up && ip link set lo up") == 0);
}

static void attach(struct scene *scene, const char *network, const struct nat_port *ports,
                   size_t n_ports) {
    struct network_request request = {.network = network,
                                      .way = NETWORK_OUT,
                                      .ports = ports,
                                      .n_ports = n_ports,
                                      .state_fd = scene->state_fd};

    box_start(&scene->box);
    NS_CHECK(box_attach(&scene->box, &request) == 0, "%s", scene->box.err.message);
    NS_CHECK(box_setup(&scene->box, &setup) == 0, "%s", scene->box.err.message);
}

/** The port's word comes back from a server in a box: its peer's address. */
#define SERVE                                                                                      \
    "busybox nc -ll -p %d -e sh -c 'busybox netstat -tn | grep :%d' >/dev/null 2>&1 </dev/null &"  \
    " until busybox netstat -ltn | grep -q :%d; do :; done"
/* An answer is waited for long, since the machine may be busy; none, shortly. */
#define ASK "busybox timeout 60 busybox nc -w30 %s %d </dev/null"
#define ASK_SHORTLY "busybox timeout 5 busybox nc -w2 %s %d </dev/null"

static void way_out(void) {
    struct scene scene = {.state_fd = create(NETWORK_OUT)};

    make_outside(&scene);
    /* A router outside gave the host a route; it goes on to listen to it. */
    NS_CHECK(ns_shell("ip -6 route add default via 2001:db8::2 proto ra &&"
                      " echo 0 >/proc/sys/net/ipv6/conf/all/forwarding") == 0);
    attach(&scene, "six", NULL, 0);
    NS_CHECK(box_shell(&scene.outside, SERVE, 7000, 7000, 7000) == 0);
    NS_CHECK(box_shell(&scene.box, ASK " | grep -Eq '2001:db8::1:[0-9]+ +(ESTAB|CLOSE)'",
                       "2001:db8::2", 7000) == 0,
             "the outside does not see the host's address");
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/all/forwarding) = 1") == 0);
    /* No way in: with a route to the container's network the outside gets nowhere. */
    NS_CHECK(box_shell(&scene.box, SERVE, 80, 80, 80) == 0);
    NS_CHECK(box_shell(&scene.outside, "ip -6 route add fd00:6::/64 via 2001:db8::1") == 0);
    NS_CHECK(box_shell(&scene.outside, ASK_SHORTLY " | grep -Eq '(ESTAB|CLOSE)'",
                       address6(&scene.box), 80) != 0);
    box_stop(&scene.box);
    NS_CHECK(ns_shell("test -z \"$(nft list tables)\"") == 0, "rules are left");
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/all/forwarding) = 0") == 0);
    NS_CHECK(ns_shell("while ip -o link | grep -q mayfly; do :; done") == 0);
    NS_CHECK(ns_shell("test $(ip -6 route show table local | grep -c '::1 ') -le 2") == 0);
    box_stop(&scene.outside);
}

Test(network_ipv6, the_outside_sees_the_host) {
    cr_assert(ns_run(way_out));
}

static void published(void) {
    const struct nat_port ports[] = {
        {.host_port = 8080, .container_port = 80, .protocol = IPPROTO_TCP},
        {.family = AF_INET6,
         .address6 = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}},
         .host_port = 8081,
         .container_port = 80,
         .protocol = IPPROTO_TCP},
        {.family = AF_INET6, .host_port = 5353, .container_port = 53, .protocol = IPPROTO_UDP},
    };
    struct scene scene = {.state_fd = ns_state_dir()};

    make_outside(&scene);
    /* One that is there already, on a network that has no IPv6 until somebody wants it. */
    attach(&scene, NETWORK_NAT, NULL, 0);
    struct box first = scene.box;

    attach(&scene, NETWORK_NAT, ports, 3);
    NS_CHECK(box_shell(&scene.box, SERVE, 80, 80, 80) == 0);
    NS_CHECK(box_shell(&scene.outside, ASK " | grep -q 2001:db8::2:", "2001:db8::1", 8080) == 0,
             "not from outside, or under another address");
    NS_CHECK(ns_shell(ASK " | grep -Eq '(ESTAB|CLOSE)'", "::1", 8080) == 0, "not on loopback");
    NS_CHECK(ns_shell(ASK " | grep -Eq '(ESTAB|CLOSE)'", "127.0.0.1", 8080) == 0,
             "not on the loopback of IPv4");
    NS_CHECK(ns_shell(ASK " | grep -Eq '(ESTAB|CLOSE)'", "2001:db8::1", 8080) == 0,
             "not from the host");
    NS_CHECK(box_shell(&scene.outside, ASK " | grep -Eq '(ESTAB|CLOSE)'", "2001:db8::1", 8081) ==
             0);
    NS_CHECK(ns_shell(ASK_SHORTLY " | grep -Eq '(ESTAB|CLOSE)'", "::1", 8081) != 0,
             "published on one address, there on another");
    /* Nobody listens there, so the kernel counts what arrives as meant for no port. */
    NS_CHECK(box_shell(&scene.outside, "bash -c 'echo word >/dev/udp/2001:db8::1/5353'") == 0);
    NS_CHECK(ns_shell("bash -c 'echo word >/dev/udp/::1/5353'") == 0);
    NS_CHECK(box_shell(&scene.box, "until awk '/^Udp6NoPorts/ { exit $2 != 2 }' /proc/net/snmp6;"
                                   " do :; done") == 0);
    box_stop(&scene.box);
    box_stop(&first);
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/all/forwarding) = 0") == 0);
    box_stop(&scene.outside);
}

Test(network_ipv6, published_ports) {
    cr_assert(ns_run(published));
}

static void listens_on(void) {
    struct scene scene = {.state_fd = create(NETWORK_OUT)};
    int pipe_fds[2];
    char mark;
    pid_t pid;

    /* A router outside, of which the host has learned a way by its own kernel. */
    make_outside(&scene);
    NS_CHECK(box_shell(&scene.outside, "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding;"
                                       " ip -6 addr add fe80::2/64 dev eth0 nodad") == 0);
    while (ns_shell("ip -6 route | grep -q '^default.*proto ra'") != 0)
        advertise(&scene.outside, "ff02::1");
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/out/accept_ra) = 1") == 0);

    NS_CHECK(pipe(pipe_fds) == 0);
    pid = fork();
    if (pid == 0) {
        attach(&scene, "six", NULL, 0);
        NS_CHECK(write(pipe_fds[1], "r", 1) == 1);
        pause();
    }
    NS_CHECK(read(pipe_fds[0], &mark, 1) == 1);
    NS_CHECK(ns_shell("ip -6 route | grep -q '^default.*proto ra'") == 0, "the route is gone");
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/out/accept_ra) = 2") == 0);
    /* All is put back, also after a kill, by the next command. */
    NS_CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    network_clean(scene.state_fd);
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/out/accept_ra) = 1") == 0);
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv6/conf/all/forwarding) = 0") == 0);
    NS_CHECK(ns_shell("ip -6 route | grep -q '^default.*proto ra'") == 0, "the route is gone");
    NS_CHECK(ns_shell("while nft list tables | grep -q mayfly; do :; done") == 0);
    box_stop(&scene.outside);
}

Test(network_ipv6, the_host_keeps_a_way_out_that_it_has_learned) {
    cr_assert(ns_run(listens_on));
}

static void closed_host(void) {
    int state_fd = create(NETWORK_TO_HOST);
    struct box box;

    start(&box, state_fd, "one");
    NS_CHECK(box_shell(&box, SERVE, 80, 80, 80) == 0);
    NS_CHECK(ns_shell(ASK " | grep -Eq '(ESTAB|CLOSE)'", address6(&box), 80) == 0);
    NS_CHECK(ns_shell(SERVE, 7000, 7000, 7000) == 0);
    NS_CHECK(box_shell(&box, ASK_SHORTLY " | grep -Eq '(ESTAB|CLOSE)'", "fd00:6::1", 7000) != 0,
             "a container reached the host");
    box_stop(&box);
}

Test(network_ipv6, the_host_reaches_containers_and_they_nothing_of_its) {
    cr_assert(ns_run(closed_host));
}

/* Texts. */

Test(network_ipv6, subnets) {
    static const char *const wrong[] = {"fd00::",    "fd00::/48", "fd00::1/64",  "ff02::/64",
                                        "fe80::/64", "::/64",     "10.0.0.0/24", "fd00::/64x"};
    char text[SUBNET6_TEXT_BYTES];
    struct in6_addr prefix, other;
    struct err err;

    cr_assert(subnet6_parse("fd12:3456:789a:1::/64", &prefix, &err) == 0);
    subnet6_format(&prefix, text);
    cr_assert_str_eq(text, "fd12:3456:789a:1::/64");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cr_assert(subnet6_parse(wrong[i], &prefix, &err) == -EINVAL, "%s", wrong[i]);
        cr_assert(strstr(err.message, wrong[i]));
    }
    cr_assert(subnet6_choose(&prefix, &err) == 0 && subnet6_choose(&other, &err) == 0);
    cr_assert(prefix.s6_addr[0] == 0xfd);
    cr_assert(memcmp(&prefix, &other, sizeof prefix) != 0);
    prefix = subnet6_address(&subnet6_link_local,
                             (const uint8_t[6]){0x02, 0x11, 0x22, 0x33, 0x44, 0x55});
    cr_assert_str_eq(text6(&prefix), "fe80::11:22ff:fe33:4455");
}

Test(network_ipv6, advertisements) {
    struct ra ra = {.lifetime_sec = 9000};
    uint8_t data[RA_MAX_BYTES];

    cr_assert(ra_encode(&ra, data) == 48);
    cr_assert(data[0] == ND_ROUTER_ADVERT && data[4] == 64);
    cr_assert(data[6] == 9000 >> 8 && data[7] == (9000 & 0xff));
    cr_assert(data[16] == 3 && data[17] == 4 && data[18] == 64 && data[19] == 0xc0);
    ra.mtu = 1400;
    cr_assert(ra_encode(&ra, data) == 56);
    cr_assert(data[48] == 5 && data[49] == 1 && data[54] == 1400 >> 8 && data[55] == (1400 & 0xff));
}
