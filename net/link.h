/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LINK_H
#define MAYFLY_LINK_H

#include "netlink.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** The index of lo in every network namespace. */
#define LINK_LOOPBACK 1

/* Each function adds requests to a batch, which netlink_send() carries out.
 * Context: the namespace is the socket's; CAP_NET_ADMIN there. */

/**
 * struct link_end - one end of a veth pair
 * @index: 0 lets the kernel choose
 * @name: may hold one "%d", for which the kernel finds a number
 */
struct link_end {
    uint32_t index;
    char name[IFNAMSIZ];
    uint8_t mac[6];
};

/** link_new_mac() - a random address of those that everyone may give themselves.
 * Return: 0 or -errno with a text. */
int link_new_mac(uint8_t ret[6], struct err *err);

/**
 * link_add_bridge() - make a bridge that is up
 * @mtu: 0: the kernel's default
 */
void link_add_bridge(struct netlink_batch *batch, const struct link_end *end, uint32_t mtu);

/**
 * struct link_veth - a veth pair, one end of it in another namespace
 * @near_end: up at once
 * @far_end: down; a link cannot be made up in another namespace
 * @far_process: a process in the other namespace; 0: @far_ns_fd is the namespace
 * @bridge: index of the bridge that the near end becomes a port of
 * @mtu: of both; 0: the kernel's default
 */
struct link_veth {
    struct link_end near_end;
    struct link_end far_end;
    pid_t far_process;
    int far_ns_fd;
    uint32_t bridge;
    uint32_t mtu;
};

/** link_add_veth() - make a veth pair. */
void link_add_veth(struct netlink_batch *batch, const struct link_veth *veth);

/** link_set_port_isolated() - keep a bridge's port apart from other ports that are so. */
void link_set_port_isolated(struct netlink_batch *batch, uint32_t port);

/** link_set_up() - as ip link set INDEX up. */
void link_set_up(struct netlink_batch *batch, uint32_t index);

/**
 * link_set_up_for_dhcp() - as link_set_up(), and ready for a DHCP exchange
 * @with_ipv6: whether the link shall make itself IPv6 addresses
 *
 * Source validation is off on the link: it would drop the answer of a server, since there is no
 * route to any sender while there is no address.
 */
void link_set_up_for_dhcp(struct netlink_batch *batch, uint32_t index, bool with_ipv6);

/** link_set_mtu() - @mtu: 68 at least. */
void link_set_mtu(struct netlink_batch *batch, uint32_t index, uint32_t mtu);

/** link_delete() - as ip link delete. */
void link_delete(struct netlink_batch *batch, uint32_t index);

/**
 * link_open_events() - hear of changes of links, from now on
 * Return: a descriptor, or -errno with a text.
 */
int link_open_events(struct err *err);

/**
 * link_wait_operational() - wait until a link that was set up can pass frames
 * @events_fd: opened before it was set up
 * @timeout_nsec: how long to wait at most; passing it is no error
 *
 * When this returns, the kernel holds its lock on links, having told the other end of a veth pair
 * and that end's bridge as well: after the next request to it, the way is free.
 */
void link_wait_operational(int events_fd, uint32_t index, uint64_t timeout_nsec);

/** struct link_info - what is known of a link */
struct link_info {
    uint32_t index;
    uint32_t mtu;
    uint8_t mac[6];
    bool is_bridge;
};

/**
 * link_get() - look a link up by its name
 * Return: 0, -ENODEV without a text, or another -errno with one.
 */
int link_get(int fd, const char *name, struct link_info *ret_info, struct err *err);

#endif
