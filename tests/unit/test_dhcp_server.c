/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_server.h"

#include "engine/base/clock.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <string.h>

#define SERVER 0x0a000001u
#define FIRST 0x0a000002u
#define LAST 0x0a000003u

static struct dhcp_server server;
static struct dhcp_answer answer;

static void setup(void) {
    server = (struct dhcp_server){
        .parameters = {.prefix = 24,
                       .server_be = htonl(SERVER),
                       .lease_sec = 100,
                       .t1_sec = 50,
                       .t2_sec = 87},
        .rapid_commit = true,
    };
    cr_assert_eq(dhcp_lease_table_init(&server.leases, FIRST, LAST), 0);
}

static void teardown(void) {
    dhcp_server_done(&server);
}

TestSuite(dhcp_server, .init = setup, .fini = teardown);

static struct dhcp_message message(enum dhcp_type type, uint8_t client) {
    const uint8_t mac[6] = {2, 0, 0, 0, 0, client};
    struct dhcp_message request;

    dhcp_message_init(&request, DHCP_OP_REQUEST, 77, mac);
    dhcp_message_put_u8(&request, DHCP_OPT_TYPE, (uint8_t)type);
    return request;
}

/** ask() - let the server answer; the type of its reply, or 0. */
static int ask(const struct dhcp_message *request, uint64_t now_sec) {
    cr_assert_eq(dhcp_server_answer(&server, request, now_sec * NSEC_PER_SEC, &answer), 0);
    return answer.has_message ? dhcp_message_type(&answer.message) : 0;
}

static uint32_t discover(uint8_t client, uint64_t now_sec) {
    struct dhcp_message request = message(DHCP_DISCOVER, client);

    return ask(&request, now_sec) == DHCP_OFFER ? ntohl(answer.message.yiaddr_be) : 0;
}

static int select_offer(uint8_t client, uint32_t server_id, uint32_t address, uint64_t now_sec) {
    struct dhcp_message request = message(DHCP_REQUEST, client);

    dhcp_message_put_u32(&request, DHCP_OPT_SERVER_ID, server_id);
    dhcp_message_put_u32(&request, DHCP_OPT_REQUESTED_ADDRESS, address);
    return ask(&request, now_sec);
}

static int renew(uint8_t client, uint32_t address, uint64_t now_sec) {
    struct dhcp_message request = message(DHCP_REQUEST, client);

    request.ciaddr_be = htonl(address);
    return ask(&request, now_sec);
}

static int reboot(uint8_t client, uint32_t address, uint64_t now_sec) {
    struct dhcp_message request = message(DHCP_REQUEST, client);

    dhcp_message_put_u32(&request, DHCP_OPT_REQUESTED_ADDRESS, address);
    return ask(&request, now_sec);
}

/* Getting a lease. */

Test(dhcp_server, discover_offer_request_ack) {
    uint32_t address = discover(1, 0);
    uint32_t value;

    cr_assert_neq(address, 0);
    cr_assert_eq(answer.event, DHCP_SERVER_OFFERED);
    cr_assert_eq(answer.message.xid, 77);
    cr_assert_eq(select_offer(1, SERVER, address, 1), DHCP_ACK);
    cr_assert_eq(answer.event, DHCP_SERVER_BOUND);
    cr_assert_eq(ntohl(answer.message.yiaddr_be), address);
    cr_assert(dhcp_message_get_u32(&answer.message, DHCP_OPT_LEASE_TIME, &value));
    cr_assert_eq(value, 100);
    cr_assert(dhcp_message_get_u32(&answer.message, DHCP_OPT_T1, &value));
    cr_assert_eq(value, 50);
}

Test(dhcp_server, rapid_commit_takes_two_messages) {
    struct dhcp_message request = message(DHCP_DISCOVER, 1);

    dhcp_message_put(&request, DHCP_OPT_RAPID_COMMIT, NULL, 0);
    cr_assert_eq(ask(&request, 0), DHCP_ACK);
    cr_assert(dhcp_message_has(&answer.message, DHCP_OPT_RAPID_COMMIT));
    server.rapid_commit = false;
    cr_assert_eq(ask(&request, 0), DHCP_OFFER);
}

