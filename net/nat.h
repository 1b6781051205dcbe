/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NAT_H
#define MAYFLY_NAT_H

#include "engine/base/err.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct nat_port - a port of the host that leads into a container
 * @family: AF_INET, AF_INET6, or 0: both
 * @address_be, @address6: of the host; zero: every one
 * @protocol: IPPROTO_TCP, IPPROTO_UDP
 */
struct nat_port {
    uint8_t family;
    uint32_t address_be;
    struct in6_addr address6;
    uint16_t host_port;
    uint16_t container_port;
    uint8_t protocol;
};

/** nat_port_has_ipv4(), nat_port_has_ipv6() - whether the host's addresses of a kind lead there. */
static inline bool nat_port_has_ipv4(const struct nat_port *port) {
    return port->family != AF_INET6;
}

static inline bool nat_port_has_ipv6(const struct nat_port *port) {
    return port->family != AF_INET && port->address_be == 0;
}

/**
 * nat_parse_host() - the host's side of a published port
 * @text: "192.0.2.1", "2001:db8::1", "0.0.0.0" or "::" for all of a kind, "*" for all
 *
 * Return: 0, or -EINVAL; @port's family and addresses are set.
 */
int nat_parse_host(const char *text, struct nat_port *port);

/** nat_format_host() - as nat_parse_host() reads it.  Return: @ret. */
const char *nat_format_host(const struct nat_port *port, char ret[INET6_ADDRSTRLEN]);

/**
 * struct nat - one container's way to the outside and back
 * @uplink: the host's link to the container's network
 * @address_be: the container's
 * @has_ipv6, @address6: whether it has an IPv6 address as well, and which
 * @is_closed: the host reaches the container, which reaches nothing of the host's and no further
 * @ports: published; lent
 * @is_router, @is_router6: whether the host passed packets on before; else it goes on not to do so
 *                           for others
 */
struct nat {
    const char *uplink;
    uint32_t address_be;
    bool has_ipv6;
    struct in6_addr address6;
    bool is_closed;
    const struct nat_port *ports;
    size_t n_ports;
    bool is_router;
    bool is_router6;
};

/**
 * nat_open() - let a container out, under the host's address, and its published ports in
 *
 * What comes from elsewhere for the container and is neither an answer nor for a published port
 * is dropped.
 * Context: host's network namespace; CAP_NET_ADMIN.  The uplink is there.
 * Return: a descriptor, or -errno with a text.  The rules go when the descriptor is closed, by
 * whatever way.
 */
int nat_open(const struct nat *nat, struct err *err);

#endif
