/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's name server, asked by TCP by clients of every manner.
 */
#include "net/dns_server.h"
#include "net/dns_socket.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"

#include "tests/support/ns.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "many", type A, as it goes over TCP. */
static const uint8_t many[] = {0, 22, 0x12, 0x34, 1,   0,   0,   1, 0, 0, 0, 0,
                               0, 0,  4,    'm',  'a', 'n', 'y', 0, 0, 1, 0, 1};
#define N_MANY 60

/* Framing. */

Test(dns_frame, a_message_in_pieces) {
    cr_expect_eq(dns_frame_wants(many, 0, 512), 2);
    cr_expect_eq(dns_frame_wants(many, 1, 512), 1);
    for (size_t i = 2; i < sizeof many; i++)
        cr_expect_eq(dns_frame_wants(many, i, 512), (ssize_t)(sizeof many - i));
    cr_expect_eq(dns_frame_wants(many, sizeof many, 512), 0);
    cr_expect_eq(dns_frame_wants(many, 2, 22), 22);
    cr_expect_eq(dns_frame_wants(many, 2, 21), -EMSGSIZE, "longer than is taken");
    cr_expect_eq(dns_frame_wants((const uint8_t[]){0, 11}, 2, 512), -EMSGSIZE, "no header");
}

/* Connections. */

static struct dns_server server;
/* Where it hears: by UDP, by TCP. */
static struct sockaddr_in udp_address, tcp_address;
static uint64_t now_nsec;

static int look_up(void *context, const struct dns_question *question, struct dns_record *ret,
                   size_t max) {
    int n = 0;

    (void)context;
    if (!str_eq(question->name, "many") || question->type != DNS_TYPE_A)
        return -ENOENT;
    for (; n < N_MANY && (size_t)n < max; n++)
        ret[n] = (struct dns_record){.address = {10, 64, 0, (uint8_t)n}, .size = 4};
    return n;
}

static int bound(int type, struct sockaddr_in *ret_address) {
    socklen_t length = sizeof *ret_address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    cr_assert_geq(fd, 0);
    *ret_address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    cr_assert_eq(bind(fd, (const struct sockaddr *)ret_address, sizeof *ret_address), 0);
    cr_assert_eq(getsockname(fd, (struct sockaddr *)ret_address, &length), 0);
    return fd;
}

static void start(void) {
    dns_server_init(&server);
    server.lookup = look_up;
    server.tcp.fd = bound(SOCK_STREAM, &tcp_address);
    cr_assert_eq(listen(server.tcp.fd, 64), 0);
    server.fd = bound(SOCK_DGRAM, &udp_address);
    now_nsec = clock_monotonic();
}

static void stop(void) {
    int tcp_fd = server.tcp.fd;

    dns_server_done(&server);
    close(tcp_fd);
    close(server.fd);
}

/** connected() - a client that waits for nothing. */
static int connected(int type) {
    const struct sockaddr_in *address = type == SOCK_STREAM ? &tcp_address : &udp_address;
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (const struct sockaddr *)address, sizeof *address), 0);
    return fd;
}

/** serve_until() - let the server work until a client has something to read, or its end. */
static void serve_until(int fd) {
    for (;;) {
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN},
                               {.fd = server.fd, .events = POLLIN},
                               {.fd = server.epoll_fd, .events = POLLIN},
                               {.fd = dns_tcp_poll_fd(&server.tcp), .events = POLLIN}};

        cr_assert_gt(poll(fds, 4, 60000), 0, "nothing comes");
        if (fds[0].revents)
            return;
        dns_server_dispatch(&server, now_nsec);
    }
}

/** read_answer() - Return: the size of the message, with its length; 0: the connection's end. */
static size_t read_answer(int fd, uint8_t *ret, size_t max) {
    size_t used = 0;

    for (;;) {
        ssize_t wants = dns_frame_wants(ret, used, max - DNS_FRAME_HEADER), n;

        if (wants <= 0)
            return wants == 0 ? used : 0;
        serve_until(fd);
        n = recv(fd, ret + used, (size_t)wants, 0);
        if (n <= 0)
            return 0;
        used += (size_t)n;
    }
}

static void expect_answer(int fd) {
    uint8_t reply[4096];
    size_t n = read_answer(fd, reply, sizeof reply);

    cr_assert_eq(n, sizeof many + N_MANY * 16u, "%zu bytes", n);
    cr_expect_eq(reply[2], 0x12);
    cr_expect_eq(reply[4] & 2, 0, "cut short");
    cr_expect_eq(reply[9], N_MANY);
}

