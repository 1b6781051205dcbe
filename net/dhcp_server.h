/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DHCP_SERVER_H
#define MAYFLY_DHCP_SERVER_H

#include "dhcp_lease.h"
#include "dhcp_message.h"
#include "dhcp_parameters.h"

#include <stdbool.h>
#include <stdint.h>

/**
 * struct dhcp_server - answers clients out of one pool
 * @parameters: what clients are told; its address is ignored
 * @leases: the pool
 * @rapid_commit: whether a discover that asks for it is acknowledged at once (RFC 4039)
 * @by_mac: tell clients apart by their hardware address, whatever identity they give; for a pool
 *          whose addresses belong to interfaces
 * @only_mac: answer this client alone, and let its lease outlive a release and a decline; all
 *            zeros: answer everyone
 *
 * No socket and no clock: messages and times in, messages out.
 */
struct dhcp_server {
    struct dhcp_parameters parameters;
    struct dhcp_lease_table leases;
    bool rapid_commit;
    bool by_mac;
    uint8_t only_mac[6];
};

enum dhcp_server_event {
    DHCP_SERVER_NOTHING,  /* not for us, or nothing to do about it */
    DHCP_SERVER_OFFERED,  /* an address is kept back */
    DHCP_SERVER_BOUND,    /* an address was given or extended */
    DHCP_SERVER_REFUSED,  /* a client had to be told no */
    DHCP_SERVER_RELEASED, /* a client gave its address back */
    DHCP_SERVER_DECLINED, /* a client saw its address in use */
    DHCP_SERVER_INFORMED, /* a client with an address wanted the rest */
    DHCP_SERVER_DRY,      /* no address is left */
};

enum dhcp_reach {
    DHCP_REACH_BROADCAST, /* 255.255.255.255 */
    DHCP_REACH_ADDRESS,   /* @address_be has the interface already */
    DHCP_REACH_NEIGHBOUR, /* @address_be is being given; by ARP it cannot be asked for yet */
};

/** struct dhcp_answer - what a server does about a message */
struct dhcp_answer {
    enum dhcp_server_event event;
    bool has_message;
    struct dhcp_message message;
    size_t max_bytes; /* what the client takes */
    enum dhcp_reach reach;
    uint32_t address_be;
    uint16_t port; /* host byte order */
};

/**
 * dhcp_server_answer() - act on a message
 * @now_nsec: on the clock that the leases' times are on
 *
 * Spec: RFC 2131 section 4.3 and table 3, RFC 3046 section 2.2, RFC 4039, RFC 4702, RFC 6842.
 * Return: 0 with @ret_answer, -ENOMEM, -EMSGSIZE.
 */
int dhcp_server_answer(struct dhcp_server *server, const struct dhcp_message *request,
                       uint64_t now_nsec, struct dhcp_answer *ret_answer);

/** dhcp_server_done() - free the leases. */
void dhcp_server_done(struct dhcp_server *server);

#endif
