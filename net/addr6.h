/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ADDR6_H
#define MAYFLY_ADDR6_H

#include "netlink.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* The functions with a batch add a request to it.
 * Context: the namespace is the socket's; CAP_NET_ADMIN there. */

/**
 * addr6_add() - give a link an IPv6 address of a /64, usable at once
 *
 * Nobody is asked whether he has it already.
 */
void addr6_add(struct netlink_batch *batch, uint32_t index, const struct in6_addr *address);

/** addr6_add_default_route() - @gateway: its address on the link. */
void addr6_add_default_route(struct netlink_batch *batch, uint32_t index,
                             const struct in6_addr *gateway);

/**
 * addr6_add_loopback() - let answers to ::1 come in by a link
 *
 * Packets that say so themselves never do: the kernel drops them before it looks at routes.  Those
 * whose address nf_tables translates back do, and find a route only if there is one by their link.
 */
void addr6_add_loopback(struct netlink_batch *batch, uint32_t index);

/**
 * addr6_set_link() - IPv6 on a link, with the addresses that it is given alone
 * @name: of a link of this process's namespace
 *
 * It makes itself none, also none that somebody's router advertisement asks for.
 * Return: 0 or -errno with a text.
 */
int addr6_set_link(int fd, const char *name, uint32_t index, struct err *err);

/** addr6_no_autoconf() - a link makes itself no address when it comes up. */
void addr6_no_autoconf(struct netlink_batch *batch, uint32_t index);

#endif
