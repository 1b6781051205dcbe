/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RFC 2131's figure 5 without its INIT-REBOOT half: a container's interface is
 * new each time.  Every discover asks for rapid commit, so that a server that
 * knows it answers with the lease itself; one that does not makes an offer,
 * and the first offer that is usable is taken.
 *
 * Times: a discover and the request that follows are repeated after a half,
 * one, two, four and then every eight seconds, each shifted by up to an eighth
 * so that many clients do not keep step.  A renewal is repeated after half the
 * time that is left, a minute at the least.
 *
 * Answers count only with the transaction's number, our hardware address, and,
 * from a taken offer on, its server's identity.
 */
#include "dhcp_client.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define RETRY_FIRST_NSEC (500 * NSEC_PER_MSEC)
#define RETRY_DOUBLINGS 4u
#define REQUEST_ATTEMPTS 4u
#define DECLINE_WAIT_NSEC (1 * NSEC_PER_SEC)
#define RENEW_RETRY_NSEC (60 * NSEC_PER_SEC)

static const uint8_t parameter_list[] = {
    DHCP_OPT_SUBNET_MASK, DHCP_OPT_ROUTES, DHCP_OPT_ROUTER, DHCP_OPT_DNS,
    DHCP_OPT_HOSTNAME,    DHCP_OPT_DOMAIN, DHCP_OPT_MTU,    DHCP_OPT_NTP,
    DHCP_OPT_T1,          DHCP_OPT_T2,     DHCP_OPT_SEARCH, DHCP_OPT_BROADCAST,
};

