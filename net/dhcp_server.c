/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 2131 section 4.3 as a function: a message comes in, the table of leases
 * changes, at most one message goes out.
 *
 * The server holds itself for the only authority on its link.  A client that
 * comes with an address it had elsewhere is told so at once (a NAK), and one
 * whose lease the server does not know gets it as long as it is free: the
 * server may have been replaced while the client kept its lease.
 *
 * A REQUEST comes in three shapes, told apart as RFC 2131's table 4 has it:
 * with a server's identity it takes up an offer; with an address wanted but
 * none in use the client has rebooted; with an address in use it renews or
 * rebinds.
 */
#include "dhcp_server.h"

#include "engine/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define OFFER_NSEC (60 * NSEC_PER_SEC)
#define DECLINE_NSEC (600 * NSEC_PER_SEC)

#define FQDN_SERVER 0x01
#define FQDN_OVERRIDE 0x02
#define FQDN_ENCODED 0x04
#define FQDN_NONE 0x08

/** struct context - one message on its way through */
struct context {
    struct dhcp_server *server;
    const struct dhcp_message *request;
    struct dhcp_client_id id;
    uint64_t now_nsec;
    struct dhcp_answer *answer;
};

void dhcp_server_done(struct dhcp_server *server) {
    dhcp_lease_table_done(&server->leases);
}

static bool serves_one(const struct dhcp_server *server) {
    static const uint8_t zero[6];

    return memcmp(server->only_mac, zero, sizeof zero) != 0;
}

static struct dhcp_client_id identify(const struct dhcp_server *server,
                                      const struct dhcp_message *request) {
    struct dhcp_client_id id = dhcp_client_id_of_mac(request->chaddr);
    size_t size;
    const uint8_t *value = dhcp_message_get(request, DHCP_OPT_CLIENT_ID, &size);

    if (value && size >= 2 && size <= sizeof id.bytes && !server->by_mac) {
        id.size = (uint8_t)size;
        memcpy(id.bytes, value, size);
    }
    return id;
}

static uint64_t lease_end(const struct context *context) {
    uint32_t seconds = context->server->parameters.lease_sec;

    if (seconds == DHCP_FOREVER)
        return CLOCK_NEVER;
    return clock_add(context->now_nsec, seconds * NSEC_PER_SEC);
}

/** put_fqdn() - RFC 4702 section 4: the name is the client's own affair, and no DNS is updated. */
static int put_fqdn(const struct dhcp_message *request, struct dhcp_message *reply) {
    uint8_t value[3 + 255];
    size_t size;
    const uint8_t *asked = dhcp_message_get(request, DHCP_OPT_FQDN, &size);

    if (!asked || size < 3 || size > sizeof value)
        return 0;
    memcpy(value, asked, size);
    value[0] = (uint8_t)((asked[0] & FQDN_ENCODED) | FQDN_NONE);
    if (asked[0] & FQDN_SERVER)
        value[0] |= FQDN_OVERRIDE;
    value[1] = value[2] = 255;
    return dhcp_message_put(reply, DHCP_OPT_FQDN, value, size);
}

/** echo() - repeat an option of the request. */
static int echo(const struct dhcp_message *request, struct dhcp_message *reply, uint8_t code) {
    size_t size;
    const uint8_t *value = dhcp_message_get(request, code, &size);

    return value ? dhcp_message_put(reply, code, value, size) : 0;
}

/** aim() - where a reply goes (RFC 2131 section 4.1). */
static void aim(struct context *context, enum dhcp_type type) {
    const struct dhcp_message *request = context->request;
    struct dhcp_answer *answer = context->answer;

    answer->port = DHCP_CLIENT_PORT;
    answer->reach = DHCP_REACH_BROADCAST;
    if (request->giaddr_be != 0) {
        answer->reach = DHCP_REACH_ADDRESS;
        answer->address_be = request->giaddr_be;
        answer->port = DHCP_SERVER_PORT;
        if (type == DHCP_NAK)
            answer->message.flags |= DHCP_FLAG_BROADCAST;
    } else if (type == DHCP_NAK) {
        return;
    } else if (request->ciaddr_be != 0) {
        answer->reach = DHCP_REACH_ADDRESS;
        answer->address_be = request->ciaddr_be;
    } else if (!(request->flags & DHCP_FLAG_BROADCAST) && answer->message.yiaddr_be != 0) {
        answer->reach = DHCP_REACH_NEIGHBOUR;
        answer->address_be = answer->message.yiaddr_be;
    }
}

