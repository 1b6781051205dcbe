/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ADDR_H
#define MAYFLY_ADDR_H

#include "netlink.h"
#include "subnet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The functions without a descriptor add a request to a batch.
 * Context: the namespace is the socket's; CAP_NET_ADMIN there. */

/**
 * addr_add() - give a link an IPv4 address
 * @prefix: of its network; the network's broadcast address comes with it
 * @life_sec: seconds until the kernel takes it away; UINT32_MAX: never; an address that is there
 *            already gets the new life
 */
void addr_add(struct netlink_batch *batch, uint32_t index, uint32_t address_be, uint8_t prefix,
              uint32_t life_sec);

/** addr_delete() - take an address away. */
void addr_delete(struct netlink_batch *batch, uint32_t index, uint32_t address_be, uint8_t prefix);

/**
 * addr_add_route() - a route to an IPv4 network
 * @gateway_be: 0: on the link itself
 *
 * A route that is there already is replaced.
 */
void addr_add_route(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                    uint8_t prefix, uint32_t gateway_be);

/** addr_delete_route() - take a route on the link itself away. */
void addr_delete_route(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                       uint8_t prefix);

/**
 * addr_add_local() - take every address of a network for this machine's own
 *
 * They are answered for by ARP, and sockets can be bound to them.
 */
void addr_add_local(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                    uint8_t prefix);

/** addr_add_neighbour() - say for good which hardware address an IPv4 address has. */
void addr_add_neighbour(struct netlink_batch *batch, uint32_t index, uint32_t address_be,
                        const uint8_t mac[6]);

/**
 * addr_is_taken() - whether somebody on a link has an IPv4 address
 * @fd: a socket to rtnetlink
 * @name: of the link, which is up and has no address
 * @wait_nsec: for an answer; passing it means no
 *
 * Asked by ARP, without a sender, as RFC 5227 has it.
 */
bool addr_is_taken(int fd, uint32_t index, const char *name, uint32_t address_be,
                   uint64_t wait_nsec);

/**
 * addr_get_routes() - the networks that the host has IPv4 routes to, in every table
 * @ret_routes: to free(3)
 *
 * Return: 0 or -errno with a text.
 */
int addr_get_routes(int fd, struct subnet **ret_routes, size_t *ret_n, struct err *err);

#endif
