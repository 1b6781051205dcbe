/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_client.h"
#include "net/dhcp_server.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <string.h>

#define SEC NSEC_PER_SEC

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
static struct dhcp_client client;
static struct dhcp_client_output output;
static struct dhcp_server server;

static void setup(void) {
    server = (struct dhcp_server){
        .parameters = {.prefix = 24,
                       .server_be = htonl(0x0a000001),
                       .lease_sec = 1000,
                       .t1_sec = 500,
                       .t2_sec = 875},
        .rapid_commit = true,
    };
    cr_assert_eq(dhcp_lease_table_init(&server.leases, 0x0a000002, 0x0a000003), 0);
    dhcp_client_init(&client, mac, "box", 42, 0);
}

static void teardown(void) {
    dhcp_server_done(&server);
}

TestSuite(dhcp_client, .init = setup, .fini = teardown);

/** deliver() - what the client sent goes to the server, the answer back; the client's event. */
static enum dhcp_client_event deliver(uint64_t now_nsec) {
    struct dhcp_message sent = output.message;
    struct dhcp_answer answer;

    cr_assert(output.has_message, "the client sent nothing");
    cr_assert_eq(dhcp_server_answer(&server, &sent, now_nsec, &answer), 0);
    if (!answer.has_message)
        return DHCP_CLIENT_NOTHING;
    dhcp_client_receive(&client, &answer.message, now_nsec, &output);
    return output.event;
}

static void get_lease(void) {
    dhcp_client_dispatch(&client, 0, &output);
    cr_assert_eq(deliver(0), DHCP_CLIENT_LEASED);
}

/* Getting a lease. */

Test(dhcp_client, rapid_commit) {
    char name[16];

    dhcp_client_dispatch(&client, 0, &output);
    cr_assert_eq(dhcp_message_type(&output.message), DHCP_DISCOVER);
    cr_assert(dhcp_message_get_text(&output.message, DHCP_OPT_HOSTNAME, name, sizeof name));
    cr_assert_str_eq(name, "box");
    cr_assert_eq(deliver(0), DHCP_CLIENT_LEASED);
    cr_assert_eq(client.state, DHCP_CLIENT_BOUND);
    cr_assert_eq(client.deadline_nsec, 500 * SEC);
    cr_assert_eq(client.lease.prefix, 24);
}

Test(dhcp_client, four_messages) {
    server.rapid_commit = false;
    dhcp_client_dispatch(&client, 0, &output);
    cr_assert_eq(deliver(0), DHCP_CLIENT_NOTHING);
    cr_assert_eq(client.state, DHCP_CLIENT_REQUESTING);
    cr_assert_eq(dhcp_message_type(&output.message), DHCP_REQUEST);
    cr_assert_eq(deliver(0), DHCP_CLIENT_LEASED);
}

Test(dhcp_client, a_silent_server_is_asked_again_ever_more_slowly) {
    uint64_t last = 0, gap = 0;
    uint32_t xid;

    dhcp_client_dispatch(&client, 0, &output);
    xid = client.xid;
    for (int i = 0; i < 4; i++) {
        uint64_t now = client.deadline_nsec;

        cr_assert_gt(now - last, gap);
        gap = now - last;
        last = now;
        dhcp_client_dispatch(&client, now - 1, &output);
        cr_assert_not(output.has_message, "sent before its time");
        dhcp_client_dispatch(&client, now, &output);
        cr_assert(output.has_message);
        cr_assert_eq(client.xid, xid);
    }
    cr_assert_lt(gap, 10 * SEC);
}

Test(dhcp_client, an_offer_without_an_acknowledgement_is_given_up) {
    server.rapid_commit = false;
    dhcp_client_dispatch(&client, 0, &output);
    deliver(0);
    for (int i = 0; i < 5 && client.state == DHCP_CLIENT_REQUESTING; i++)
        dhcp_client_dispatch(&client, client.deadline_nsec, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_SELECTING);
    cr_assert_eq(dhcp_message_type(&output.message), DHCP_DISCOVER);
}

Test(dhcp_client, a_nak_starts_over) {
    server.rapid_commit = false;
    dhcp_client_dispatch(&client, 0, &output);
    deliver(0);
    dhcp_lease_remove(&server.leases, dhcp_lease_at(&server.leases, 0x0a000002));
    cr_assert_eq(deliver(0), DHCP_CLIENT_REFUSED);
    cr_assert_str_eq(client.refusal, "no such offer");
    cr_assert_eq(client.state, DHCP_CLIENT_INIT);
    cr_assert_gt(client.deadline_nsec, 0);
    dhcp_client_dispatch(&client, client.deadline_nsec, &output);
    cr_assert_eq(dhcp_message_type(&output.message), DHCP_DISCOVER);
}

/* Keeping it. */

Test(dhcp_client, renewing_by_unicast) {
    get_lease();
    dhcp_client_dispatch(&client, 500 * SEC - 1, &output);
    cr_assert_not(output.has_message);
    dhcp_client_dispatch(&client, 500 * SEC, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_RENEWING);
    cr_assert_eq(output.server_be, htonl(0x0a000001));
    cr_assert_eq(output.message.ciaddr_be, client.lease.address_be);
    cr_assert_not(dhcp_message_has(&output.message, DHCP_OPT_SERVER_ID));
    cr_assert_eq(deliver(500 * SEC), DHCP_CLIENT_EXTENDED);
    cr_assert_eq(client.expires_nsec, 1500 * SEC);
}

