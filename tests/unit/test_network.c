/* SPDX-License-Identifier: Apache-2.0 */
#include "net/network.h"

#include "engine/base/str.h"
#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Commands: whether a TCP connection to an address and a port comes about.  What shall come about
 * is waited for long, since the machine may be busy; what shall not, shortly. */
#define CONNECT "timeout 60 bash -c '</dev/tcp/%s/%d' 2>/dev/null"
#define CONNECT_SHORTLY "timeout 2 bash -c '</dev/tcp/%s/%d' 2>/dev/null"

static const struct network_setup_request setup = {.hostname = "box",
                                                   .timeout_nsec = 60 * NSEC_PER_SEC};

static struct network_request own_network(int state_fd) {
    return (struct network_request){.network = NETWORK_DEFAULT, .state_fd = state_fd};
}

static void start(struct box *box, struct network_request *request) {
    box_start(box);
    NS_CHECK(box_attach(box, request) == 0, "%s", box->err.message);
    NS_CHECK(box_setup(box, &setup) == 0, "%s", box->err.message);
}

static bool can_ping(struct box *from, const char *address) {
    return box_shell(from, "busybox ping -q -c1 -W30 %s >/dev/null", address) == 0;
}

static bool cannot_ping(struct box *from, const char *address) {
    return box_shell(from, "busybox ping -q -c1 -W1 %s >/dev/null 2>&1", address) != 0;
}

/** listen_everywhere() - a TCP listener on the "host"; connections stay in its queue. */
static int listen_everywhere(uint16_t port) {
    const struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    NS_CHECK(bind(fd, (const struct sockaddr *)&address, sizeof address) == 0, "%m");
    NS_CHECK(listen(fd, 16) == 0, "%m");
    return fd;
}

/* One container. */

static void gets_an_address(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box box;

    start(&box, &request);
    NS_CHECK(box.lease.client.lease.address_be == network_address(box.network));
    NS_CHECK(box_shell(&box, "ip -4 addr show dev eth0 | grep -q 'inet %s/20 brd'",
                       ns_address(&box)) == 0);
    NS_CHECK(can_ping(&box, "10.64.0.1"));
    NS_CHECK(box_shell(&box, "ip route | grep -q default") != 0, "there is a way out");
    NS_CHECK(ns_shell("ip link | grep -q mayfly") != 0, "the bridge is in the host's namespace");
    box_stop(&box);
    NS_CHECK(faccessat(request.state_fd, "mayfly0.network", F_OK, 0) < 0, "state is left");
}

Test(network, one_container_gets_an_address_and_leaves_nothing) {
    cr_assert(ns_run(gets_an_address));
}

static void strict_source_validation(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box box;

    box_start(&box);
    NS_CHECK(box_attach(&box, &request) == 0, "%s", box.err.message);
    NS_CHECK(box_shell(&box, "for i in all default eth0; do"
                             " echo 1 >/proc/sys/net/ipv4/conf/$i/rp_filter || exit 1; done") == 0);
    NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
    box_stop(&box);
}

Test(network, an_answer_gets_past_strict_source_validation) {
    cr_assert(ns_run(strict_source_validation));
}

static void avoids_routes(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box box;

    NS_CHECK(ns_shell("ip link add out type veth peer name far && ip link set out up &&"
                      " ip addr add 10.64.3.1/24 dev out") == 0);
    start(&box, &request);
    NS_CHECK(str_after(ns_address(&box), "10.64.16."), "%s", ns_address(&box));
    box_stop(&box);
    request.subnet = "192.168.7.0/28";
    start(&box, &request);
    NS_CHECK(str_after(ns_address(&box), "192.168.7."), "%s", ns_address(&box));
    box_stop(&box);
}

Test(network, the_subnet_is_in_no_routes_way_or_as_named) {
    cr_assert(ns_run(avoids_routes));
}

