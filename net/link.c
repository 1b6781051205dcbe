/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links: bridges, veth pairs and their states, as requests of rtnetlink.
 *
 * A request that makes a link may say most of what the link shall be: its
 * index, its bridge and, for the near end, that it is up.  So a container's
 * whole connection is one request, and several requests are one call.
 *
 * Spec: rtnetlink(7); the kernel's Documentation/netlink/specs/rt_link.yaml.
 */
#include "link.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

/* linux/if.h has this as IF_OPER_UP, but cannot be included beside net/if.h. */
#define OPERSTATE_UP 6

#define CREATE (NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL)

int link_new_mac(uint8_t ret[6], struct err *err) {
    if (getrandom(ret, 6, 0) != 6)
        return err_errno(err, "random bytes");
    ret[0] = (uint8_t)((ret[0] & 0xfc) | 0x02);
    return 0;
}

/* A veth is made with a queue for each processor and uses one, unless it is told: giving the others
 * up waits for two RCU grace periods, half a millisecond. */
static void put_end(struct netlink_batch *batch, const struct link_end *end, uint32_t mtu) {
    netlink_put_string(batch, IFLA_IFNAME, end->name);
    netlink_put(batch, IFLA_ADDRESS, end->mac, sizeof end->mac);
    netlink_put_u32(batch, IFLA_NUM_TX_QUEUES, 1);
    netlink_put_u32(batch, IFLA_NUM_RX_QUEUES, 1);
    if (mtu > 0)
        netlink_put_u32(batch, IFLA_MTU, mtu);
}

void link_add_bridge(struct netlink_batch *batch, const struct link_end *end, uint32_t mtu) {
    const struct ifinfomsg header = {
        .ifi_index = (int)end->index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

    netlink_begin(batch, RTM_NEWLINK, CREATE, &header, sizeof header);
    put_end(batch, end, mtu);
    netlink_nest_begin(batch, IFLA_LINKINFO, NULL, 0);
    netlink_put_string(batch, IFLA_INFO_KIND, "bridge");
    netlink_nest_begin(batch, IFLA_INFO_DATA, NULL, 0);
    /* Nobody but containers is on it: group membership need not be watched. */
    netlink_put_u8(batch, IFLA_BR_MCAST_SNOOPING, 0);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
}

void link_add_veth(struct netlink_batch *batch, const struct link_veth *veth) {
    const struct ifinfomsg near_header = {
        .ifi_index = (int)veth->near_end.index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    const struct ifinfomsg far_header = {.ifi_index = (int)veth->far_end.index};

    netlink_begin(batch, RTM_NEWLINK, CREATE, &near_header, sizeof near_header);
    put_end(batch, &veth->near_end, veth->mtu);
    netlink_put_u32(batch, IFLA_MASTER, veth->bridge);
    netlink_nest_begin(batch, IFLA_LINKINFO, NULL, 0);
    netlink_put_string(batch, IFLA_INFO_KIND, "veth");
    netlink_nest_begin(batch, IFLA_INFO_DATA, NULL, 0);
    netlink_nest_begin(batch, VETH_INFO_PEER, &far_header, sizeof far_header);
    put_end(batch, &veth->far_end, veth->mtu);
    if (veth->far_process > 0)
        netlink_put_u32(batch, IFLA_NET_NS_PID, (uint32_t)veth->far_process);
    else
        netlink_put_u32(batch, IFLA_NET_NS_FD, (uint32_t)veth->far_ns_fd);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
}

void link_set_port_isolated(struct netlink_batch *batch, uint32_t port) {
    const struct ifinfomsg header = {.ifi_family = AF_BRIDGE, .ifi_index = (int)port};

    netlink_begin(batch, RTM_SETLINK, NLM_F_ACK, &header, sizeof header);
    netlink_nest_begin(batch, IFLA_PROTINFO, NULL, 0);
    netlink_put_u8(batch, IFLA_BRPORT_ISOLATED, 1);
    netlink_nest_end(batch);
}

void link_set_up(struct netlink_batch *batch, uint32_t index) {
    const struct ifinfomsg header = {
        .ifi_index = (int)index, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};

    netlink_begin(batch, RTM_NEWLINK, NLM_F_ACK, &header, sizeof header);
}

void link_set_up_for_dhcp(struct netlink_batch *batch, uint32_t index, bool with_ipv6) {
    link_set_up(batch, index);
    netlink_nest_begin(batch, IFLA_AF_SPEC, NULL, 0);
    netlink_nest_begin(batch, AF_INET, NULL, 0);
    netlink_nest_begin(batch, IFLA_INET_CONF, NULL, 0);
    netlink_put_u32(batch, IPV4_DEVCONF_RP_FILTER, 0);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
    if (!with_ipv6) {
        netlink_nest_begin(batch, AF_INET6, NULL, 0);
        netlink_put_u8(batch, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
        netlink_nest_end(batch);
    }
    netlink_nest_end(batch);
}

void link_set_mtu(struct netlink_batch *batch, uint32_t index, uint32_t mtu) {
    const struct ifinfomsg header = {.ifi_index = (int)index};

    netlink_begin(batch, RTM_NEWLINK, NLM_F_ACK, &header, sizeof header);
    netlink_put_u32(batch, IFLA_MTU, mtu);
}

void link_delete(struct netlink_batch *batch, uint32_t index) {
    const struct ifinfomsg header = {.ifi_index = (int)index};

    netlink_begin(batch, RTM_DELLINK, NLM_F_ACK, &header, sizeof header);
}

int link_open_events(struct err *err) {
    _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, err);
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};

    if (fd < 0)
        return fd;
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return err_errno(err, "changes of links");
    return take_fd(fd);
}

/** is_operational() - whether a message says so of a link. */
static bool is_operational(const struct nlmsghdr *message, uint32_t index) {
    const struct ifinfomsg *header = NLMSG_DATA(message);
    const uint8_t *state;

    if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof *header) ||
        header->ifi_index != (int)index)
        return false;
    state = netlink_attribute(message, sizeof *header, IFLA_OPERSTATE, NULL);
    return state && *state == OPERSTATE_UP;
}

