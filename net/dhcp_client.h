/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DHCP_CLIENT_H
#define MAYFLY_DHCP_CLIENT_H

#include "dhcp_message.h"
#include "dhcp_parameters.h"

#include "engine/base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum dhcp_client_state {
    DHCP_CLIENT_INIT,       /* nothing asked yet */
    DHCP_CLIENT_SELECTING,  /* a discover is out */
    DHCP_CLIENT_REQUESTING, /* an offer was taken up */
    DHCP_CLIENT_BOUND,
    DHCP_CLIENT_RENEWING,  /* asking the lease's own server for more time */
    DHCP_CLIENT_REBINDING, /* asking any server */
};

enum dhcp_client_event {
    DHCP_CLIENT_NOTHING,
    DHCP_CLIENT_LEASED,    /* the first lease, or one after a loss: set @lease up */
    DHCP_CLIENT_EXTENDED,  /* the same address for longer */
    DHCP_CLIENT_REFUSED,   /* a server said no; what was set up has to go, the client asks anew */
    DHCP_CLIENT_EXPIRED,   /* as REFUSED, because no server answered in time */
    DHCP_CLIENT_DUPLICATE, /* the address was declined; the client asks anew */
};

/**
 * struct dhcp_client - gets a lease and keeps it
 * @mac: the interface's address
 * @hostname: what to call ourselves; may be empty
 * @seed: any number; transaction identities and the spread of retries come from it
 * @deadline_nsec: when to call dhcp_client_dispatch() at the latest
 * @lease: valid in BOUND, RENEWING and REBINDING
 * @refusal: what the last server that said no gave as its reason
 *
 * No socket and no clock: messages and times in, messages out.
 */
struct dhcp_client {
    uint8_t mac[6];
    char hostname[64];
    uint64_t seed;
    enum dhcp_client_state state;
    uint64_t deadline_nsec;
    uint64_t started_nsec;
    uint64_t requested_nsec;
    uint64_t t1_nsec;
    uint64_t t2_nsec;
    uint64_t expires_nsec;
    uint32_t xid;
    unsigned attempt;
    struct dhcp_parameters lease;
    struct dhcp_parameters offer;
    char refusal[128];
};

/** struct dhcp_client_output - what a client wants sent, and what happened */
struct dhcp_client_output {
    enum dhcp_client_event event;
    bool has_message;
    struct dhcp_message message;
    uint32_t server_be; /* to this server's address; 0: broadcast */
};

/** dhcp_client_init() - a client that dispatch makes ask at @now_nsec. */
void dhcp_client_init(struct dhcp_client *client, const uint8_t mac[6], const char *hostname,
                      uint64_t seed, uint64_t now_nsec);

/**
 * dhcp_client_dispatch() - act on the time
 *
 * Sends, repeats, renews, gives up, as far as @now_nsec says; does nothing before the deadline.
 * Spec: RFC 2131 section 4.4.  The first repeat comes after half a second instead of four.
 */
void dhcp_client_dispatch(struct dhcp_client *client, uint64_t now_nsec,
                          struct dhcp_client_output *ret_output);

/** dhcp_client_receive() - act on a message; those that are not an answer to us do nothing. */
void dhcp_client_receive(struct dhcp_client *client, const struct dhcp_message *message,
                         uint64_t now_nsec, struct dhcp_client_output *ret_output);

/** dhcp_client_decline() - the leased address is in use by another; say so and ask anew. */
void dhcp_client_decline(struct dhcp_client *client, uint64_t now_nsec,
                         struct dhcp_client_output *ret_output);

/** dhcp_client_release() - give the lease back; the client is then in INIT with no deadline. */
void dhcp_client_release(struct dhcp_client *client, struct dhcp_client_output *ret_output);

#endif
