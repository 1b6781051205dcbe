/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server on somebody's network can send to our client: anything, in
 * each of the client's states.  The transaction's number and the hardware
 * address are patched in, so that the input gets past them.  What is leased
 * has to make a resolv.conf of whole lines and survive being written again.
 */
#include "net/dhcp_client.h"
#include "net/resolv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lease(const struct dhcp_parameters *lease) {
    struct dhcp_message request, reply;
    struct resolv resolv;
    _cleanup_buf_ struct buf text = BUF_INIT;
    static const uint8_t mac[6];

    resolv_from_lease(&resolv, lease);
    resolv_format(&resolv, &text);
    for (const char *line = text.data; line && *line; line = strchr(line, '\n') + 1)
        if ((strncmp(line, "nameserver ", 11) != 0 && strncmp(line, "search ", 7) != 0) ||
            !strchr(line, '\n'))
            abort();
    dhcp_message_init(&request, DHCP_OP_REQUEST, 1, mac);
    dhcp_message_init(&reply, DHCP_OP_REPLY, 1, mac);
    if (dhcp_parameters_write(lease, &request, true, &reply) < 0)
        abort();
}

/** feed() - the message to a client that has got as far as @state. */
static void feed(struct dhcp_message *message, enum dhcp_client_state state) {
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};
    struct dhcp_client client;
    struct dhcp_client_output output;

    dhcp_client_init(&client, mac, "box", 1, 0);
    dhcp_client_dispatch(&client, 0, &output);
    client.state = state;
    client.t1_nsec = client.t2_nsec = client.expires_nsec = 1000 * NSEC_PER_SEC;
    dhcp_message_get_addresses(message, DHCP_OPT_SERVER_ID, &client.offer.server_be, 1);
    client.lease.server_be = client.offer.server_be;
    message->xid = client.xid;
    memcpy(message->chaddr, mac, 6);
    message->hlen = 6;
    dhcp_client_receive(&client, message, NSEC_PER_SEC, &output);
    if (output.event == DHCP_CLIENT_LEASED || output.event == DHCP_CLIENT_EXTENDED)
        check_lease(&client.lease);
    for (int i = 0; i < 8 && client.deadline_nsec != CLOCK_NEVER; i++)
        dhcp_client_dispatch(&client, client.deadline_nsec, &output);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct dhcp_message message;

    if (dhcp_message_decode(&message, data, size) < 0)
        return 0;
    for (int state = DHCP_CLIENT_SELECTING; state <= DHCP_CLIENT_REBINDING; state++)
        feed(&message, (enum dhcp_client_state)state);
    return 0;
}
