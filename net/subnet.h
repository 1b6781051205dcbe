/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SUBNET_H
#define MAYFLY_SUBNET_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBNET_TEXT_BYTES 20

/** struct subnet - an IPv4 network; @address in host byte order, its host part zero */
struct subnet {
    uint32_t address;
    uint8_t prefix;
};

/**
 * subnet_parse() - "10.1.0.0/24"
 *
 * The host part has to be zero and the network private enough to be a container's: neither
 * loopback nor multicast, with room for a bridge and one container (prefix 8 to 29).
 * Return: 0, or -EINVAL with a text.
 */
int subnet_parse(const char *text, struct subnet *ret_subnet, struct err *err);

/** subnet_format() - as subnet_parse() reads it. */
void subnet_format(const struct subnet *subnet, char ret[SUBNET_TEXT_BYTES]);

/** subnet_overlaps() - whether two networks have an address in common. */
bool subnet_overlaps(const struct subnet *a, const struct subnet *b);

static inline uint32_t subnet_mask(const struct subnet *subnet) {
    return subnet->prefix == 0 ? 0 : UINT32_MAX << (32 - subnet->prefix);
}

/*
 * Containers have the lower half of a network.  To each belongs an address in the upper half, at
 * which its name server answers.
 */

/** subnet_half() - how many addresses a half has; also the first of the upper half, as an offset.
 */
static inline uint32_t subnet_half(const struct subnet *subnet) {
    return UINT32_C(1) << (31 - subnet->prefix);
}

/** subnet_first() - the lowest address a host can have. */
static inline uint32_t subnet_first(const struct subnet *subnet) {
    return subnet->address + 1;
}

/** subnet_middle() - the first address of the upper half, which is no container's name server. */
static inline uint32_t subnet_middle(const struct subnet *subnet) {
    return subnet->address + subnet_half(subnet);
}

/** subnet_last() - the highest address a container can have. */
static inline uint32_t subnet_last(const struct subnet *subnet) {
    return subnet_middle(subnet) - 2;
}

/** subnet_name_server() - where the name server of the container with @address answers. */
static inline uint32_t subnet_name_server(const struct subnet *subnet, uint32_t address) {
    return address + subnet_half(subnet);
}

/** subnet_has() - whether an address is of the network. */
static inline bool subnet_has(const struct subnet *subnet, uint32_t address) {
    return (address & subnet_mask(subnet)) == subnet->address;
}

/**
 * subnet_choose() - a network that is in nobody's way
 * @taken: the host's routes and the other networks; a default route (prefix 0) is no obstacle
 *
 * The first free /20 of 10.64.0.0/11, 172.16.0.0/12 and 192.168.0.0/16, in that order.
 * Return: 0, or -EADDRNOTAVAIL with a text.
 */
int subnet_choose(const struct subnet *taken, size_t n_taken, struct subnet *ret_subnet,
                  struct err *err);

#endif