/** reply() - an offer or acknowledgement of @address (0: of an inform). */
static int reply(struct context *context, enum dhcp_type type, uint32_t address) {
    const struct dhcp_message *request = context->request;
    struct dhcp_parameters parameters = context->server->parameters;
    struct dhcp_message *message = &context->answer->message;
    int r;

    dhcp_message_init(message, DHCP_OP_REPLY, request->xid, request->chaddr);
    message->flags = request->flags;
    message->giaddr_be = request->giaddr_be;
    message->yiaddr_be = htonl(address);
    if (type == DHCP_ACK)
        message->ciaddr_be = request->ciaddr_be;
    parameters.address_be = address ? htonl(address) : parameters.server_be;
    r = dhcp_message_put_u8(message, DHCP_OPT_TYPE, (uint8_t)type);
    if (r == 0)
        r = dhcp_parameters_write(&parameters, request, address != 0, message);
    if (r == 0)
        r = put_fqdn(request, message);
    if (r == 0)
        r = echo(request, message, DHCP_OPT_CLIENT_ID);
    if (r == 0)
        r = echo(request, message, DHCP_OPT_RELAY_AGENT);
    context->answer->has_message = r == 0;
    aim(context, type);
    return r;
}

static int refuse(struct context *context, const char *why) {
    const struct dhcp_message *request = context->request;
    struct dhcp_message *message = &context->answer->message;
    int r;

    dhcp_message_init(message, DHCP_OP_REPLY, request->xid, request->chaddr);
    message->flags = request->flags;
    message->giaddr_be = request->giaddr_be;
    r = dhcp_message_put_u8(message, DHCP_OPT_TYPE, DHCP_NAK);
    if (r == 0)
        r = dhcp_message_put(message, DHCP_OPT_SERVER_ID, &context->server->parameters.server_be,
                             4);
    if (r == 0)
        r = dhcp_message_put_text(message, DHCP_OPT_MESSAGE, why);
    if (r == 0)
        r = echo(request, message, DHCP_OPT_CLIENT_ID);
    if (r == 0)
        r = echo(request, message, DHCP_OPT_RELAY_AGENT);
    context->answer->has_message = r == 0;
    context->answer->event = DHCP_SERVER_REFUSED;
    aim(context, DHCP_NAK);
    return r;
}

/** acknowledge() - bind @address to the client and say so, or say that it cannot be. */
static int acknowledge(struct context *context, uint32_t address) {
    int r = dhcp_lease_bind(&context->server->leases, &context->id, address, context->now_nsec,
                            lease_end(context));

    if (r == -EADDRINUSE)
        return refuse(context, "address in use");
    if (r == -EADDRNOTAVAIL)
        return refuse(context, "address not of this network");
    if (r < 0)
        return r;
    context->answer->event = DHCP_SERVER_BOUND;
    return reply(context, DHCP_ACK, address);
}

static uint32_t requested_address(const struct dhcp_message *request) {
    uint32_t address;

    dhcp_message_get_u32(request, DHCP_OPT_REQUESTED_ADDRESS, &address);
    return address;
}

static int on_discover(struct context *context) {
    struct dhcp_lease *lease;
    int r;

    r = dhcp_lease_offer(&context->server->leases, &context->id,
                         requested_address(context->request), context->now_nsec,
                         clock_add(context->now_nsec, OFFER_NSEC), &lease);
    if (r == -ENOSPC) {
        context->answer->event = DHCP_SERVER_DRY;
        return 0;
    }
    if (r < 0)
        return r;
    if (context->server->rapid_commit &&
        dhcp_message_has(context->request, DHCP_OPT_RAPID_COMMIT)) {
        r = acknowledge(context, lease->address);
        return r < 0 ? r
                     : dhcp_message_put(&context->answer->message, DHCP_OPT_RAPID_COMMIT, NULL, 0);
    }
    context->answer->event = DHCP_SERVER_OFFERED;
    return reply(context, DHCP_OFFER, lease->address);
}