static void remembers_names(void) {
    struct network_request request = own_network(ns_state_dir());
    struct network_request anonymous = request;
    struct box web, other;
    uint32_t address_be;
    uint8_t mac[6];

    request.name = "web";
    start(&web, &request);
    address_be = network_address(web.network);
    memcpy(mac, web.lease.client.mac, 6);
    box_start(&other);
    NS_CHECK(box_attach(&other, &request) == -EEXIST, "two of one name");
    box_stop(&web);
    NS_CHECK(box_attach(&other, &anonymous) == 0);
    NS_CHECK(network_address(other.network) != address_be);
    start(&web, &request);
    NS_CHECK(network_address(web.network) == address_be);
    NS_CHECK(memcmp(mac, web.lease.client.mac, 6) == 0);
    box_stop(&web);
    box_stop(&other);
}

Test(network, a_named_container_gets_its_addresses_again) {
    cr_assert(ns_run(remembers_names));
}

/* Several containers. */

static void reach_each_other(void) {
    struct network_request request = own_network(ns_state_dir());
    struct network_request second = request;
    struct box a, b, elsewhere;
    int listener_fd;

    second.network = "second";
    second.subnet = "10.77.0.0/24";
    start(&a, &request);
    start(&b, &request);
    start(&elsewhere, &second);
    NS_CHECK(can_ping(&a, ns_address(&b)));
    NS_CHECK(can_ping(&b, ns_address(&a)));

    /* The host listens everywhere; with whatever routes, a container gets nowhere. */
    NS_CHECK(ns_shell("ip link add out type veth peer name far && ip link set out up &&"
                      " ip link set far up && ip addr add 203.0.113.1/24 dev out") == 0);
    listener_fd = listen_everywhere(7777);
    NS_CHECK(ns_shell(CONNECT, "203.0.113.1", 7777) == 0);
    NS_CHECK(box_shell(&a, "ip route add default via 10.64.0.1") == 0);
    NS_CHECK(box_shell(&a, CONNECT_SHORTLY, "203.0.113.1", 7777) != 0);
    NS_CHECK(box_shell(&a, CONNECT_SHORTLY, "10.64.0.1", 7777) != 0);
    NS_CHECK(box_shell(&elsewhere, "ip route add default via 10.77.0.1") == 0);
    NS_CHECK(can_ping(&elsewhere, "10.77.0.1"));
    NS_CHECK(cannot_ping(&a, ns_address(&elsewhere)), "one bridge reaches the other");
    box_stop(&a);
    box_stop(&b);
    box_stop(&elsewhere);
    close(listener_fd);
}

Test(network, containers_reach_each_other_and_nothing_else) {
    cr_assert(ns_run(reach_each_other));
}

static void isolated(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box a, b, open;

    start(&open, &request);
    request.isolate = true;
    start(&a, &request);
    start(&b, &request);
    NS_CHECK(can_ping(&a, "10.64.0.1"));
    NS_CHECK(can_ping(&a, ns_address(&open)));
    NS_CHECK(cannot_ping(&a, ns_address(&b)));
    box_stop(&a);
    box_stop(&b);
    box_stop(&open);
}

Test(network, isolated_containers_are_kept_apart) {
    cr_assert(ns_run(isolated));
}

static int compare_addresses(const void *a, const void *b) {
    return memcmp(a, b, sizeof(uint32_t));
}

static void a_hundred(void) {
    static struct box boxes[100];
    struct network_request request = own_network(ns_state_dir());
    uint32_t addresses[100];

    for (size_t i = 0; i < 100; i++) {
        start(&boxes[i], &request);
        addresses[i] = boxes[i].lease.client.lease.address_be;
    }
    qsort(addresses, 100, sizeof *addresses, compare_addresses);
    for (size_t i = 1; i < 100; i++)
        NS_CHECK(addresses[i] != addresses[i - 1], "two of one address");
    NS_CHECK(can_ping(&boxes[0], ns_address(&boxes[99])));
    for (size_t i = 0; i < 100; i++)
        box_stop(&boxes[i]);
    NS_CHECK(faccessat(request.state_fd, "mayfly0.network", F_OK, 0) < 0, "state is left");
}

