/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a bridge's namespace: the bridge, a port for each container,
 * the rules that the ports are held to, and where containers may go out, a
 * port that leads to the host.  (Why the namespace: network.c.)
 *
 * Indexes are given, not asked for, so that what is made can be named in the
 * same batch of requests.  The bridge answers for the whole upper half of the
 * network's addresses, which belong to the containers' name servers.
 */
#include "network_bridge.h"

#include "addr.h"
#include "addr6.h"
#include "dhcp_socket.h"
#include "dns_socket.h"
#include "link.h"
#include "network.h"
#include "nft.h"
#include "ra_socket.h"
#include "subnet6.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

/* The bridge's name; nobody but this file sees it. */
#define NETWORK_BRIDGE_LINK "bridge"

#define BRIDGE_INDEX 2
#define UPLINK_INDEX 3
#define PORTS_BETWEEN_RENEWALS 256

/**
 * keep_silent() - no IPv6 on links that are made in this namespace from now on
 *
 * The bridge and its ports would announce themselves to every container.  Where this cannot be
 * set, they do.  Where the network has IPv6, the bridge alone gets addresses, later.
 */
static void keep_silent(void) {
    _cleanup_close_ int fd =
        open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd >= 0 && write(fd, "1", 1) != 1)
        return;
}

static int new_bridge(int route_fd, const struct network_bridge *bridge, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    const struct network_state *state = bridge->state;
    const struct subnet *subnet = &state->subnet;
    struct link_end end = {.index = BRIDGE_INDEX};
    int r = link_new_mac(end.mac, err);

    if (r < 0)
        return r;
    /* The name of a network may be longer than a link's. */
    snprintf(end.name, sizeof end.name, "%s", NETWORK_BRIDGE_LINK);
    keep_silent();
    link_add_bridge(&batch, &end, state->mtu);
    addr_add(&batch, BRIDGE_INDEX, htonl(network_state_bridge(state)), subnet->prefix, UINT32_MAX);
    addr_add_local(&batch, BRIDGE_INDEX, htonl(subnet_middle(subnet)), subnet->prefix + 1);
    return netlink_send(route_fd, &batch, err);
}

/** put_router() - the addresses of the network's router. */
static void put_router(struct netlink_batch *batch, uint32_t index, const struct in6_addr *prefix) {
    const struct in6_addr addresses[] = {subnet6_router(&subnet6_link_local),
                                         subnet6_router(prefix)};

    for (size_t i = 0; i < N_ELEMENTS(addresses); i++)
        addr6_add(batch, index, &addresses[i]);
}