/** forget_offer() - the client took another server's. */
static void forget_offer(struct context *context) {
    struct dhcp_lease *lease = dhcp_lease_find(&context->server->leases, &context->id);

    if (lease && lease->state == DHCP_LEASE_OFFERED)
        dhcp_lease_remove(&context->server->leases, lease);
}

static int on_request(struct context *context) {
    const struct dhcp_message *request = context->request;
    uint32_t wanted = requested_address(request);
    struct dhcp_lease *lease = dhcp_lease_find(&context->server->leases, &context->id);
    uint32_t chosen_be;

    if (dhcp_message_get_addresses(request, DHCP_OPT_SERVER_ID, &chosen_be, 1) == 1) {
        if (chosen_be != context->server->parameters.server_be) {
            forget_offer(context);
            return 0;
        }
        if (!lease || lease->address != wanted)
            return refuse(context, "no such offer");
        return acknowledge(context, wanted);
    }
    if (request->ciaddr_be != 0)
        return acknowledge(context, ntohl(request->ciaddr_be));
    if (wanted == 0)
        return 0;
    if (lease && lease->address != wanted &&
        !dhcp_lease_is_free(&context->server->leases, lease->address, context->now_nsec))
        return refuse(context, "another address is yours");
    return acknowledge(context, wanted);
}

static bool is_for_us(const struct context *context) {
    uint32_t chosen_be;

    return dhcp_message_get_addresses(context->request, DHCP_OPT_SERVER_ID, &chosen_be, 1) != 1 ||
           chosen_be == context->server->parameters.server_be;
}

static int on_decline(struct context *context) {
    uint32_t address = requested_address(context->request);

    if (!is_for_us(context))
        return 0;
    if (!serves_one(context->server) &&
        dhcp_lease_decline(&context->server->leases, &context->id, address,
                           clock_add(context->now_nsec, DECLINE_NSEC)) == -ENOENT)
        return 0;
    context->answer->event = DHCP_SERVER_DECLINED;
    return 0;
}

static int on_release(struct context *context) {
    uint32_t address = ntohl(context->request->ciaddr_be);

    if (!is_for_us(context))
        return 0;
    if (dhcp_lease_release(&context->server->leases, &context->id, address, context->now_nsec) == 0)
        context->answer->event = DHCP_SERVER_RELEASED;
    return 0;
}

static int on_inform(struct context *context) {
    if (context->request->ciaddr_be == 0)
        return 0;
    context->answer->event = DHCP_SERVER_INFORMED;
    return reply(context, DHCP_ACK, 0);
}

int dhcp_server_answer(struct dhcp_server *server, const struct dhcp_message *request,
                       uint64_t now_nsec, struct dhcp_answer *ret_answer) {
    struct context context = {
        .server = server, .request = request, .now_nsec = now_nsec, .answer = ret_answer};
    uint16_t max_bytes;

    memset(ret_answer, 0, offsetof(struct dhcp_answer, message));
    ret_answer->event = DHCP_SERVER_NOTHING;
    ret_answer->max_bytes = DHCP_MIN_MAX_BYTES;
    /* Option 57 counts the IP and UDP headers as well. */
    if (dhcp_message_get_u16(request, DHCP_OPT_MAX_SIZE, &max_bytes) && max_bytes > 28)
        ret_answer->max_bytes = max_bytes - 28u;
    if (request->op != DHCP_OP_REQUEST || request->htype != 1 || request->hlen != 6)
        return 0;
    if (serves_one(server) && memcmp(request->chaddr, server->only_mac, 6) != 0)
        return 0;
    context.id = identify(server, request);
    switch (dhcp_message_type(request)) {
    case DHCP_DISCOVER:
        return on_discover(&context);
    case DHCP_REQUEST:
        return on_request(&context);
    case DHCP_DECLINE:
        return on_decline(&context);
    case DHCP_RELEASE:
        return on_release(&context);
    case DHCP_INFORM:
        return on_inform(&context);
    default:
        return 0;
    }
}
