/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RESOLV_H
#define MAYFLY_RESOLV_H

#include "dhcp_parameters.h"

#include "engine/base/buf.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define RESOLV_MAX_SERVERS 3

/** struct resolv - what resolv.conf says; addresses are IPv4 mapped into IPv6 where they are IPv4
 */
struct resolv {
    struct in6_addr servers[RESOLV_MAX_SERVERS];
    size_t n_servers;
    char search[DHCP_MAX_SEARCH]; /* names separated by spaces */
};

/**
 * resolv_parse() - read a resolv.conf
 *
 * Of "search" and "domain" the last one counts; names that are none, scoped addresses and
 * options are left out.
 * Spec: resolv.conf(5).
 */
void resolv_parse(struct resolv *ret, const char *text);

/**
 * resolv_of_host() - the host's name servers
 * @is_host: whether the host asks them; else those that others can ask too
 *
 * A server on a loopback address answers the host alone; where there is nothing else, those that
 * systemd-resolved asks in its turn are taken.
 */
void resolv_of_host(struct resolv *ret, bool is_host);

/** resolv_from_lease() - what a lease says of name resolution; its domain leads the search list. */
void resolv_from_lease(struct resolv *ret, const struct dhcp_parameters *lease);

/** resolv_format() - append the text of a resolv.conf. */
void resolv_format(const struct resolv *resolv, struct buf *buf);

/**
 * resolv_hosts_format() - append the text of an /etc/hosts
 * @address_be: the container's own; 0: none
 * @address6: the same of IPv6; NULL: none
 * @name: the container's host name
 */
void resolv_hosts_format(uint32_t address_be, const struct in6_addr *address6, const char *name,
                         struct buf *buf);

#endif
