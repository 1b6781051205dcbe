/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SUBNET6_H
#define MAYFLY_SUBNET6_H

#include "engine/base/err.h"

#include <netinet/in.h>
#include <stdint.h>

/** The prefix of every such network: hardware addresses make up the rest (SLAAC). */
#define SUBNET6_PREFIX 64
#define SUBNET6_TEXT_BYTES (INET6_ADDRSTRLEN + 3)

/**
 * subnet6_parse() - "fd12:3456:789a::/64"
 *
 * Spec: RFC 4862 section 5.5.3, for the length.
 * Return: 0, or -EINVAL with a text for what has another prefix than SUBNET6_PREFIX, bits beyond
 * it, or is not for hosts.
 */
int subnet6_parse(const char *text, struct in6_addr *ret_prefix, struct err *err);

/** subnet6_format() - as subnet6_parse() reads it. */
void subnet6_format(const struct in6_addr *prefix, char ret[SUBNET6_TEXT_BYTES]);

/**
 * subnet6_choose() - a network at random, so that no two are ever alike
 * Spec: RFC 4193 section 3.2.
 * Return: 0 or -errno with a text.
 */
int subnet6_choose(struct in6_addr *ret_prefix, struct err *err);

/** subnet6_router() - the network's first address, which is its router's. */
struct in6_addr subnet6_router(const struct in6_addr *prefix);

/**
 * subnet6_address() - the address that belongs to a hardware address
 * Spec: RFC 4291 appendix A.
 */
struct in6_addr subnet6_address(const struct in6_addr *prefix, const uint8_t mac[6]);

/** The prefix of addresses that hold on one link alone, for the two functions above. */
extern const struct in6_addr subnet6_link_local;

#endif