void link_wait_operational(int events_fd, uint32_t index, uint64_t timeout_nsec) {
    uint64_t end_nsec = clock_add(clock_monotonic(), timeout_nsec);
    _Alignas(struct nlmsghdr) char data[8192];

    for (;;) {
        struct pollfd pollfd = {.fd = events_fd, .events = POLLIN};
        struct nlmsghdr *message = (struct nlmsghdr *)data;
        ssize_t n;

        if (poll(&pollfd, 1, clock_poll_timeout(clock_monotonic(), end_nsec)) <= 0)
            return;
        n = recv(events_fd, data, sizeof data, 0);
        if (n < 0)
            return;
        for (; NLMSG_OK(message, (size_t)n); message = NLMSG_NEXT(message, n))
            if (is_operational(message, index))
                return;
    }
}

/** is_kind() - whether the attributes of a link say that it is one of @kind. */
static bool is_kind(const struct nlmsghdr *message, const char *kind) {
    size_t size, length;
    const char *info = netlink_attribute(message, sizeof(struct ifinfomsg), IFLA_LINKINFO, &size);
    const char *name = info ? netlink_find(info, size, IFLA_INFO_KIND, &length) : NULL;

    return name && strncmp(name, kind, length) == 0;
}

static int take_link(const struct nlmsghdr *message, void *context) {
    struct link_info *info = context;
    const struct ifinfomsg *header = NLMSG_DATA(message);
    size_t size;
    const void *value;

    if (message->nlmsg_type != RTM_NEWLINK || message->nlmsg_len < NLMSG_LENGTH(sizeof *header))
        return -EBADMSG;
    info->index = (uint32_t)header->ifi_index;
    info->is_bridge = is_kind(message, "bridge");
    value = netlink_attribute(message, sizeof *header, IFLA_ADDRESS, &size);
    if (value && size == sizeof info->mac)
        memcpy(info->mac, value, size);
    value = netlink_attribute(message, sizeof *header, IFLA_MTU, &size);
    if (value && size == sizeof info->mtu)
        memcpy(&info->mtu, value, size);
    return 0;
}

int link_get(int fd, const char *name, struct link_info *ret_info, struct err *err) {
    static const struct ifinfomsg header = {0};
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;

    *ret_info = (struct link_info){0};
    if (strlen(name) >= IFNAMSIZ)
        return -ENODEV;
    /* With an acknowledgement asked for, an answer of one message ends like a dump. */
    netlink_begin(&batch, RTM_GETLINK, NLM_F_ACK, &header, sizeof header);
    netlink_put_string(&batch, IFLA_IFNAME, name);
    return netlink_dump(fd, &batch, take_link, ret_info, err);
}
