/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_BRIDGE_H
#define MAYFLY_NETWORK_BRIDGE_H

#include "guard.h"
#include "network_state.h"

#include "engine/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

/** The index of every container's link in its own namespace. */
#define NETWORK_CONTAINER_INDEX 2

/**
 * struct network_bridge - what is to be made in a bridge's namespace
 * @name: the bridge's
 * @state: with the container's member, and an uplink's name where there shall be one
 * @port: the container's
 * @is_new: the bridge has to be made as well, and its uplink
 * @begins_ipv6: the network has IPv6 from this container on
 * @host_ns_fd: the host's namespace, for the uplink
 */
struct network_bridge {
    const char *name;
    const struct network_state *state;
    struct guard_port port;
    bool is_new;
    bool begins_ipv6;
    int host_ns_fd;
};

/**
 * struct network_sockets - opened in a bridge's namespace, used by a container's supervisor
 * @route_fd: to rtnetlink, for network_bridge_connect()
 * @rules_fd: to nf_tables, for network_bridge_guard(); -1: the rules are set
 * @server_fd, @renewal_fd: of the container's DHCP server
 * @dns_fd, @dns_tcp_fd: of its name server
 * @ra_fd: for router advertisements
 */
struct network_sockets {
    int route_fd;
    int rules_fd;
    int server_fd;
    int renewal_fd;
    int dns_fd;
    int dns_tcp_fd;
    int ra_fd;
};

#define NETWORK_SOCKETS_INIT ((struct network_sockets){-1, -1, -1, -1, -1, -1, -1})

/** network_sockets_close() - close those that are open. */
void network_sockets_close(struct network_sockets *sockets);

/** network_bridge_port() - a member's port. */
struct guard_port network_bridge_port(const struct network_state *state,
                                      const struct network_member *member);

/**
 * network_bridge_prepare() - make the bridge where it is new, and what a container's port needs
 * @ret_sockets: as they are opened; the caller's also on failure
 * @ret_rules: of a new bridge, for network_bridge_guard(); the caller's also on failure
 *
 * Context: in the bridge's namespace; the network's lock is held.
 * Return: 0 or -errno with a text.
 */
int network_bridge_prepare(const struct network_bridge *bridge, struct network_sockets *ret_sockets,
                           struct netlink_batch *ret_rules, struct err *err);

/**
 * network_bridge_guard() - hold the ports of a bridge to what they may send
 * @port: whose sockets these are; they hear nobody else from now on
 *
 * A new bridge lets everything through until then, so that it can be done while the container's
 * side sets up its link; it has to be done before anything of an image runs.
 * Context: any namespace; the network's lock is held since network_bridge_prepare().
 * Return: 0 or -errno with a text.
 */
int network_bridge_guard(struct network_sockets *sockets, struct netlink_batch *rules,
                         const struct guard_port *port, struct err *err);

/**
 * network_bridge_connect() - make a container's port
 * @container: a process in its namespace
 * @isolate: as in struct network_request
 * @mtu: of the link; 0: the kernel's default
 *
 * Context: any namespace; CAP_NET_ADMIN in those of the bridge and of the container.
 * Return: 0 or -errno with a text.
 */
int network_bridge_connect(int route_fd, const struct guard_port *port, pid_t container,
                           bool isolate, uint32_t mtu, struct err *err);

/**
 * network_bridge_raise_uplink6() - as network_bridge_raise_uplink(), its IPv6 addresses
 * Return: 0 or -errno with a text.
 */
int network_bridge_raise_uplink6(const struct network_state *state, struct err *err);

/**
 * network_bridge_raise_uplink() - give the host its address on a network
 * Context: in the host's namespace, once the bridge is built.
 * Return: 0 or -errno with a text.
 */
int network_bridge_raise_uplink(const struct network_state *state, struct err *err);

#endif
