/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DNS_SOCKET_H
#define MAYFLY_DNS_SOCKET_H

#include "engine/base/err.h"

#include <netinet/in.h>
#include <stdint.h>

#define DNS_PORT 53

/**
 * dns_socket_open_server() - receive what containers ask
 * @address_be: where; one of the namespace's own
 *
 * Context: the bridge's network namespace, CAP_NET_BIND_SERVICE there.
 * Return: a descriptor that does not block, or -errno with a text.
 */
int dns_socket_open_server(uint32_t address_be, struct err *err);

/** dns_socket_open_listener() - the same by TCP: take their connections. */
int dns_socket_open_listener(uint32_t address_be, struct err *err);

/**
 * dns_socket_hear_only() - let such a socket receive what one container sends alone
 * Return: 0 or -errno with a text.
 */
int dns_socket_hear_only(int fd, uint32_t client_be, struct err *err);

/**
 * dns_socket_open_upstream() - ask one name server of the host's
 * @server: IPv4 mapped into IPv6 where it is IPv4
 * @type: SOCK_DGRAM or SOCK_STREAM
 *
 * Return: a descriptor that does not block and is connected, or with SOCK_STREAM on its way to be;
 * or -errno.
 */
int dns_socket_open_upstream(const struct in6_addr *server, int type);

#endif