static void say(int fd, const void *data, size_t size) {
    cr_assert_eq(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
}

Test(dns_server, more_than_udp_carries_is_said_by_tcp, .init = start, .fini = stop) {
    int udp_fd = connected(SOCK_DGRAM), fd;
    uint8_t reply[4096];
    ssize_t n;

    say(udp_fd, many + 2, sizeof many - 2);
    serve_until(udp_fd);
    n = recv(udp_fd, reply, sizeof reply, 0);
    cr_assert(n > 0 && n <= 512, "%zd bytes", n);
    cr_expect_eq(reply[2] & 2, 2, "not said to be cut short");
    fd = connected(SOCK_STREAM);
    say(fd, many, sizeof many);
    expect_answer(fd);
    close(fd);
    close(udp_fd);
}

Test(dns_server, questions_in_pieces_and_in_one_piece, .init = start, .fini = stop) {
    int fd = connected(SOCK_STREAM), other_fd = connected(SOCK_STREAM);
    uint8_t both[2 * sizeof many];

    for (size_t i = 0; i < sizeof many; i++) {
        say(fd, many + i, 1);
        /* Another has its answer meanwhile. */
        say(other_fd, many, sizeof many);
        expect_answer(other_fd);
    }
    expect_answer(fd);
    memcpy(both, many, sizeof many);
    memcpy(both + sizeof many, many, sizeof many);
    say(fd, both, sizeof both);
    /* It has nothing more to say, and takes the answers all the same. */
    cr_assert_eq(shutdown(fd, SHUT_WR), 0);
    expect_answer(fd);
    expect_answer(fd);
    cr_expect_eq(read_answer(fd, both, sizeof both), 0u);
    close(fd);
    close(other_fd);
    while (server.tcp.n_connections > 0) {
        struct pollfd pollfd = {.fd = dns_tcp_poll_fd(&server.tcp), .events = POLLIN};

        cr_assert_gt(poll(&pollfd, 1, 60000), 0, "it does not hear that they have gone");
        dns_server_dispatch(&server, now_nsec);
    }
}

Test(dns_server, what_is_no_question_ends_a_connection, .init = start, .fini = stop) {
    static const uint8_t too_long[] = {0xff, 0xff, 0, 0}, too_short[] = {0, 3, 1, 2, 3},
                         none[] = {0, 12, 0, 1, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    const struct {
        const uint8_t *data;
        size_t size;
    } bad[] = {{too_long, sizeof too_long}, {too_short, sizeof too_short}, {none, sizeof none}};

    for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
        int fd = connected(SOCK_STREAM);
        uint8_t reply[64];

        say(fd, bad[i].data, bad[i].size);
        cr_expect_eq(read_answer(fd, reply, sizeof reply), 0u, "case %zu", i);
        close(fd);
    }
    cr_expect_eq(server.tcp.n_connections, 0u);
}

Test(dns_server, who_asks_nothing_makes_room, .init = start, .fini = stop) {
    int fds[DNS_MAX_CONNECTIONS + 1];
    uint8_t reply[64];

    for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
        fds[i] = connected(SOCK_STREAM);
        say(fds[i], many, sizeof many);
        expect_answer(fds[i]);
        now_nsec++;
    }
    cr_expect_eq(server.tcp.n_connections, (unsigned)DNS_MAX_CONNECTIONS);
    cr_expect_eq(read_answer(fds[0], reply, sizeof reply), 0u, "not the one that waited longest");
    say(fds[1], many, sizeof many);
    expect_answer(fds[1]);
    for (size_t i = 0; i < N_ELEMENTS(fds); i++)
        close(fds[i]);
}

Test(dns_server, who_does_not_finish_a_question_loses_its_place, .init = start, .fini = stop) {
    int fds[DNS_MAX_CONNECTIONS], fd;
    uint8_t reply[64];

    for (size_t i = 0; i < N_ELEMENTS(fds); i++) {
        fds[i] = connected(SOCK_STREAM);
        say(fds[i], many, 5);
    }
    while (server.tcp.n_connections < N_ELEMENTS(fds) ||
           server.tcp.connections[N_ELEMENTS(fds) - 1].n_query < 5)
        dns_server_dispatch(&server, now_nsec);
    /* Another has to wait, for as long as they may take, and nobody turns round in circles. */
    fd = connected(SOCK_STREAM);
    say(fd, many, sizeof many);
    dns_server_dispatch(&server, now_nsec);
    cr_expect_eq(poll(&(struct pollfd){.fd = dns_tcp_poll_fd(&server.tcp), .events = POLLIN}, 1, 0),
                 0);
    cr_assert_lt(dns_server_deadline(&server), now_nsec + 60 * NSEC_PER_SEC);
    now_nsec = dns_server_deadline(&server);
    dns_server_dispatch(&server, now_nsec);
    expect_answer(fd);
    cr_expect_eq(read_answer(fds[0], reply, sizeof reply), 0u);
    for (size_t i = 0; i < N_ELEMENTS(fds); i++)
        close(fds[i]);
    close(fd);
}