Test(dhcp_server, a_dry_pool_answers_nothing) {
    cr_assert_neq(discover(1, 0), 0);
    cr_assert_neq(discover(2, 0), 0);
    cr_assert_eq(discover(3, 0), 0);
    cr_assert_eq(answer.event, DHCP_SERVER_DRY);
    cr_assert_neq(discover(3, 61), 0, "an offer that was not taken up was not freed");
}

Test(dhcp_server, another_servers_offer_frees_ours) {
    uint32_t address = discover(1, 0);

    cr_assert_eq(select_offer(1, SERVER + 9, address, 0), 0);
    cr_assert(dhcp_lease_is_free(&server.leases, address, 0));
}

/* Keeping it. */

Test(dhcp_server, renewing_extends) {
    uint32_t address = discover(1, 0);

    select_offer(1, SERVER, address, 0);
    cr_assert_eq(renew(1, address, 90), DHCP_ACK);
    cr_assert_eq(answer.reach, DHCP_REACH_ADDRESS);
    cr_assert_eq(ntohl(answer.address_be), address);
    cr_assert_not(dhcp_lease_is_free(&server.leases, address, 150 * NSEC_PER_SEC));
    cr_assert(dhcp_lease_is_free(&server.leases, address, 190 * NSEC_PER_SEC));
}

Test(dhcp_server, a_lease_from_before_our_time_is_honoured_when_free) {
    cr_assert_eq(renew(1, FIRST, 0), DHCP_ACK);
    cr_assert_eq(renew(2, FIRST, 0), DHCP_NAK);
    cr_assert_eq(reboot(2, LAST, 0), DHCP_ACK);
    cr_assert_eq(reboot(1, LAST, 0), DHCP_NAK);
}

Test(dhcp_server, an_address_of_another_network_is_refused_by_broadcast) {
    char why[64];

    cr_assert_eq(reboot(1, 0xc0a80105, 0), DHCP_NAK);
    cr_assert_eq(answer.event, DHCP_SERVER_REFUSED);
    cr_assert_eq(answer.reach, DHCP_REACH_BROADCAST);
    cr_assert_eq(answer.message.yiaddr_be, 0);
    cr_assert(dhcp_message_get_text(&answer.message, DHCP_OPT_MESSAGE, why, sizeof why));
}

Test(dhcp_server, an_offer_that_never_was_is_refused) {
    cr_assert_eq(select_offer(1, SERVER, FIRST, 0), DHCP_NAK);
}

/* Giving it back. */

Test(dhcp_server, release_and_decline) {
    uint32_t address = discover(1, 0);
    struct dhcp_message request = message(DHCP_RELEASE, 1);

    select_offer(1, SERVER, address, 0);
    request.ciaddr_be = htonl(address);
    cr_assert_eq(ask(&request, 1), 0);
    cr_assert_eq(answer.event, DHCP_SERVER_RELEASED);
    cr_assert(dhcp_lease_is_free(&server.leases, address, NSEC_PER_SEC));

    cr_assert_eq(discover(1, 2), address);
    select_offer(1, SERVER, address, 2);
    request = message(DHCP_DECLINE, 1);
    dhcp_message_put_u32(&request, DHCP_OPT_REQUESTED_ADDRESS, address);
    dhcp_message_put_u32(&request, DHCP_OPT_SERVER_ID, SERVER);
    cr_assert_eq(ask(&request, 3), 0);
    cr_assert_eq(answer.event, DHCP_SERVER_DECLINED);
    cr_assert_neq(discover(1, 4), address);
}

Test(dhcp_server, a_stranger_cannot_release_or_decline_for_another) {
    uint32_t address = discover(1, 0);
    struct dhcp_message request = message(DHCP_RELEASE, 2);

    select_offer(1, SERVER, address, 0);
    request.ciaddr_be = htonl(address);
    ask(&request, 1);
    cr_assert_eq(answer.event, DHCP_SERVER_NOTHING);
    request = message(DHCP_DECLINE, 2);
    dhcp_message_put_u32(&request, DHCP_OPT_REQUESTED_ADDRESS, address);
    ask(&request, 1);
    cr_assert_eq(answer.event, DHCP_SERVER_NOTHING);
    cr_assert_not(dhcp_lease_is_free(&server.leases, address, NSEC_PER_SEC));
}

