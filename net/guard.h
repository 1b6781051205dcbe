/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_GUARD_H
#define MAYFLY_GUARD_H

#include "netlink.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/**
 * struct guard_port - what one container may send as
 * @index: the bridge's port that leads to it
 * @has_ipv6: whether it may use IPv6, under its address on the link and @address6
 */
struct guard_port {
    uint32_t index;
    uint8_t mac[6];
    uint32_t address_be;
    bool has_ipv6;
    struct in6_addr address6;
};

/**
 * guard_add() - the rules of a bridge that has none yet
 *
 * @uplink: index of a port that may send anything, since it leads to the host; 0: none
 * @with_ipv6: whether there are ports that may use IPv6
 *
 * From then on no frame comes in by a port that guard_add_port() did not name; by those that it
 * did, IPv4 and ARP under the port's own two addresses alone, no DHCP server's answers, and nothing
 * to loopback addresses.  IPv6 and its neighbour discovery likewise, without a router's messages.
 * Requests for a DHCP server reach the bridge, but no other port.
 * Context: a transaction (nft_transaction_begin()) in the bridge's namespace.
 */
void guard_add(struct netlink_batch *batch, uint32_t uplink, bool with_ipv6);

/** guard_add_port() - let a container in. */
void guard_add_port(struct netlink_batch *batch, const struct guard_port *port);

/**
 * guard_add_link() - the rules of a container's link to another's bridge
 * @link: the link's name on this side; its table has the same
 * @port: its index and the hardware address behind it, and no address yet
 *
 * As those of guard_add() without IPv6, except that requests for a DHCP server go on to whoever is
 * one.  Nothing but these gets through until guard_set_address().
 * Context: a transaction in the host's namespace; the rules go when the socket is closed that it is
 * sent by.  Needs Linux 5.12.
 */
void guard_add_link(struct netlink_batch *batch, const char *link, const struct guard_port *port);

/**
 * guard_set_address() - let the container send under another address
 * @port: as guard_add_link() got it, and the address that it has had so far; 0: none
 * @address_be: 0: none
 *
 * Context: a transaction by the same socket.
 */
void guard_set_address(struct netlink_batch *batch, const char *link, const struct guard_port *port,
                       uint32_t address_be);

/** guard_delete() - take all rules away.  In a transaction with guard_add() no frame gets past. */
void guard_delete(struct netlink_batch *batch);

#endif