/** begin_ipv6() - the bridge's own addresses; with an uplink, the host is the network's router. */
static int begin_ipv6(int route_fd, const struct network_state *state, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    int r;

    if (state->uplink[0])
        return 0;
    r = addr6_set_link(route_fd, NETWORK_BRIDGE_LINK, BRIDGE_INDEX, err);
    if (r < 0)
        return r;
    put_router(&batch, BRIDGE_INDEX, &state->prefix6);
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

struct guard_port network_bridge_port(const struct network_state *state,
                                      const struct network_member *member) {
    struct guard_port port = {.index = member->port,
                              .address_be = htonl(member->address),
                              .has_ipv6 = network_state_is_on_ipv6(state, member),
                              .address6 = subnet6_address(&state->prefix6, member->mac)};

    memcpy(port.mac, member->mac, sizeof port.mac);
    return port;
}

/**
 * put_rules() - what the bridge lets the port send
 *
 * What was said for ports that are gone stays, since taking a single element away waits 15 ms for
 * a grace period; it does no harm, for a port's index is never used again.  Now and then all is
 * made anew from the state.
 */
static void put_rules(const struct network_bridge *bridge, struct netlink_batch *batch) {
    const struct network_state *state = bridge->state;
    bool is_renewal = !bridge->is_new &&
                      (bridge->begins_ipv6 || bridge->port.index % PORTS_BETWEEN_RENEWALS == 0);

    nft_transaction_begin(batch);
    if (is_renewal)
        guard_delete(batch);
    if (bridge->is_new || is_renewal)
        guard_add(batch, state->uplink[0] ? UPLINK_INDEX : 0, network_state_has_ipv6(state));
    for (size_t i = 0; is_renewal && i < state->n_members; i++)
        if (state->members[i].pid > 0) {
            struct guard_port other = network_bridge_port(state, &state->members[i]);

            guard_add_port(batch, &other);
        }
    guard_add_port(batch, &bridge->port);
    nft_transaction_end(batch);
}

/** hear_only() - a flood of another container's wakes nobody but its own supervisor. */
static int hear_only(const struct network_sockets *sockets, const struct guard_port *port,
                     struct err *err) {
    int r = dhcp_socket_hear_only(sockets->server_fd, port->mac, err);

    if (r == 0)
        r = dns_socket_hear_only(sockets->dns_fd, port->address_be, err);
    return r == 0 ? dns_socket_hear_only(sockets->dns_tcp_fd, port->address_be, err) : r;
}

int network_bridge_guard(struct network_sockets *sockets, struct netlink_batch *rules,
                         const struct guard_port *port, struct err *err) {
    int r = netlink_send(sockets->rules_fd, rules, err);

    close(take_fd(sockets->rules_fd));
    return r < 0 ? err_wrap(err, "packet filter (nf_tables)") : hear_only(sockets, port, err);
}

void network_sockets_close(struct network_sockets *sockets) {
    cleanup_close_p(&sockets->route_fd);
    cleanup_close_p(&sockets->rules_fd);
    cleanup_close_p(&sockets->server_fd);
    cleanup_close_p(&sockets->renewal_fd);
    cleanup_close_p(&sockets->dns_fd);
    cleanup_close_p(&sockets->dns_tcp_fd);
    cleanup_close_p(&sockets->ra_fd);
    *sockets = NETWORK_SOCKETS_INIT;
}

static int open_sockets(const struct network_bridge *bridge, struct network_sockets *sockets,
                        struct err *err) {
    const struct network_state *state = bridge->state;
    uint32_t client_be = bridge->port.address_be;
    uint32_t name_server = subnet_name_server(&state->subnet, ntohl(client_be));

    sockets->server_fd = dhcp_socket_open_server(NETWORK_BRIDGE_LINK, err);
    if (sockets->server_fd < 0)
        return sockets->server_fd;
    sockets->renewal_fd = dhcp_socket_open_renewal(
        NETWORK_BRIDGE_LINK, htonl(network_state_bridge(state)), client_be, err);
    if (sockets->renewal_fd < 0)
        return sockets->renewal_fd;
    sockets->dns_fd = dns_socket_open_server(htonl(name_server), err);
    if (sockets->dns_fd < 0)
        return sockets->dns_fd;
    sockets->dns_tcp_fd = dns_socket_open_listener(htonl(name_server), err);
    if (sockets->dns_tcp_fd < 0)
        return sockets->dns_tcp_fd;
    if (!bridge->port.has_ipv6 || state->uplink[0])
        return 0;
    sockets->ra_fd = ra_socket_open(NETWORK_BRIDGE_LINK, err);
    return sockets->ra_fd < 0 ? sockets->ra_fd : 0;
}

int network_bridge_prepare(const struct network_bridge *bridge, struct network_sockets *ret_sockets,
                           struct netlink_batch *ret_rules, struct err *err) {
    int route_fd, r;

    route_fd = ret_sockets->route_fd = netlink_open(NETLINK_ROUTE, err);
    if (route_fd < 0)
        return route_fd;
    r = bridge->is_new ? new_bridge(route_fd, bridge, err) : 0;
    if (r == -EOPNOTSUPP)
        return err_set(err, r,
                       "network %s: the kernel has no bridges here: load its module (modprobe "
                       "bridge), or run with --net none",
                       bridge->name);
    if (r == 0 && (bridge->begins_ipv6 || (bridge->is_new && bridge->port.has_ipv6)))
        r = begin_ipv6(route_fd, bridge->state, err);
    if (r < 0)
        return err_wrap(err, "network %s: bridge", bridge->name);
    r = ret_sockets->rules_fd = netlink_open(NETLINK_NETFILTER, err);
    put_rules(bridge, ret_rules);
    if (r >= 0)
        r = open_sockets(bridge, ret_sockets, err);
    /* A bridge with rules knows nothing of the new port, and would drop what comes by it. */
    if (r == 0 && !bridge->is_new)
        r = network_bridge_guard(ret_sockets, ret_rules, &bridge->port, err);
    if (r < 0)
        return err_wrap(err, "network %s", bridge->name);
    r = bridge->is_new && bridge->state->uplink[0] ? new_uplink(route_fd, bridge, err) : 0;
    return r < 0 ? err_wrap(err, "network %s: link to the host", bridge->name) : 0;
}

int network_bridge_connect(int route_fd, const struct guard_port *port, pid_t container,
                           bool isolate, uint32_t mtu, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct link_veth veth = {.near_end = {.index = port->index},
                             .far_end = {.index = NETWORK_CONTAINER_INDEX, .name = NETWORK_LINK},
                             .far_process = container,
                             .bridge = BRIDGE_INDEX,
                             .mtu = mtu};
    int r = link_new_mac(veth.near_end.mac, err);

    if (r < 0)
        return r;
    snprintf(veth.near_end.name, sizeof veth.near_end.name, "port%u", port->index);
    memcpy(veth.far_end.mac, port->mac, sizeof veth.far_end.mac);
    link_add_veth(&batch, &veth);
    if (isolate)
        link_set_port_isolated(&batch, port->index);
    addr_add_neighbour(&batch, BRIDGE_INDEX, port->address_be, port->mac);
    r = netlink_send(route_fd, &batch, err);
    return r < 0 ? err_wrap(err, "link to the container") : 0;
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
        addr_add(&batch, link.index, htonl(network_state_gateway(state)), state->subnet.prefix,
                 UINT32_MAX);
        link_set_up(&batch, link.index);
        r = netlink_send(fd, &batch, err);
    }
    return r < 0 ? err_wrap(err, "link to the network") : 0;
}

int network_bridge_raise_uplink6(const struct network_state *state, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, err);
    struct link_info link;
    int r;

    if (fd < 0)
        return fd;
    r = link_get(fd, state->uplink, &link, err);
    if (r == 0)
        r = addr6_set_link(fd, state->uplink, link.index, err);
    if (r == 0) {
        put_router(&batch, link.index, &state->prefix6);
        /* As route_localnet does for IPv4 (nat.c). */
        addr6_add_loopback(&batch, link.index);
        r = netlink_send(fd, &batch, err);
    }
    return r < 0 ? err_wrap(err, "link to the network") : 0;
}
