/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container can send to the server: anything.  The state lives on from
 * one input to the next, so that a sequence of packets counts as well; every
 * answer has to be one that our own decoder takes.
 */
#include "net/dhcp_server.h"

#include "engine/base/clock.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dhcp_server *make_server(void) {
    static struct dhcp_server server = {
        .parameters = {.prefix = 24,
                       .mtu = 1500,
                       .server_be = 0x0100000a,
                       .lease_sec = 100,
                       .t1_sec = 50,
                       .t2_sec = 87,
                       .n_routers = 1,
                       .n_dns = 2,
                       .n_routes = 2,
                       .domain = "example.org",
                       .search = "a.example b.example"},
        .rapid_commit = true,
    };

    if (!server.leases.by_address &&
        dhcp_lease_table_init(&server.leases, 0x0a000002, 0x0a000010) < 0)
        abort();
    return &server;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint64_t now_nsec;
    struct dhcp_server *server = make_server();
    struct dhcp_message request, back;
    struct dhcp_answer answer;
    uint8_t wire[DHCP_MAX_BYTES];
    ssize_t n;

    now_nsec += NSEC_PER_SEC;
    if (dhcp_message_decode(&request, data, size) < 0)
        return 0;
    if (dhcp_server_answer(server, &request, now_nsec, &answer) < 0 || !answer.has_message)
        return 0;
    n = dhcp_message_encode(&answer.message, wire, answer.max_bytes);
    if (n >= 0 && (dhcp_message_decode(&back, wire, (size_t)n) < 0 ||
                   dhcp_message_type(&back) != dhcp_message_type(&answer.message)))
        abort();
    return 0;
}
