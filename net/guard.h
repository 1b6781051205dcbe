/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_GUARD_H
#define MAYFLY_GUARD_H

#include "netlink.h"

#include <stdint.h>

/**
 * struct guard_port - what one container may send as
 * @index: the bridge's port that leads to it
 */
struct guard_port {
    uint32_t index;
    uint8_t mac[6];
    uint32_t address_be;
};

/**
 * guard_add() - the rules of a bridge that has none yet
 *
 * @uplink: index of a port that may send anything, since it leads to the host; 0: none
 *
 * From then on no frame comes in by a port that guard_add_port() did not name; by those that it
 * did, IPv4 and ARP under the port's own two addresses alone, no DHCP server's answers, and nothing
 * to loopback addresses.
 * Requests for a DHCP server reach the bridge, but no other port.
 * Context: a transaction (nft_transaction_begin()) in the bridge's namespace.
 */
void guard_add(struct netlink_batch *batch, uint32_t uplink);

/** guard_add_port() - let a container in. */
void guard_add_port(struct netlink_batch *batch, const struct guard_port *port);

/** guard_delete() - take all rules away.  In a transaction with guard_add() no frame gets past. */
void guard_delete(struct netlink_batch *batch);

#endif
