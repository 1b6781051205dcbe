/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DHCP_PARAMETERS_H
#define MAYFLY_DHCP_PARAMETERS_H

#include "dhcp_message.h"

#include <stdint.h>

#define DHCP_MAX_SERVERS 4
#define DHCP_MAX_ROUTES 16
#define DHCP_MAX_NAME 256
#define DHCP_MAX_SEARCH 512
/** A lease without an end. */
#define DHCP_FOREVER UINT32_MAX

/** struct dhcp_route - a classless static route; a gateway of 0 means on the link */
struct dhcp_route {
    uint32_t network_be;
    uint8_t prefix;
    uint32_t gateway_be;
};

/**
 * struct dhcp_parameters - what a server tells a client
 * @mtu: 0: not said
 * @lease_sec, @t1_sec, @t2_sec: seconds; DHCP_FOREVER has no end
 * @hostname, @domain: empty: not said
 * @search: names separated by spaces; empty: not said
 *
 * A server is configured with one and writes it into messages; a client reads
 * one from a message.
 */
struct dhcp_parameters {
    uint32_t address_be;
    uint8_t prefix;
    uint16_t mtu;
    uint32_t server_be;
    uint32_t lease_sec;
    uint32_t t1_sec;
    uint32_t t2_sec;
    uint32_t routers_be[DHCP_MAX_SERVERS];
    size_t n_routers;
    uint32_t dns_be[DHCP_MAX_SERVERS];
    size_t n_dns;
    uint32_t ntp_be[DHCP_MAX_SERVERS];
    size_t n_ntp;
    struct dhcp_route routes[DHCP_MAX_ROUTES];
    size_t n_routes;
    char hostname[DHCP_MAX_NAME];
    char domain[DHCP_MAX_NAME];
    char search[DHCP_MAX_SEARCH];
};

/**
 * dhcp_parameters_read() - take the parameters from an offer or an acknowledgement
 *
 * A value that is malformed counts as not said, except those that no client can do without.  The
 * times are made to fit each other: t1 < t2 < lease.
 * Spec: RFC 2132, RFC 3397, RFC 3442 (routes given there replace the routers).
 * Return: 0, or -EBADMSG without a usable address, server or lease time.
 */
int dhcp_parameters_read(struct dhcp_parameters *ret, const struct dhcp_message *message);

/**
 * dhcp_parameters_write() - put into a reply what the request asked for
 * @with_lease: whether lease times belong in (an acknowledgement of an inform has none)
 *
 * The mask, the server and the times go in always, the rest when the request's parameter list
 * names it, or all of it when there is no list.
 * Return: 0, or -EMSGSIZE.
 */
int dhcp_parameters_write(const struct dhcp_parameters *parameters,
                          const struct dhcp_message *request, bool with_lease,
                          struct dhcp_message *reply);

/**
 * dhcp_search_decode() - option 119: names in DNS form, compressed
 * @ret: room for @max bytes; the names separated by spaces
 *
 * Spec: RFC 3397, RFC 1035 section 4.1.4.
 * Return: 0, or -EBADMSG for a loop, a name cut off, or a character no host name has.
 */
int dhcp_search_decode(const uint8_t *data, size_t size, char *ret, size_t max);

/** dhcp_search_encode() - the inverse, without compression.  Return: bytes, or -EINVAL, -EMSGSIZE.
 */
ssize_t dhcp_search_encode(const char *names, uint8_t *ret, size_t max);

/** dhcp_routes_decode() - option 121.  Return: 0 or -EBADMSG; more than fit are left out. */
int dhcp_routes_decode(const uint8_t *data, size_t size, struct dhcp_route *ret, size_t max,
                       size_t *ret_n);

/** dhcp_routes_encode() - the inverse.  Return: bytes, or -EMSGSIZE. */
ssize_t dhcp_routes_encode(const struct dhcp_route *routes, size_t n, uint8_t *ret, size_t max);

/** dhcp_name_is_valid() - whether a text is a host or domain name (RFC 1123, "_" allowed too). */
bool dhcp_name_is_valid(const char *name);

/** dhcp_prefix_of_mask() - 0 to 32, or -EINVAL for a mask with a gap. */
int dhcp_prefix_of_mask(uint32_t mask_be);

/** dhcp_mask_of_prefix() - @prefix: 0 to 32. */
uint32_t dhcp_mask_of_prefix(unsigned prefix);

#endif