/* The rest. */

Test(dhcp_server, inform_gets_parameters_alone) {
    struct dhcp_message request = message(DHCP_INFORM, 1);

    cr_assert_eq(ask(&request, 0), 0);
    request.ciaddr_be = htonl(0x0a000050);
    cr_assert_eq(ask(&request, 0), DHCP_ACK);
    cr_assert_eq(answer.message.yiaddr_be, 0);
    cr_assert_eq(answer.reach, DHCP_REACH_ADDRESS);
    cr_assert_not(dhcp_message_has(&answer.message, DHCP_OPT_LEASE_TIME));
}

Test(dhcp_server, where_replies_go) {
    struct dhcp_message request = message(DHCP_DISCOVER, 1);

    ask(&request, 0);
    cr_assert_eq(answer.reach, DHCP_REACH_NEIGHBOUR);
    cr_assert_eq(answer.port, DHCP_CLIENT_PORT);
    request.flags = DHCP_FLAG_BROADCAST;
    ask(&request, 0);
    cr_assert_eq(answer.reach, DHCP_REACH_BROADCAST);
    request.giaddr_be = htonl(0x0a0000fe);
    dhcp_message_put(&request, DHCP_OPT_RELAY_AGENT, "\1\1x", 3);
    ask(&request, 0);
    cr_assert_eq(answer.reach, DHCP_REACH_ADDRESS);
    cr_assert_eq(answer.address_be, htonl(0x0a0000fe));
    cr_assert_eq(answer.port, DHCP_SERVER_PORT);
    cr_assert(dhcp_message_has(&answer.message, DHCP_OPT_RELAY_AGENT));
}

Test(dhcp_server, identities_and_names_are_echoed) {
    struct dhcp_message request = message(DHCP_DISCOVER, 1);
    const uint8_t *value;
    size_t size;

    dhcp_message_put(&request, DHCP_OPT_CLIENT_ID, "\377abc", 4);
    dhcp_message_put(&request, DHCP_OPT_FQDN, "\5\0\0\3box\0", 8);
    dhcp_message_put_u16(&request, DHCP_OPT_MAX_SIZE, 1500);
    ask(&request, 0);
    value = dhcp_message_get(&answer.message, DHCP_OPT_CLIENT_ID, &size);
    cr_assert_eq(size, 4);
    cr_assert_arr_eq(value, "\377abc", 4);
    value = dhcp_message_get(&answer.message, DHCP_OPT_FQDN, &size);
    cr_assert_eq(size, 8);
    cr_assert_eq(value[0], 0x0e);
    cr_assert_eq(answer.max_bytes, 1472);
}

Test(dhcp_server, clients_of_one_interface) {
    uint32_t address;
    struct dhcp_message request = message(DHCP_DISCOVER, 1);

    address = discover(1, 0);
    dhcp_message_put(&request, DHCP_OPT_CLIENT_ID, "\377abc", 4);
    ask(&request, 0);
    cr_assert_neq(ntohl(answer.message.yiaddr_be), address, "two identities, one address");
    server.by_mac = true;
    ask(&request, 0);
    cr_assert_eq(ntohl(answer.message.yiaddr_be), address);
}

Test(dhcp_server, a_server_for_one_client) {
    memcpy(server.only_mac, "\2\0\0\0\0\1", 6);
    cr_assert_eq(discover(2, 0), 0);
    cr_assert_eq(answer.event, DHCP_SERVER_NOTHING);
    cr_assert_neq(discover(1, 0), 0);
}

Test(dhcp_server, what_is_no_request_is_ignored) {
    struct dhcp_message request = message(DHCP_OFFER, 1);

    cr_assert_eq(ask(&request, 0), 0);
    request = message(DHCP_DISCOVER, 1);
    request.op = DHCP_OP_REPLY;
    cr_assert_eq(ask(&request, 0), 0);
    request.op = DHCP_OP_REQUEST;
    request.hlen = 0;
    cr_assert_eq(ask(&request, 0), 0);
    request.hlen = 6;
    cr_assert_eq(ask(&request, 0), DHCP_OFFER);
}
