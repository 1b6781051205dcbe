/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IPv6 addresses and routes, as requests of rtnetlink and settings in /proc.
 *
 * Spec: rtnetlink(7); the kernel's Documentation/networking/ip-sysctl.rst.
 */
#include "addr6.h"

#include "engine/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/socket.h>

void addr6_add(struct netlink_batch *batch, uint32_t index, const struct in6_addr *address) {
    const struct ifaddrmsg header = {
        .ifa_family = AF_INET6, .ifa_prefixlen = 64, .ifa_flags = IFA_F_NODAD, .ifa_index = index};

    netlink_begin(batch, RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, &header,
                  sizeof header);
    netlink_put(batch, IFA_LOCAL, address, sizeof *address);
    netlink_put(batch, IFA_ADDRESS, address, sizeof *address);
}

static void add_route(struct netlink_batch *batch, const struct rtmsg *header, uint32_t index) {
    netlink_begin(batch, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, header,
                  sizeof *header);
    netlink_put_u32(batch, RTA_OIF, index);
}

void addr6_add_default_route(struct netlink_batch *batch, uint32_t index,
                             const struct in6_addr *gateway) {
    static const struct rtmsg header = {.rtm_family = AF_INET6,
                                        .rtm_table = RT_TABLE_MAIN,
                                        .rtm_protocol = RTPROT_DHCP,
                                        .rtm_scope = RT_SCOPE_UNIVERSE,
                                        .rtm_type = RTN_UNICAST};

    add_route(batch, &header, index);
    netlink_put(batch, RTA_GATEWAY, gateway, sizeof *gateway);
}

void addr6_add_loopback(struct netlink_batch *batch, uint32_t index) {
    static const struct rtmsg header = {.rtm_family = AF_INET6,
                                        .rtm_dst_len = 128,
                                        .rtm_table = RT_TABLE_LOCAL,
                                        .rtm_protocol = RTPROT_STATIC,
                                        .rtm_scope = RT_SCOPE_HOST,
                                        .rtm_type = RTN_LOCAL};

    /* Added, never put in the place of another's: every such link has one. */
    netlink_begin(batch, RTM_NEWROUTE, NLM_F_ACK | NLM_F_CREATE | NLM_F_APPEND, &header,
                  sizeof header);
    netlink_put_u32(batch, RTA_OIF, index);
    netlink_put(batch, RTA_DST, &in6addr_loopback, sizeof in6addr_loopback);
}

void addr6_no_autoconf(struct netlink_batch *batch, uint32_t index) {
    const struct ifinfomsg header = {.ifi_index = (int)index};

    netlink_begin(batch, RTM_NEWLINK, NLM_F_ACK, &header, sizeof header);
    netlink_nest_begin(batch, IFLA_AF_SPEC, NULL, 0);
    netlink_nest_begin(batch, AF_INET6, NULL, 0);
    netlink_put_u8(batch, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
}

static int set_of_link(const char *link, const char *name, char value, struct err *err) {
    char path[96];
    _cleanup_close_ int fd = -1;

    snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/%s", link, name);
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, -EAFNOSUPPORT, "the kernel has no IPv6 here");
    return fd < 0 || write(fd, &value, 1) != 1 ? err_errno(err, "%s", path) : 0;
}

int addr6_set_link(int fd, const char *name, uint32_t index, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    int r;

    addr6_no_autoconf(&batch, index);
    r = netlink_send(fd, &batch, err);
    if (r == 0)
        r = set_of_link(name, "accept_ra", '0', err);
    return r == 0 ? set_of_link(name, "disable_ipv6", '0', err) : r;
}
