/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out: three namespaces in a row, "outside" - host - container.
 */
#include "net/network.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct network_setup_request setup = {.hostname = "box",
                                                   .timeout_nsec = 60 * NSEC_PER_SEC};

/** struct scene - the outside is 203.0.113.2, the host 203.0.113.1 there */
struct scene {
    int state_fd;
    struct box outside;
    struct box box;
};

static void make_outside(struct scene *scene) {
    scene->state_fd = ns_state_dir();
    box_start(&scene->outside);
    NS_CHECK(ns_shell("ip link add out type veth peer name eth0 netns %d &&"
                      " ip addr add 203.0.113.1/24 dev out && ip link set out up",
                      scene->outside.pid) == 0);
    NS_CHECK(box_shell(&scene->outside, "ip addr add 203.0.113.2/24 dev eth0 &&"
                                        " ip link set eth0 up && ip link set lo up") == 0);
}

static void make_scene(struct scene *scene, const struct nat_port *ports, size_t n_ports) {
    struct network_request request = {.network = NETWORK_NAT,
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
    struct scene scene;

    make_outside(&scene);
    make_scene(&scene, NULL, 0);
    NS_CHECK(box_shell(&scene.outside, SERVE, 7000, 7000, 7000) == 0);
    NS_CHECK(box_shell(&scene.box, ASK " | grep -Eq '203.0.113.1:[0-9]+ +(ESTAB|CLOSE)'",
                       "203.0.113.2", 7000) == 0,
             "the outside does not see the host's address");
    /* No way in: with a route to the container's network the outside gets nowhere. */
    NS_CHECK(box_shell(&scene.box, SERVE, 80, 80, 80) == 0);
    NS_CHECK(box_shell(&scene.outside, "ip route add 10.64.0.0/11 via 203.0.113.1") == 0);
    NS_CHECK(box_shell(&scene.outside, ASK_SHORTLY " | grep -Eq '(ESTAB|CLOSE)'",
                       ns_address(&scene.box), 80) != 0);
    NS_CHECK(ns_shell("nft list tables | grep -q 'mayfly-%s'", ns_address(&scene.box)) == 0);
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv4/ip_forward) = 1") == 0);
    box_stop(&scene.box);
    NS_CHECK(ns_shell("test -z \"$(nft list tables)\"") == 0, "rules are left");
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv4/ip_forward) = 0") == 0);
    NS_CHECK(ns_shell("while ip -o link | grep -q mayfly; do :; done") == 0);
    box_stop(&scene.outside);
}

Test(network_nat, the_outside_sees_the_host) {
    cr_assert(ns_run(way_out));
}

static void published(void) {
    const struct nat_port ports[] = {
        {.host_port = 8080, .container_port = 80, .protocol = IPPROTO_TCP},
        {.address_be = htonl(0xcb007101),
         .host_port = 8081,
         .container_port = 80,
         .protocol = IPPROTO_TCP},
        {.host_port = 5353, .container_port = 53, .protocol = IPPROTO_UDP},
    };
    struct scene scene;

    make_outside(&scene);
    make_scene(&scene, ports, 3);
    NS_CHECK(box_shell(&scene.box, SERVE, 80, 80, 80) == 0);
    NS_CHECK(box_shell(&scene.outside, ASK " | grep -q 203.0.113.2:", "203.0.113.1", 8080) == 0,
             "not from outside, or under another address");
    NS_CHECK(ns_shell(ASK " | grep -Eq '(ESTAB|CLOSE)'", "127.0.0.1", 8080) == 0,
             "not on loopback");
    NS_CHECK(ns_shell(ASK " | grep -Eq '(ESTAB|CLOSE)'", "203.0.113.1", 8080) == 0,
             "not from the host");
    NS_CHECK(box_shell(&scene.outside, ASK " | grep -Eq '(ESTAB|CLOSE)'", "203.0.113.1", 8081) ==
             0);
    NS_CHECK(ns_shell(ASK_SHORTLY " | grep -Eq '(ESTAB|CLOSE)'", "127.0.0.1", 8081) != 0,
             "published on one address, there on another");
    /* Nobody listens there, so the kernel counts what arrives as meant for no port. */
    NS_CHECK(box_shell(&scene.outside, "bash -c 'echo word >/dev/udp/203.0.113.1/5353'") == 0);
    NS_CHECK(box_shell(&scene.box, "until awk '/^Udp: [0-9]/ { exit $3 != 1 }' /proc/net/snmp;"
                                   " do :; done") == 0);
    box_stop(&scene.box);
    box_stop(&scene.outside);
}

Test(network_nat, published_ports) {
    cr_assert(ns_run(published));
}

static void two_networks(void) {
    struct network_request second = {.network = "second", .way = NETWORK_OUT};
    struct scene scene;
    struct box other;

    make_outside(&scene);
    make_scene(&scene, NULL, 0);
    second.state_fd = scene.state_fd;
    box_start(&other);
    NS_CHECK(box_attach(&other, &second) == 0, "%s", other.err.message);
    NS_CHECK(box_setup(&other, &setup) == 0, "%s", other.err.message);
    /* The end of the one that made the host pass packets on takes nothing from the other. */
    box_stop(&scene.box);
    NS_CHECK(box_shell(&other, "busybox ping -q -c1 -W30 203.0.113.2 >/dev/null") == 0);
    box_stop(&other);
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv4/ip_forward) = 0") == 0);
    box_stop(&scene.outside);
}

Test(network_nat, two_networks_that_lead_out) {
    cr_assert(ns_run(two_networks));
}

static void killed(void) {
    struct scene scene;
    int pipe_fds[2];
    char mark;
    pid_t pid;

    make_outside(&scene);
    NS_CHECK(pipe(pipe_fds) == 0);
    pid = fork();
    if (pid == 0) {
        make_scene(&scene, NULL, 0);
        NS_CHECK(write(pipe_fds[1], "r", 1) == 1);
        pause();
    }
    NS_CHECK(read(pipe_fds[0], &mark, 1) == 1);
    NS_CHECK(ns_shell("nft list tables | grep -q mayfly") == 0);
    NS_CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    NS_CHECK(ns_shell("while nft list tables | grep -q mayfly; do :; done") == 0);
    NS_CHECK(ns_shell("while ip -o link | grep -q mayfly; do :; done") == 0);
    make_scene(&scene, NULL, 0);
    box_stop(&scene.box);
    NS_CHECK(ns_shell("test $(cat /proc/sys/net/ipv4/ip_forward) = 0") == 0);
    box_stop(&scene.outside);
}

Test(network_nat, a_supervisor_that_is_killed_leaves_no_rule) {
    cr_assert(ns_run(killed));
}