/** random_next() - splitmix64; nothing secret hangs on it. */
static uint64_t random_next(struct dhcp_client *client) {
    uint64_t z = client->seed += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void dhcp_client_init(struct dhcp_client *client, const uint8_t mac[6], const char *hostname,
                      uint64_t seed, uint64_t now_nsec) {
    *client = (struct dhcp_client){.seed = seed, .deadline_nsec = now_nsec};
    memcpy(client->mac, mac, 6);
    snprintf(client->hostname, sizeof client->hostname, "%s", hostname);
}

static void restart(struct dhcp_client *client, uint64_t when_nsec) {
    client->state = DHCP_CLIENT_INIT;
    client->attempt = 0;
    client->deadline_nsec = when_nsec;
}

/** retry_at() - when to send again, after the @attempt-th time. */
static uint64_t retry_at(struct dhcp_client *client, uint64_t now_nsec) {
    unsigned doublings = client->attempt < RETRY_DOUBLINGS ? client->attempt : RETRY_DOUBLINGS;
    uint64_t wait_nsec = RETRY_FIRST_NSEC << doublings;

    client->attempt++;
    return clock_add(now_nsec, wait_nsec - wait_nsec / 8 + random_next(client) % (wait_nsec / 4));
}

/** begin_message() - what all of our messages have; nothing in it can run out of room. */
static void begin_message(struct dhcp_client *client, enum dhcp_type type, uint64_t now_nsec,
                          struct dhcp_client_output *output) {
    struct dhcp_message *message = &output->message;
    uint64_t elapsed_sec = (now_nsec - client->started_nsec) / NSEC_PER_SEC;

    dhcp_message_init(message, DHCP_OP_REQUEST, client->xid, client->mac);
    message->secs = (uint16_t)(elapsed_sec < UINT16_MAX ? elapsed_sec : UINT16_MAX);
    dhcp_message_put_u8(message, DHCP_OPT_TYPE, (uint8_t)type);
    output->has_message = true;
}

static void put_wishes(struct dhcp_client *client, struct dhcp_message *message) {
    dhcp_message_put_u16(message, DHCP_OPT_MAX_SIZE, 1500);
    dhcp_message_put(message, DHCP_OPT_PARAMETERS, parameter_list, sizeof parameter_list);
    if (client->hostname[0])
        dhcp_message_put_text(message, DHCP_OPT_HOSTNAME, client->hostname);
}

static void send_discover(struct dhcp_client *client, uint64_t now_nsec,
                          struct dhcp_client_output *output) {
    if (client->state == DHCP_CLIENT_INIT) {
        client->state = DHCP_CLIENT_SELECTING;
        client->xid = (uint32_t)random_next(client);
        client->started_nsec = now_nsec;
    }
    begin_message(client, DHCP_DISCOVER, now_nsec, output);
    output->message.flags = DHCP_FLAG_BROADCAST;
    dhcp_message_put(&output->message, DHCP_OPT_RAPID_COMMIT, NULL, 0);
    put_wishes(client, &output->message);
    client->requested_nsec = now_nsec;
    client->deadline_nsec = retry_at(client, now_nsec);
}

/** send_request() - take the offer up, or ask for more time, as the state says. */
static void send_request(struct dhcp_client *client, uint64_t now_nsec,
                         struct dhcp_client_output *output) {
    begin_message(client, DHCP_REQUEST, now_nsec, output);
    put_wishes(client, &output->message);
    if (client->state == DHCP_CLIENT_REQUESTING) {
        output->message.flags = DHCP_FLAG_BROADCAST;
        dhcp_message_put(&output->message, DHCP_OPT_REQUESTED_ADDRESS, &client->offer.address_be,
                         4);
        dhcp_message_put(&output->message, DHCP_OPT_SERVER_ID, &client->offer.server_be, 4);
    } else {
        output->message.ciaddr_be = client->lease.address_be;
        if (client->state == DHCP_CLIENT_RENEWING)
            output->server_be = client->lease.server_be;
    }
    client->requested_nsec = now_nsec;
}

/** extend_deadline() - ask again after half of what is left until @end_nsec, or be there then. */
static void extend_deadline(struct dhcp_client *client, uint64_t now_nsec, uint64_t end_nsec) {
    uint64_t left_nsec = end_nsec - now_nsec;
    uint64_t wait_nsec = left_nsec / 2 < RENEW_RETRY_NSEC ? RENEW_RETRY_NSEC : left_nsec / 2;

    client->deadline_nsec = wait_nsec < left_nsec ? now_nsec + wait_nsec : end_nsec;
}

static void on_lease_time(struct dhcp_client *client, uint64_t now_nsec,
                          struct dhcp_client_output *output) {
    if (now_nsec >= client->expires_nsec) {
        output->event = DHCP_CLIENT_EXPIRED;
        restart(client, now_nsec);
        return;
    }
    if (client->state == DHCP_CLIENT_BOUND) {
        client->xid = (uint32_t)random_next(client);
        client->started_nsec = now_nsec;
    }
    client->state = now_nsec >= client->t2_nsec ? DHCP_CLIENT_REBINDING : DHCP_CLIENT_RENEWING;
    send_request(client, now_nsec, output);
    extend_deadline(client, now_nsec,
                    client->state == DHCP_CLIENT_RENEWING ? client->t2_nsec : client->expires_nsec);
}

static void clear(struct dhcp_client_output *output) {
    output->event = DHCP_CLIENT_NOTHING;
    output->has_message = false;
    output->server_be = 0;
}

void dhcp_client_dispatch(struct dhcp_client *client, uint64_t now_nsec,
                          struct dhcp_client_output *ret_output) {
    clear(ret_output);
    if (now_nsec < client->deadline_nsec)
        return;
    switch (client->state) {
    case DHCP_CLIENT_INIT:
    case DHCP_CLIENT_SELECTING:
        send_discover(client, now_nsec, ret_output);
        break;
    case DHCP_CLIENT_REQUESTING:
        if (client->attempt >= REQUEST_ATTEMPTS) {
            restart(client, now_nsec);
            send_discover(client, now_nsec, ret_output);
        } else {
            send_request(client, now_nsec, ret_output);
            client->deadline_nsec = retry_at(client, now_nsec);
        }
        break;
    case DHCP_CLIENT_BOUND:
    case DHCP_CLIENT_RENEWING:
    case DHCP_CLIENT_REBINDING:
        on_lease_time(client, now_nsec, ret_output);
        break;
    }
}

static uint64_t after_seconds(uint64_t moment_nsec, uint32_t seconds) {
    return seconds == DHCP_FOREVER ? CLOCK_NEVER : clock_add(moment_nsec, seconds * NSEC_PER_SEC);
}

/** bind_lease() - the lease runs from when it was asked for (RFC 2131 section 4.4.1). */
static void bind_lease(struct dhcp_client *client, const struct dhcp_parameters *lease,
                       struct dhcp_client_output *output) {
    bool is_first = client->state < DHCP_CLIENT_BOUND;

    output->event = is_first || lease->address_be != client->lease.address_be
                        ? DHCP_CLIENT_LEASED
                        : DHCP_CLIENT_EXTENDED;
    client->lease = *lease;
    client->t1_nsec = after_seconds(client->requested_nsec, lease->t1_sec);
    client->t2_nsec = after_seconds(client->requested_nsec, lease->t2_sec);
    client->expires_nsec = after_seconds(client->requested_nsec, lease->lease_sec);
    client->state = DHCP_CLIENT_BOUND;
    client->attempt = 0;
    client->deadline_nsec = client->t1_nsec;
}

static void on_offer(struct dhcp_client *client, const struct dhcp_message *message,
                     uint64_t now_nsec, struct dhcp_client_output *output) {
    if (client->state != DHCP_CLIENT_SELECTING || dhcp_parameters_read(&client->offer, message) < 0)
        return;
    client->state = DHCP_CLIENT_REQUESTING;
    client->attempt = 0;
    send_request(client, now_nsec, output);
    client->deadline_nsec = retry_at(client, now_nsec);
}

static void on_ack(struct dhcp_client *client, const struct dhcp_message *message,
                   struct dhcp_client_output *output) {
    struct dhcp_parameters lease;

    if (dhcp_parameters_read(&lease, message) < 0)
        return;
    switch (client->state) {
    case DHCP_CLIENT_SELECTING:
        if (dhcp_message_has(message, DHCP_OPT_RAPID_COMMIT))
            bind_lease(client, &lease, output);
        break;
    case DHCP_CLIENT_REQUESTING:
        if (lease.server_be == client->offer.server_be)
            bind_lease(client, &lease, output);
        break;
    case DHCP_CLIENT_RENEWING:
    case DHCP_CLIENT_REBINDING:
        bind_lease(client, &lease, output);
        break;
    case DHCP_CLIENT_INIT:
    case DHCP_CLIENT_BOUND:
        break;
    }
}

static void on_nak(struct dhcp_client *client, const struct dhcp_message *message,
                   uint64_t now_nsec, struct dhcp_client_output *output) {
    uint32_t server_be;

    if (dhcp_message_get_addresses(message, DHCP_OPT_SERVER_ID, &server_be, 1) != 1)
        return;
    if (!(client->state == DHCP_CLIENT_REQUESTING && server_be == client->offer.server_be) &&
        !(client->state == DHCP_CLIENT_RENEWING && server_be == client->lease.server_be) &&
        client->state != DHCP_CLIENT_REBINDING)
        return;
    if (!dhcp_message_get_text(message, DHCP_OPT_MESSAGE, client->refusal, sizeof client->refusal))
        snprintf(client->refusal, sizeof client->refusal, "no reason given");
    output->event = DHCP_CLIENT_REFUSED;
    restart(client, clock_add(now_nsec, RETRY_FIRST_NSEC));
}

void dhcp_client_receive(struct dhcp_client *client, const struct dhcp_message *message,
                         uint64_t now_nsec, struct dhcp_client_output *ret_output) {
    clear(ret_output);
    if (message->op != DHCP_OP_REPLY || message->xid != client->xid || message->hlen != 6 ||
        memcmp(message->chaddr, client->mac, 6) != 0)
        return;
    switch (dhcp_message_type(message)) {
    case DHCP_OFFER:
        on_offer(client, message, now_nsec, ret_output);
        break;
    case DHCP_ACK:
        on_ack(client, message, ret_output);
        break;
    case DHCP_NAK:
        on_nak(client, message, now_nsec, ret_output);
        break;
    default:
        break;
    }
}

void dhcp_client_decline(struct dhcp_client *client, uint64_t now_nsec,
                         struct dhcp_client_output *ret_output) {
    clear(ret_output);
    if (client->state < DHCP_CLIENT_BOUND)
        return;
    client->xid = (uint32_t)random_next(client);
    client->started_nsec = now_nsec;
    begin_message(client, DHCP_DECLINE, now_nsec, ret_output);
    dhcp_message_put(&ret_output->message, DHCP_OPT_REQUESTED_ADDRESS, &client->lease.address_be,
                     4);
    dhcp_message_put(&ret_output->message, DHCP_OPT_SERVER_ID, &client->lease.server_be, 4);
    ret_output->event = DHCP_CLIENT_DUPLICATE;
    restart(client, clock_add(now_nsec, DECLINE_WAIT_NSEC));
}

void dhcp_client_release(struct dhcp_client *client, struct dhcp_client_output *ret_output) {
    clear(ret_output);
    if (client->state < DHCP_CLIENT_BOUND)
        return;
    client->xid = (uint32_t)random_next(client);
    begin_message(client, DHCP_RELEASE, client->started_nsec, ret_output);
    ret_output->message.ciaddr_be = client->lease.address_be;
    dhcp_message_put(&ret_output->message, DHCP_OPT_SERVER_ID, &client->lease.server_be, 4);
    ret_output->server_be = client->lease.server_be;
    restart(client, CLOCK_NEVER);
}
