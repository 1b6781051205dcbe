/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a bridge's namespace: the bridge, a port for each container,
 * the rules that the ports are held to, and where containers may go out, a
 * port that leads to the host.  (Why the namespace: network.c.)
 *
 * Indexes are given, not asked for, so that what is made can be named in the
 * same batch of requests.  The bridge has the network's first address, the
 * host, where it is on the network, the last.
 */
#include "network_bridge.h"

#include "addr.h"
#include "dhcp_socket.h"
#include "link.h"
#include "network.h"
#include "nft.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define BRIDGE_INDEX 2
#define UPLINK_INDEX 3
#define PORTS_BETWEEN_RENEWALS 256

/**
 * keep_silent() - no IPv6 on links that are made in this namespace from now on
 *
 * The bridge and its ports would announce themselves to every container.  Where this cannot be
 * set, they do.
 */
static void keep_silent(void) {
    _cleanup_close_ int fd =
        open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd >= 0 && write(fd, "1", 1) != 1)
        return;
}

static int new_bridge(int route_fd, const struct network_state *state, const char *name,
                      struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct link_end bridge = {.index = BRIDGE_INDEX};
    int r = link_new_mac(bridge.mac, err);

    if (r < 0)
        return r;
    snprintf(bridge.name, sizeof bridge.name, "%s", name);
    keep_silent();
    link_set_up(&batch, LINK_LOOPBACK);
    link_add_bridge(&batch, &bridge, 0);
    addr_add(&batch, BRIDGE_INDEX, htonl(subnet_first(&state->subnet)), state->subnet.prefix,
             UINT32_MAX);
    return netlink_send(route_fd, &batch, err);
}

/** new_uplink() - a port of the bridge that leads to the host. */
static int new_uplink(int route_fd, const struct network_bridge *bridge, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct link_veth veth = {.near_end = {.index = UPLINK_INDEX, .name = "uplink"},
                             .far_ns_fd = bridge->host_ns_fd,
                             .bridge = BRIDGE_INDEX};
    int r = link_new_mac(veth.near_end.mac, err);

    if (r == 0)
        r = link_new_mac(veth.far_end.mac, err);
    if (r < 0)
        return r;
    snprintf(veth.far_end.name, sizeof veth.far_end.name, "%s", bridge->state->uplink);
    link_add_veth(&batch, &veth);
    return netlink_send(route_fd, &batch, err);
}

static int new_port(int route_fd, const struct network_bridge *bridge, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    const struct guard_port *port = &bridge->port;
    struct link_veth veth = {.near_end = {.index = port->index},
                             .far_end = {.index = NETWORK_CONTAINER_INDEX, .name = NETWORK_LINK},
                             .far_process = bridge->container,
                             .bridge = BRIDGE_INDEX};
    int r = link_new_mac(veth.near_end.mac, err);

    if (r < 0)
        return r;
    snprintf(veth.near_end.name, sizeof veth.near_end.name, "port%u", port->index);
    memcpy(veth.far_end.mac, port->mac, sizeof veth.far_end.mac);
    link_add_veth(&batch, &veth);
    if (bridge->isolate)
        link_set_port_isolated(&batch, port->index);
    addr_add_neighbour(&batch, BRIDGE_INDEX, port->address_be, port->mac);
    return netlink_send(route_fd, &batch, err);
}

struct guard_port network_bridge_port(const struct network_member *member) {
    struct guard_port port = {.index = member->port, .address_be = htonl(member->address)};

    memcpy(port.mac, member->mac, sizeof port.mac);
    return port;
}

/**
 * set_rules() - tell the bridge what the port may send
 *
 * What was said for ports that are gone stays, since taking a single element away waits 15 ms for
 * a grace period; it does no harm, for a port's index is never used again.  Now and then all is
 * made anew from the state.
 */
static int set_rules(const struct network_bridge *bridge, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_NETFILTER, err);
    const struct network_state *state = bridge->state;
    bool is_renewal = !bridge->is_new && bridge->port.index % PORTS_BETWEEN_RENEWALS == 0;

    if (fd < 0)
        return fd;
    nft_transaction_begin(&batch);
    if (is_renewal)
        guard_delete(&batch);
    if (bridge->is_new || is_renewal)
        guard_add(&batch, state->uplink[0] ? UPLINK_INDEX : 0);
    for (size_t i = 0; is_renewal && i < state->n_members; i++)
        if (state->members[i].pid > 0) {
            struct guard_port other = network_bridge_port(&state->members[i]);

            guard_add_port(&batch, &other);
        }
    guard_add_port(&batch, &bridge->port);
    nft_transaction_end(&batch);
    return netlink_send(fd, &batch, err);
}

/** open_sockets() - of the container's DHCP server. */
static int open_sockets(const struct network_bridge *bridge, int *ret_server_fd,
                        int *ret_renewal_fd, struct err *err) {
    uint32_t server_be = htonl(subnet_first(&bridge->state->subnet));

    *ret_server_fd = dhcp_socket_open_server(bridge->name, bridge->port.mac, err);
    if (*ret_server_fd < 0)
        return *ret_server_fd;
    *ret_renewal_fd =
        dhcp_socket_open_renewal(bridge->name, server_be, bridge->port.address_be, err);
    return *ret_renewal_fd < 0 ? *ret_renewal_fd : 0;
}

int network_bridge_build(const struct network_bridge *bridge, int *ret_server_fd,
                         int *ret_renewal_fd, struct err *err) {
    _cleanup_close_ int route_fd = netlink_open(NETLINK_ROUTE, err);
    int r;

    if (route_fd < 0)
        return route_fd;
    r = bridge->is_new ? new_bridge(route_fd, bridge->state, bridge->name, err) : 0;
    if (r < 0)
        return err_wrap(err, "bridge %s", bridge->name);
    r = set_rules(bridge, err);
    if (r < 0)
        return err_wrap(err, "bridge %s: packet filter", bridge->name);
    r = bridge->is_new && bridge->state->uplink[0] ? new_uplink(route_fd, bridge, err) : 0;
    if (r < 0)
        return err_wrap(err, "bridge %s: link to the host", bridge->name);
    r = open_sockets(bridge, ret_server_fd, ret_renewal_fd, err);
    if (r < 0)
        return r;
    r = new_port(route_fd, bridge, err);
    return r < 0 ? err_wrap(err, "bridge %s: link to the container", bridge->name) : 0;
}

int network_bridge_raise_uplink(const struct network_state *state, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, err);
    struct link_info link;
    int r;

    if (fd < 0)
        return fd;
    r = link_get(fd, state->uplink, &link, err);
    if (r == 0) {
        addr_add(&batch, link.index, htonl(subnet_last(&state->subnet)), state->subnet.prefix,
                 UINT32_MAX);
        link_set_up(&batch, link.index);
        r = netlink_send(fd, &batch, err);
    }
    return r < 0 ? err_wrap(err, "link to the network") : 0;
}
