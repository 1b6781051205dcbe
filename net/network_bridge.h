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
 * @container: a process in its namespace
 * @isolate: as in struct network_request
 * @is_new: the bridge has to be made as well, and its uplink
 * @host_ns_fd: the host's namespace, for the uplink
 */
struct network_bridge {
    const char *name;
    const struct network_state *state;
    struct guard_port port;
    pid_t container;
    bool isolate;
    bool is_new;
    int host_ns_fd;
};

/** network_bridge_port() - a member's port. */
struct guard_port network_bridge_port(const struct network_member *member);

/**
 * network_bridge_build() - make a container's port, and what it needs
 * @ret_server_fd, @ret_renewal_fd: sockets of the container's DHCP server, as they are made; the
 *                                  caller's also on failure
 *
 * Context: in the bridge's namespace.
 * Return: 0 or -errno with a text.
 */
int network_bridge_build(const struct network_bridge *bridge, int *ret_server_fd,
                         int *ret_renewal_fd, struct err *err);

/**
 * network_bridge_raise_uplink() - give the host its address on a network
 * Context: in the host's namespace, once the bridge is built.
 * Return: 0 or -errno with a text.
 */
int network_bridge_raise_uplink(const struct network_state *state, struct err *err);

#endif
