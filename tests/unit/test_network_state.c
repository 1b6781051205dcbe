/* SPDX-License-Identifier: Apache-2.0 */
#include "net/network_state.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char text[] =
    "mayfly-network 2\n"
    "subnet 10.64.0.0/28\n"
    "leads out\n"
    "created 1700000000\n"
    "gateway 10.64.0.6\n"
    "mtu 1400\n"
    "subnet6 fd12:3456:789a::/64 from 17\n"
    "next-port 18\n"
    "uplink mayfly01020304\n"
    "forwards\n"
    "forwards6\n"
    "listener eth0\n"
    "listener wlan0\n"
    "member 4711 9 4026532345 16 10.64.0.2 02a1b2c3d4e5 web web www.example\n"
    "member 4712 9 4026532345 17 10.64.0.3 02a1b2c3d4e6 - 0123456789ab -\n"
    "publish 10.64.0.2 tcp 80 8080 *\n"
    "publish 10.64.0.2 udp 53 5353 127.0.0.1\n"
    "publish 10.64.0.3 tcp 80 8081 ::1\n"
    "end\n";

/* Text. */

Test(network_state, round_trip) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    _cleanup_buf_ struct buf again = BUF_INIT;

    cr_assert_eq(network_state_parse(text, &state), 0);
    cr_assert_eq(state.n_members, 2);
    cr_assert_eq(network_state_find(&state, "web")->pid, 4711);
    cr_assert_eq(network_state_find(&state, "web")->mac[5], 0xe5);
    cr_assert_null(network_state_find(&state, "db"));
    /* One was there before the network had IPv6. */
    cr_assert_not(network_state_is_on_ipv6(&state, &state.members[0]));
    cr_assert(network_state_is_on_ipv6(&state, &state.members[1]));
    cr_assert_str_eq(state.listeners[1], "wlan0");
    cr_assert(network_state_answers_to(&state.members[0], "WEB"));
    cr_assert(network_state_answers_to(&state.members[0], "www.example"));
    cr_assert_not(network_state_answers_to(&state.members[1], "-"));
    cr_assert_not(network_state_answers_to(&state.members[1], "web"));
    network_state_format(&state, &again);
    cr_assert_str_eq(again.data, text);
}

Test(network_state, no_part_of_a_file_is_a_file) {
    for (size_t i = 0; i < sizeof text - 1; i++) {
        _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
        char part[sizeof text];

        memcpy(part, text, i);
        part[i] = '\0';
        cr_assert_eq(network_state_parse(part, &state), -EBADMSG, "%zu bytes were taken", i);
    }
}

Test(network_state, lines_that_are_none) {
    static const char *const bad[] = {
        "mayfly-network 1\nend\n",
        "mayfly-network 2\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.1/20\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nnext-port x\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nwhat\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nleads astray\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nmtu 65536\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\ngateway x\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nsubnet6 fd00::/64\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nsubnet6 fd00::/48 from 1\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nforwards7\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nlistener 0123456789abcdef\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\npublish 10.64.0.2 sctp 1 1 *\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\npublish 10.64.0.2 tcp 1 65536 *\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\npublish 10.64.0.2 tcp 1 1 host\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nuplink 0123456789abcdef\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nmember 1 2 3 4 10.64.0.2 02 - - -\nend\n",
        "mayfly-network 2\nsubnet 10.64.0.0/20\nmember 1 2 3 4 here 02a1b2c3d4e5 - - -\nend\n",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;

        cr_assert_eq(network_state_parse(bad[i], &state), -EBADMSG, "%s", bad[i]);
    }
}

/* Addresses. */

Test(network_state, addresses_go_round_and_run_out) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    struct network_member member = {.name = "-"};

    /* Of sixteen: the network, the bridge, 2 to 6, and the upper half for name servers. */
    cr_assert_eq(subnet_parse("10.64.0.0/28", &state.subnet, NULL), 0);
    for (uint32_t i = 0; i < 5; i++) {
        member.address = network_state_free_address(&state, 0x0a400004);
        cr_assert_eq(member.address, 0x0a400002 + (2 + i) % 5);
        cr_assert_eq(network_state_add(&state, &member), 0);
    }
    cr_assert_eq(network_state_free_address(&state, 0), 0);
    network_state_remove(&state, 0x0a400005);
    cr_assert_eq(network_state_free_address(&state, 0), 0x0a400005);
    cr_assert_eq(state.n_members, 4);
}