Test(network, a_hundred_containers_have_a_hundred_addresses) {
    cr_assert(ns_run(a_hundred));
}

static void full(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box a, b;

    request.subnet = "10.5.0.0/29";
    start(&a, &request);
    box_start(&b);
    NS_CHECK(box_attach(&b, &request) == -EADDRNOTAVAIL);
    NS_CHECK(strstr(b.err.message, "in use"), "%s", b.err.message);
    box_stop(&a);
    NS_CHECK(box_attach(&b, &request) == 0, "%s", b.err.message);
    box_stop(&b);
}

Test(network, a_pool_that_has_run_dry_is_said_so) {
    cr_assert(ns_run(full));
}

static void many_ports(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box first, box;

    start(&first, &request);
    /* Beyond the number of ports after which the rules are made anew. */
    for (int i = 0; i < 300; i++) {
        box_start(&box);
        NS_CHECK(box_attach(&box, &request) == 0, "%s", box.err.message);
        if (i % 100 == 99) {
            NS_CHECK(box_setup(&box, &setup) == 0, "%s", box.err.message);
            NS_CHECK(can_ping(&box, ns_address(&first)));
        }
        box_stop(&box);
    }
    box_stop(&first);
}

Test(network, a_bridge_lives_through_hundreds_of_containers) {
    cr_assert(ns_run(many_ports));
}

/* Supervisors that are killed. */

/** supervise_in_child() - a container with a supervisor of its own, ready when this returns. */
static pid_t supervise_in_child(struct network_request *request) {
    int pipe_fds[2];
    char mark;
    pid_t pid;

    NS_CHECK(pipe(pipe_fds) == 0);
    pid = fork();
    if (pid == 0) {
        struct box box;

        start(&box, request);
        NS_CHECK(write(pipe_fds[1], "r", 1) == 1);
        pause();
    }
    NS_CHECK(read(pipe_fds[0], &mark, 1) == 1);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    return pid;
}

static void kill_and_reap(pid_t pid) {
    NS_CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

static void some_are_killed(void) {
    struct network_request request = own_network(ns_state_dir());
    pid_t pids[4];
    struct box a, b;

    for (size_t i = 0; i < 4; i++)
        pids[i] = supervise_in_child(&request);
    start(&a, &request);
    for (size_t i = 0; i < 4; i++)
        kill_and_reap(pids[i]);
    start(&b, &request);
    NS_CHECK(can_ping(&b, ns_address(&a)), "the bridge did not outlive those who made it");
    NS_CHECK(ns_shell("test $(grep -c ^member /proc/%d/fd/%d/mayfly0.network) = 2", getpid(),
                      request.state_fd) == 0,
             "the dead are still in the state");
    box_stop(&a);
    box_stop(&b);
    NS_CHECK(faccessat(request.state_fd, "mayfly0.network", F_OK, 0) < 0, "state is left");
}

Test(network, the_bridge_outlives_supervisors_that_are_killed) {
    cr_assert(ns_run(some_are_killed));
}

static void all_are_killed(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box box;

    for (int i = 0; i < 3; i++)
        kill_and_reap(supervise_in_child(&request));
    start(&box, &request);
    NS_CHECK(ns_shell("test $(grep -c ^member /proc/%d/fd/%d/mayfly0.network) = 1", getpid(),
                      request.state_fd) == 0);
    box_stop(&box);
    NS_CHECK(ns_shell("ip -o link | grep -qv ' lo:'") != 0, "links are left");
}

Test(network, after_all_were_killed_the_next_one_starts_afresh) {
    cr_assert(ns_run(all_are_killed));
}

static void damaged_state(void) {
    struct network_request request = own_network(ns_state_dir());
    struct box box;

    NS_CHECK(
        ns_shell("echo nonsense >/proc/%d/fd/%d/mayfly0.network", getpid(), request.state_fd) == 0);
    start(&box, &request);
    box_stop(&box);
}

Test(network, damaged_state_is_begun_anew) {
    cr_assert(ns_run(damaged_state));
}