Test(dhcp_client, rebinding_by_broadcast_then_expiry) {
    get_lease();
    while (client.deadline_nsec < 875 * SEC) {
        dhcp_client_dispatch(&client, client.deadline_nsec, &output);
        cr_assert_eq(client.state, DHCP_CLIENT_RENEWING);
    }
    dhcp_client_dispatch(&client, 875 * SEC, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_REBINDING);
    cr_assert_eq(output.server_be, 0);
    while (client.state == DHCP_CLIENT_REBINDING) {
        cr_assert_leq(client.deadline_nsec, 1000 * SEC);
        dhcp_client_dispatch(&client, client.deadline_nsec, &output);
    }
    cr_assert_eq(output.event, DHCP_CLIENT_EXPIRED);
    dhcp_client_dispatch(&client, client.deadline_nsec, &output);
    cr_assert_eq(dhcp_message_type(&output.message), DHCP_DISCOVER);
}

Test(dhcp_client, a_restarted_server_that_gives_another_address) {
    get_lease();
    dhcp_client_dispatch(&client, 500 * SEC, &output);
    dhcp_lease_table_done(&server.leases);
    cr_assert_eq(dhcp_lease_table_init(&server.leases, 0x0b000002, 0x0b000003), 0);
    cr_assert_eq(deliver(500 * SEC), DHCP_CLIENT_REFUSED);
    dhcp_client_dispatch(&client, client.deadline_nsec, &output);
    cr_assert_eq(deliver(501 * SEC), DHCP_CLIENT_LEASED);
    cr_assert_eq(client.lease.address_be, htonl(0x0b000002));
}

Test(dhcp_client, a_lease_without_an_end_is_left_alone) {
    server.parameters.lease_sec = DHCP_FOREVER;
    get_lease();
    cr_assert_eq(client.deadline_nsec, CLOCK_NEVER);
}

/* Giving it back. */

Test(dhcp_client, release) {
    get_lease();
    dhcp_client_release(&client, &output);
    cr_assert_eq(dhcp_message_type(&output.message), DHCP_RELEASE);
    cr_assert_eq(client.deadline_nsec, CLOCK_NEVER);
    deliver(1);
    cr_assert(dhcp_lease_is_free(&server.leases, 0x0a000002, 1));
}

Test(dhcp_client, decline_then_another_address) {
    uint32_t first_be;

    get_lease();
    first_be = client.lease.address_be;
    dhcp_client_decline(&client, 1, &output);
    cr_assert_eq(output.event, DHCP_CLIENT_DUPLICATE);
    deliver(1);
    dhcp_client_dispatch(&client, client.deadline_nsec, &output);
    cr_assert_eq(deliver(2 * SEC), DHCP_CLIENT_LEASED);
    cr_assert_neq(client.lease.address_be, first_be);
}

/* Answers that are not ours. */

Test(dhcp_client, wrong_transaction_address_or_server) {
    struct dhcp_message sent;
    struct dhcp_answer answer;

    server.rapid_commit = false;
    dhcp_client_dispatch(&client, 0, &output);
    sent = output.message;
    cr_assert_eq(dhcp_server_answer(&server, &sent, 0, &answer), 0);
    answer.message.xid ^= 1;
    dhcp_client_receive(&client, &answer.message, 0, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_SELECTING);
    answer.message.xid ^= 1;
    answer.message.chaddr[5] ^= 1;
    dhcp_client_receive(&client, &answer.message, 0, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_SELECTING);
    answer.message.chaddr[5] ^= 1;
    dhcp_client_receive(&client, &answer.message, 0, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_REQUESTING);

    sent = output.message;
    cr_assert_eq(dhcp_server_answer(&server, &sent, 0, &answer), 0);
    dhcp_message_put_u32(&answer.message, DHCP_OPT_SERVER_ID, 0x0a000063);
    dhcp_client_receive(&client, &answer.message, 0, &output);
    cr_assert_eq(client.state, DHCP_CLIENT_REQUESTING, "another server's answer was taken");
    dhcp_message_put_u32(&answer.message, DHCP_OPT_SERVER_ID, 0x0a000001);
    dhcp_client_receive(&client, &answer.message, 0, &output);
    cr_assert_eq(output.event, DHCP_CLIENT_LEASED);
}

Test(dhcp_client, an_acknowledgement_nobody_asked_for) {
    struct dhcp_message message;

    dhcp_client_dispatch(&client, 0, &output);
    dhcp_message_init(&message, DHCP_OP_REPLY, client.xid, mac);
    message.yiaddr_be = htonl(0x0a000002);
    dhcp_message_put_u8(&message, DHCP_OPT_TYPE, DHCP_ACK);
    dhcp_message_put_u32(&message, DHCP_OPT_SERVER_ID, 0x0a000001);
    dhcp_message_put_u32(&message, DHCP_OPT_LEASE_TIME, 1000);
    dhcp_client_receive(&client, &message, 0, &output);
    cr_assert_eq(output.event, DHCP_CLIENT_NOTHING);
    cr_assert_eq(client.state, DHCP_CLIENT_SELECTING);
}
