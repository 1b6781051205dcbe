/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DHCP_SOCKET_H
#define MAYFLY_DHCP_SOCKET_H

#include "dhcp_message.h"

#include "engine/base/err.h"

#include <stdint.h>

/* Sockets belong to the network namespace of the thread that opens them, and stay there. */

/**
 * dhcp_socket_open_server() - receive what clients on a link send to any server
 *
 * Several such sockets can be open on one link; each message reaches all that hear its client.
 * Context: CAP_NET_BIND_SERVICE in the network namespace.
 * Return: a descriptor that does not block, or -errno with a text.
 */
int dhcp_socket_open_server(const char *link, struct err *err);

/**
 * dhcp_socket_hear_only() - let a server's socket receive the messages of one client alone
 * @mac: of the client
 *
 * Return: 0 or -errno with a text.
 */
int dhcp_socket_hear_only(int fd, const uint8_t mac[6], struct err *err);

/**
 * dhcp_socket_open_renewal() - receive what one client sends to this server by unicast
 *
 * It goes before the sockets above, which would have to share such messages among each other.
 * Return: as above.
 */
int dhcp_socket_open_renewal(const char *link, uint32_t server_be, uint32_t client_be,
                             struct err *err);

/** dhcp_socket_open_client() - a client's socket.  Return: as above. */
int dhcp_socket_open_client(const char *link, struct err *err);

/**
 * dhcp_socket_receive() - take a message off a socket
 *
 * Return: 1 with a message, 0 for one that is malformed, -EAGAIN when there is none, or -errno.
 */
int dhcp_socket_receive(int fd, struct dhcp_message *ret_message);

/**
 * dhcp_socket_send() - send a message
 * @address_be: 0: to everyone on the link
 * @port: host byte order
 * @max_bytes: as for dhcp_message_encode()
 *
 * Return: 0, or -errno.  A full queue (-EAGAIN, -ENOBUFS) counts as sent: the network loses
 * messages as well.
 */
int dhcp_socket_send(int fd, const struct dhcp_message *message, uint32_t address_be, uint16_t port,
                     size_t max_bytes);

#endif
