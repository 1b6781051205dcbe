/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses, routes and neighbours, as requests of rtnetlink.
 *
 * Spec: rtnetlink(7).
 */
#include "addr.h"

#include "dhcp_parameters.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
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

static void add_route(struct netlink_batch *batch, const struct rtmsg *header, uint32_t index,
                      uint32_t network_be, uint32_t gateway_be) {
    netlink_begin(batch, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header,
                  sizeof *header);
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

    add_route(batch, &header, index, network_be, gateway_be);
}

void addr_add_local(struct netlink_batch *batch, uint32_t index, uint32_t network_be,
                    uint8_t prefix) {
    const struct rtmsg header = {.rtm_family = AF_INET,
                                 .rtm_dst_len = prefix,
                                 .rtm_table = RT_TABLE_LOCAL,
                                 .rtm_protocol = RTPROT_STATIC,
                                 .rtm_scope = RT_SCOPE_HOST,
                                 .rtm_type = RTN_LOCAL};

    add_route(batch, &header, index, network_be, 0);
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
