/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A place on a bridge that somebody else has made: the host's side of it.  Its
 * server gives the address, of which the rules are told when it comes.
 */
#include "link.h"
#include "network_connection.h"
#include "nft.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int network_open_existing(struct network *network, const struct network_request *request,
                          struct err *err) {
    struct link_info bridge;
    int route_fd, r;

    if (request->make_namespace)
        return err_set(err, -EPERM,
                       "bridge %s: a place on the host's own bridges is root's to give: run with "
                       "--net bridge, or as root",
                       request->bridge);
    route_fd = network->sockets.route_fd = netlink_open(NETLINK_ROUTE, err);
    if (route_fd < 0)
        return route_fd;
    r = link_get(route_fd, request->bridge, &bridge, err);
    if (r == -ENODEV)
        return err_set(err, r, "bridge %s: there is none of that name", request->bridge);
    if (r < 0)
        return err_wrap(err, "bridge %s", request->bridge);
    if (!bridge.is_bridge)
        return err_set(err, -EINVAL, "bridge %s: is a link, but not a bridge", request->bridge);
    network->bridge = bridge.index;
    network->mtu = bridge.mtu;
    return 0;
}

/** guard_link() - the rules that the container's link is held to, before it can send anything. */
static int guard_link(struct network *network, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct link_info link;
    int r = link_get(network->sockets.route_fd, network->link, &link, err);

    if (r < 0)
        return r == -ENODEV ? err_set(err, r, "%s is gone", network->link) : r;
    network->port.index = link.index;
    network->guard_fd = netlink_open(NETLINK_NETFILTER, err);
    if (network->guard_fd < 0)
        return network->guard_fd;
    nft_transaction_begin(&batch);
    guard_add_link(&batch, network->link, &network->port);
    nft_transaction_end(&batch);
    r = netlink_send(network->guard_fd, &batch, err);
    return r < 0 ? err_wrap(err, "packet filter (nf_tables)") : 0;
}

int network_attach_to_existing(struct network *network, pid_t container, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct link_veth veth = {.far_end = {.index = NETWORK_CONTAINER_INDEX, .name = NETWORK_LINK},
                             .far_process = container,
                             .bridge = network->bridge,
                             .mtu = network->mtu};
    const uint8_t *mac = veth.near_end.mac;
    int r = link_new_mac(veth.near_end.mac, err);

    if (r == 0)
        r = link_new_mac(veth.far_end.mac, err);
    if (r < 0)
        return r;
    /* Rules are made for a name, so it is not left to the kernel. */
    snprintf(network->link, sizeof network->link, "mayfly%02x%02x%02x%02x", mac[2], mac[3], mac[4],
             mac[5]);
    memcpy(veth.near_end.name, network->link, sizeof network->link);
    memcpy(network->port.mac, veth.far_end.mac, sizeof network->port.mac);
    link_add_veth(&batch, &veth);
    r = netlink_send(network->sockets.route_fd, &batch, err);
    return r < 0 ? err_wrap(err, "link to the container") : guard_link(network, err);
}

void network_hold_to(struct network *network, uint32_t address_be) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct err err;

    if (network->guard_fd < 0 || address_be == network->port.address_be)
        return;
    nft_transaction_begin(&batch);
    guard_set_address(&batch, network->link, &network->port, address_be);
    nft_transaction_end(&batch);
    if (netlink_send(network->guard_fd, &batch, &err) < 0)
        log_warning(network->log, "network %s: packet filter (nf_tables): %s", network->name,
                    err.message);
    else
        network->port.address_be = address_be;
}
