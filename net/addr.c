/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, routes and neighbours, as requests of rtnetlink.
 *
 * Spec: rtnetlink(7).
 */
#include "addr.h"

#include "dhcp_parameters.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define MAX_ROUTES 100000u

void addr_add(struct netlink_batch *batch, uint32_t index, uint32_t address_be, uint8_t prefix,
              uint32_t life_sec) {
    const struct ifaddrmsg header = {
        .ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = index};
    const struct ifa_cacheinfo life = {.ifa_prefered = life_sec, .ifa_valid = life_sec};
    uint32_t broadcast_be = address_be | ~dhcp_mask_of_prefix(prefix);

    netlink_begin(batch, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &header,
                  sizeof header);
    netlink_put(batch, IFA_LOCAL, &address_be, sizeof address_be);
    netlink_put(batch, IFA_ADDRESS, &address_be, sizeof address_be);
    if (prefix < 31)
        netlink_put(batch, IFA_BROADCAST, &broadcast_be, sizeof broadcast_be);
    if (life_sec != UINT32_MAX)
        netlink_put(batch, IFA_CACHEINFO, &life, sizeof life);
}

void addr_delete(struct netlink_batch *batch, uint32_t index, uint32_t address_be, uint8_t prefix) {
    const struct ifaddrmsg header = {
        .ifa_family = AF_INET, .ifa_prefixlen = prefix, .ifa_index = index};

    netlink_begin(batch, RTM_DELADDR, NLM_F_ACK, &header, sizeof header);
    netlink_put(batch, IFA_LOCAL, &address_be, sizeof address_be);
}

static void put_route(struct netlink_batch *batch, uint16_t type, const struct rtmsg *header,
                      uint32_t index, uint32_t network_be, uint32_t gateway_be) {
    uint16_t flags = type == RTM_NEWROUTE ? NLM_F_CREATE | NLM_F_REPLACE : 0;

    netlink_begin(batch, type, NLM_F_ACK | flags, header, sizeof *header);
    if (header->rtm_dst_len > 0)
        netlink_put(batch, RTA_DST, &network_be, sizeof network_be);
    if (gateway_be)
        netlink_put(batch, RTA_GATEWAY, &gateway_be, sizeof gateway_be);
    netlink_put_u32(batch, RTA_OIF, index);
}

void addr_add_route(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                    uint8_t prefix, uint32_t gateway_be) {
    const struct rtmsg header = {.rtm_family = AF_INET,
                                 .rtm_dst_len = prefix,
                                 .rtm_table = RT_TABLE_MAIN,
                                 .rtm_protocol = RTPROT_DHCP,
                                 .rtm_scope = gateway_be ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK,
                                 .rtm_type = RTN_UNICAST};

    put_route(batch, RTM_NEWROUTE, &header, index, network_be, gateway_be);
}

void addr_delete_route(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                       uint8_t prefix) {
    const struct rtmsg header = {.rtm_family = AF_INET,
                                 .rtm_dst_len = prefix,
                                 .rtm_table = RT_TABLE_MAIN,
                                 .rtm_scope = RT_SCOPE_LINK,
                                 .rtm_type = RTN_UNICAST};

    put_route(batch, RTM_DELROUTE, &header, index, network_be, 0);
}

void addr_add_local(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                    uint8_t prefix) {
    const struct rtmsg header = {.rtm_family = AF_INET,
                                 .rtm_dst_len = prefix,
                                 .rtm_table = RT_TABLE_LOCAL,
                                 .rtm_protocol = RTPROT_STATIC,
                                 .rtm_scope = RT_SCOPE_HOST,
                                 .rtm_type = RTN_LOCAL};

    put_route(batch, RTM_NEWROUTE, &header, index, network_be, 0);
}

void addr_add_neighbour(struct netlink_batch *batch, uint32_t index, uint32_t address_be,
                        const uint8_t mac[6]) {
    const struct ndmsg header = {
        .ndm_family = AF_INET, .ndm_ifindex = (int)index, .ndm_state = NUD_PERMANENT};

    netlink_begin(batch, RTM_NEWNEIGH, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &header,
                  sizeof header);
    netlink_put(batch, NDA_DST, &address_be, sizeof address_be);
    netlink_put(batch, NDA_LLADDR, mac, 6);
}

/** delete_neighbour() - forget what is known of an address, and ask no more. */
static void delete_neighbour(struct netlink_batch *batch, uint32_t index, uint32_t address_be) {
    const struct ndmsg header = {.ndm_family = AF_INET, .ndm_ifindex = (int)index};

    netlink_begin(batch, RTM_DELNEIGH, NLM_F_ACK, &header, sizeof header);
    netlink_put(batch, NDA_DST, &address_be, sizeof address_be);
}