/* Questions for the host's name servers. */

/** upstream() - a name server of the host's that takes connections. */
static int upstream(const char *text) {
    const struct sockaddr_in own = {
        .sin_family = AF_INET, .sin_port = htons(DNS_PORT), .sin_addr = {inet_addr(text)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    NS_CHECK(bind(fd, (const struct sockaddr *)&own, sizeof own) == 0 && listen(fd, 8) == 0, "%m");
    return fd;
}

/** asked() - take the question that comes to a name server.  Return: the connection. */
static int asked(int upstream_fd) {
    uint8_t question[sizeof many];
    int fd;

    serve_until(upstream_fd);
    fd = accept4(upstream_fd, NULL, NULL, SOCK_CLOEXEC);
    NS_CHECK(fd >= 0);
    NS_CHECK(read_answer(fd, question, sizeof question) == sizeof question);
    return fd;
}

/** ask_for_other() - a question that is not known here. */
static int ask_for_other(void) {
    uint8_t question[sizeof many];
    int fd = connected(SOCK_STREAM);

    memcpy(question, many, sizeof many);
    question[15] = 'M' + 1;
    say(fd, question, sizeof question);
    return fd;
}

static void questions_passed_on(void) {
    static uint8_t reply[DNS_FRAME_HEADER + DNS_FRAME_MAX], got[sizeof reply];
    int state_fd = ns_state_dir(), first_fd, second_fd, fd, up_fd;

    NS_CHECK(ns_shell("ip link set lo up && cd /proc/%d/fd/%d && printf 'nameserver 127.0.0.51\\n"
                      "nameserver 127.0.0.52\\nnameserver 127.0.0.53\\n' >resolv.conf &&"
                      " mount --bind resolv.conf $(realpath /etc/resolv.conf)",
                      getpid(), state_fd) == 0);
    start();
    server.forwards = true;
    /* The first refuses. */
    first_fd = upstream("127.0.0.52");
    second_fd = upstream("127.0.0.53");
    fd = ask_for_other();
    up_fd = asked(first_fd);
    /* It takes its time, so the third is asked; its answer is as long as there are, in pieces. */
    now_nsec = dns_server_deadline(&server);
    dns_server_dispatch(&server, now_nsec);
    close(up_fd);
    up_fd = asked(second_fd);
    memcpy(reply, many, sizeof many);
    dns_frame_begin(reply, DNS_FRAME_MAX);
    reply[4] |= 0x80;
    reply[15] = 'M' + 1;
    for (size_t sent = 0; sent < sizeof reply;) {
        size_t n = sizeof reply - sent < 9973 ? sizeof reply - sent : 9973;

        say(up_fd, reply + sent, n);
        dns_server_dispatch(&server, now_nsec);
        sent += n;
    }
    NS_CHECK(read_answer(fd, got, sizeof got) == sizeof got);
    NS_CHECK(memcmp(got, reply, sizeof got) == 0);
    close(up_fd);
    close(fd);

    /* An answer to something else is none, and neither is the end of a connection. */
    fd = ask_for_other();
    up_fd = asked(first_fd);
    reply[15] = 'x';
    dns_frame_begin(reply, sizeof many - DNS_FRAME_HEADER);
    say(up_fd, reply, sizeof many);
    close(up_fd);
    close(asked(second_fd));
    NS_CHECK(read_answer(fd, got, sizeof got) == sizeof many && (got[5] & 0xf) == 2,
             "no failure is told");
    close(fd);

    /* A client that does not wait is forgotten, with what was asked for it. */
    fd = ask_for_other();
    up_fd = asked(first_fd);
    NS_CHECK(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1},
                        sizeof(struct linger)) == 0);
    close(fd);
    serve_until(up_fd);
    NS_CHECK(recv(up_fd, got, sizeof got, 0) == 0 && server.tcp.n_connections == 0);
    close(up_fd);
    stop();
}

Test(dns_server, what_is_not_known_here_is_asked_of_the_hosts_servers) {
    cr_assert(ns_run(questions_passed_on));
}
