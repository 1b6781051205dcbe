/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RA_SOCKET_H
#define MAYFLY_RA_SOCKET_H

#include "engine/base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct ra - what a router says of a network
 * @prefix: of SUBNET6_PREFIX bits, from which hosts make themselves addresses for good
 * @lifetime_sec: how long it is a way to elsewhere; 0: not at all
 * @mtu: 0: the kernel's default
 */
struct ra {
    struct in6_addr prefix;
    uint16_t lifetime_sec;
    uint32_t mtu;
};

/** The longest message that ra_encode() makes. */
#define RA_MAX_BYTES 56

/**
 * ra_encode() - a router advertisement without its checksum, which the kernel puts in
 * Spec: RFC 4861 section 4.2, 4.6.2, 4.6.4; RFC 4862 section 5.5.3.
 * Return: its size.
 */
size_t ra_encode(const struct ra *ra, uint8_t ret[RA_MAX_BYTES]);

/**
 * ra_socket_open() - hear who asks for a router on a link, and answer from its router's address
 * @link: its name; it has the address subnet6_router(&subnet6_link_local)
 *
 * Context: in the link's namespace; CAP_NET_RAW.  Closing it waits for nothing.
 * Return: a descriptor, or -errno with a text.
 */
int ra_socket_open(const char *link, struct err *err);

/**
 * ra_socket_receive() - Return: 1 for a solicitation from @client, 0 for what is another's or none,
 * -errno, such as -EAGAIN when nothing has come.
 */
int ra_socket_receive(int fd, const struct in6_addr *client);

/** ra_socket_send() - to one client; what gets lost is sent again when it asks again. */
void ra_socket_send(int fd, const struct ra *ra, const struct in6_addr *client);

#endif