/** is_neighbour() - whether a message says that an address has been found. */
static bool is_neighbour(const struct nlmsghdr *message, uint32_t address_be) {
    const struct ndmsg *header = NLMSG_DATA(message);
    const void *address;
    size_t size;

    if (message->nlmsg_type != RTM_NEWNEIGH || message->nlmsg_len < NLMSG_LENGTH(sizeof *header) ||
        header->ndm_family != AF_INET ||
        !(header->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY)))
        return false;
    address = netlink_attribute(message, sizeof *header, NDA_DST, &size);
    return address && size == sizeof address_be && memcmp(address, &address_be, size) == 0;
}

static bool await_neighbour(int events_fd, uint32_t address_be, uint64_t end_nsec) {
    _Alignas(struct nlmsghdr) char data[8192];

    for (;;) {
        struct pollfd pollfd = {.fd = events_fd, .events = POLLIN};
        struct nlmsghdr *message = (struct nlmsghdr *)data;
        ssize_t n;

        if (poll(&pollfd, 1, clock_poll_timeout(clock_monotonic(), end_nsec)) <= 0)
            return false;
        n = recv(events_fd, data, sizeof data, 0);
        if (n < 0)
            return false;
        for (; NLMSG_OK(message, (size_t)n); message = NLMSG_NEXT(message, n))
            if (is_neighbour(message, address_be))
                return true;
    }
}

/**
 * Any packet to the address makes the kernel ask who has it.  A link without an address asks
 * without a sender; no packet socket is needed, whose closing would take 11 to 15 ms.
 */
bool addr_is_taken(int fd, uint32_t index, const char *name, uint32_t address_be,
                   uint64_t wait_nsec) {
    const struct sockaddr_nl neighbours = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_NEIGH};
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {address_be}};
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int events_fd = netlink_open(NETLINK_ROUTE, NULL);
    _cleanup_close_ int packet_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_taken = false;

    addr_add_route(&batch, index, address_be, 32, 0);
    if (events_fd < 0 || packet_fd < 0 || netlink_send(fd, &batch, NULL) < 0)
        return false;
    if (bind(events_fd, (const struct sockaddr *)&neighbours, sizeof neighbours) == 0 &&
        setsockopt(packet_fd, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name)) == 0 &&
        sendto(packet_fd, "", 1, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) == 1)
        is_taken = await_neighbour(events_fd, address_be, clock_add(clock_monotonic(), wait_nsec));
    addr_delete_route(&batch, index, address_be, 32);
    /* The kernel asks and tells about those alone that it does not know yet: the same address may
       be asked for again, since a server that was told of its owner may offer it once more. */
    delete_neighbour(&batch, index, address_be);
    netlink_send(fd, &batch, NULL);
    return is_taken;
}

/** struct route_list - routes while they come in */
struct route_list {
    struct subnet *routes;
    size_t n;
    size_t capacity;
};

static int take_route(const struct nlmsghdr *message, void *context) {
    struct route_list *list = context;
    const struct rtmsg *header = NLMSG_DATA(message);
    const uint32_t *network_be;
    size_t size;

    if (message->nlmsg_type != RTM_NEWROUTE || message->nlmsg_len < NLMSG_LENGTH(sizeof *header) ||
        header->rtm_family != AF_INET || header->rtm_type == RTN_BROADCAST || list->n >= MAX_ROUTES)
        return 0;
    network_be = netlink_attribute(message, sizeof *header, RTA_DST, &size);
    if (!network_be || size != 4)
        return 0;
    if (list->n == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 16;
        struct subnet *routes = reallocarray(list->routes, capacity, sizeof *routes);

        if (!routes)
            return -ENOMEM;
        list->routes = routes;
        list->capacity = capacity;
    }
    list->routes[list->n++] = (struct subnet){ntohl(*network_be), header->rtm_dst_len};
    return 0;
}

int addr_get_routes(int fd, struct subnet **ret_routes, size_t *ret_n, struct err *err) {
    static const struct rtmsg header = {.rtm_family = AF_INET};
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct route_list list = {0};
    int r;

    netlink_begin(&batch, RTM_GETROUTE, NLM_F_DUMP, &header, sizeof header);
    r = netlink_dump(fd, &batch, take_route, &list, err);
    if (r < 0) {
        free(list.routes);
        return err_wrap(err, "the host's routes");
    }
    *ret_routes = list.routes;
    *ret_n = list.n;
    return 0;
}