Test(network_state, the_gateways_address_is_nobodys) {
    _cleanup_network_state_ struct network_state state = {.way = NETWORK_OUT,
                                                          .gateway = 0x0a400002};

    cr_assert_eq(subnet_parse("10.64.0.0/29", &state.subnet, NULL), 0);
    cr_assert_eq(network_state_free_address(&state, 0), 0, "the only one left is the host's");
    cr_assert_eq(network_state_bridge(&state), 0x0a400004);
    state.way = NETWORK_CLOSED;
    cr_assert_eq(network_state_bridge(&state), 0x0a400002);
    state.gateway = 0;
    cr_assert_eq(network_state_free_address(&state, 0), 0x0a400002);
    cr_assert_eq(network_state_bridge(&state), 0x0a400001);
}

Test(network_state, whoever_has_a_name_is_remembered_and_nobody_elses_ports_go) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;

    cr_assert_eq(network_state_parse(text, &state), 0);
    network_state_rest(&state, 0x0a400002);
    cr_assert_eq(network_state_find(&state, "web")->pid, 0);
    cr_assert_not(network_state_answers_to(&state.members[0], "web"));
    cr_assert_eq(state.n_publications, 1);
    network_state_rest(&state, 0x0a400003);
    cr_assert_eq(state.n_members, 1);
    cr_assert_eq(state.n_publications, 0);
}

/* The file. */

/* One that lives, one that nobody has waited for yet, one that is gone. */
Test(network_state, members_without_a_supervisor_are_dropped) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    struct network_member member = {.address = 1, .name = "-", .container = "-", .hostname = "-"};
    pid_t pids[2] = {fork(), -1};
    siginfo_t info;

    if (pids[0] == 0)
        _exit(0);
    cr_assert_gt(pids[0], 0);
    cr_assert_eq(waitid(P_PID, (id_t)pids[0], &info, WEXITED | WNOWAIT), 0);
    pids[1] = fork();
    if (pids[1] == 0)
        _exit(0);
    cr_assert_eq(waitpid(pids[1], NULL, 0), pids[1]);
    member.pid = getpid();
    cr_assert_eq(network_state_add(&state, &member), 0);
    for (size_t i = 0; i < 2; i++) {
        member.pid = pids[i];
        member.address++;
        cr_assert_eq(network_state_add(&state, &member), 0);
    }
    network_state_drop_dead(&state);
    cr_assert_eq(state.n_members, 1);
    cr_expect_eq(state.members[0].pid, getpid());
    cr_assert_eq(waitpid(pids[0], NULL, 0), pids[0]);
}

Test(network_state, file) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT, back;
    char path[] = "/tmp/mayfly-state-XXXXXX";
    int dir_fd, lock_fd;

    cr_assert_not_null(mkdtemp(path));
    dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    lock_fd = network_state_lock(dir_fd, NULL);
    cr_assert_geq(lock_fd, 0);
    cr_assert_eq(network_state_load(dir_fd, "n", &state, NULL), 0);
    cr_assert_eq(state.subnet.prefix, 0);
    cr_assert_eq(network_state_parse(text, &state), 0);
    cr_assert_eq(network_state_save(dir_fd, "n", &state, NULL), 0);
    cr_assert_eq(network_state_load(dir_fd, "n", &back, NULL), 0);
    cr_assert_eq(back.n_members, 2);
    network_state_done(&back);
    /* Made by a command, it stays without containers. */
    state.n_members = 0;
    cr_assert_eq(network_state_save(dir_fd, "n", &state, NULL), 0);
    cr_assert_eq(network_state_load(dir_fd, "n", &back, NULL), 0);
    cr_assert_eq(back.created_sec, 1700000000);
    network_state_done(&back);
    state.created_sec = 0;
    cr_assert_eq(network_state_save(dir_fd, "n", &state, NULL), 0);
    close(lock_fd);
    close(dir_fd);
    cr_assert_eq(rmdir(path), 0, "something is left");
}
