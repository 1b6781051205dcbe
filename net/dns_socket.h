/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DNS_SOCKET_H
#define MAYFLY_DNS_SOCKET_H

#include "engine/base/err.h"

#include <netinet/in.h>
#include <stdint.h>

#define DNS_PORT 53

/**
 * dns_socket_open_server() - receive what one container asks
 * @address_be: where; one of the namespace's own
 * @client_be: what others send is not heard
 *
 * Context: the bridge's network namespace, CAP_NET_BIND_SERVICE there.
 * Return: a descriptor that does not block, or -errno with a text.
 */
int dns_socket_open_server(uint32_t address_be, uint32_t client_be, struct err *err);

/**
 * dns_socket_open_upstream() - ask one name server of the host's
 * @server: IPv4 mapped into IPv6 where it is IPv4
 *
 * Return: a connected descriptor that does not block, or -errno.
 */
int dns_socket_open_upstream(const struct in6_addr *server);

#endif
