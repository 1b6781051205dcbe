/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server under load: perfdhcp plays a thousand new clients a second.
 */
#include "net/dhcp_server.h"
#include "net/dhcp_socket.h"

#include "engine/base/clock.h"
#include "engine/base/sys.h"
#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void serve(struct dhcp_server *server, int fd) {
    struct dhcp_message request;
    struct dhcp_answer answer;
    int r;

    while ((r = dhcp_socket_receive(fd, &request)) >= 0)
        if (r > 0 && dhcp_server_answer(server, &request, clock_monotonic(), &answer) == 0 &&
            answer.has_message)
            dhcp_socket_send(fd, &answer.message,
                             answer.reach == DHCP_REACH_BROADCAST ? 0 : answer.address_be,
                             answer.port, answer.max_bytes);
}

/** run_clients() - in a namespace of their own; whether no exchange was lost. */
static void run_clients(int ready_fd) {
    char mark;

    NS_CHECK(unshare(CLONE_NEWNET) == 0, "%m");
    NS_CHECK(write(ready_fd, "r", 1) == 1 && read(ready_fd, &mark, 1) == 1);
    /* NOLINTBEGIN(cert-env33-c): a fixed command of the test's own */
    NS_CHECK(
        system(
            "ip link set lo up; ip link set eth0 up; ip addr add 10.64.255.254/16 dev eth0;"
            "perfdhcp -4 -l eth0 -r 1000 -n 3000 -d 30 -W 1000000 >/tmp/perfdhcp.$PPID 2>&1; r=$?;"
            "test $(grep -c '^drops: 0$' /tmp/perfdhcp.$PPID) = 2 || r=1;"
            "test $r = 0 || cat /tmp/perfdhcp.$PPID; rm /tmp/perfdhcp.$PPID; exit $r") == 0);
    /* NOLINTEND(cert-env33-c) */
    _exit(0);
}

static void load(void) {
    struct dhcp_server server = {.parameters = {.prefix = 16,
                                                .server_be = htonl(0x0a400001),
                                                .lease_sec = 3600,
                                                .t1_sec = 1800,
                                                .t2_sec = 3150}};
    int pair[2];
    int fd, pidfd, status;
    char mark;
    pid_t pid;

    NS_CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    pid = fork();
    if (pid == 0)
        run_clients(pair[1]);
    NS_CHECK(read(pair[0], &mark, 1) == 1);
    NS_CHECK(ns_shell("ip link add v0 type veth peer name eth0 netns %d && ip link set v0 up &&"
                      " ip addr add 10.64.0.1/16 dev v0",
                      pid) == 0);
    NS_CHECK(dhcp_lease_table_init(&server.leases, 0x0a400002, 0x0a40fff0) == 0);
    fd = dhcp_socket_open_server("v0", NULL);
    pidfd = sys_pidfd_open(pid);
    NS_CHECK(fd >= 0 && pidfd >= 0 && write(pair[0], "g", 1) == 1);
    for (;;) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = pidfd, .events = POLLIN}};

        NS_CHECK(poll(fds, 2, -1) > 0);
        serve(&server, fd);
        if (fds[1].revents)
            break;
    }
    NS_CHECK(waitpid(pid, &status, 0) == pid && status == 0, "exchanges were lost");
    dhcp_server_done(&server);
}

Test(dhcp_load, a_thousand_exchanges_a_second_and_none_lost) {
    if (!ns_has("perfdhcp"))
        cr_skip_test("kea-admin is not installed");
    cr_assert(ns_run(load));
}
