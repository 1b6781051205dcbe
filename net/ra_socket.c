/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Router advertisements.  A container that mayfly has set up has its addresses
 * without them; they are for what a container runs by itself (a kernel whose
 * link was taken down and up, systemd-networkd, dhcpcd).  As with DHCP, each
 * supervisor answers its own container alone, so that no process serves all.
 */
#include "ra_socket.h"

#include "subnet6.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/socket.h>

#define HOP_LIMIT 64
/* That a message of neighbour discovery has come from the link itself, RFC 4861 section 3.1. */
#define LINK_HOPS 255

size_t ra_encode(const struct ra *ra, uint8_t ret[RA_MAX_BYTES]) {
    struct nd_router_advert header = {.nd_ra_type = ND_ROUTER_ADVERT};
    const struct nd_opt_prefix_info prefix = {
        .nd_opt_pi_type = ND_OPT_PREFIX_INFORMATION,
        .nd_opt_pi_len = sizeof prefix / 8,
        .nd_opt_pi_prefix_len = SUBNET6_PREFIX,
        .nd_opt_pi_flags_reserved = ND_OPT_PI_FLAG_ONLINK | ND_OPT_PI_FLAG_AUTO,
        .nd_opt_pi_valid_time = UINT32_MAX,
        .nd_opt_pi_preferred_time = UINT32_MAX,
        .nd_opt_pi_prefix = ra->prefix,
    };
    const struct nd_opt_mtu mtu = {.nd_opt_mtu_type = ND_OPT_MTU,
                                   .nd_opt_mtu_len = sizeof mtu / 8,
                                   .nd_opt_mtu_mtu = htonl(ra->mtu)};
    uint8_t *end;

    /* Two parts of one union, of which an initializer would keep the last. */
    header.nd_ra_curhoplimit = HOP_LIMIT;
    header.nd_ra_router_lifetime = htons(ra->lifetime_sec);
    end = mempcpy(ret, &header, sizeof header);
    end = mempcpy(end, &prefix, sizeof prefix);
    if (ra->mtu > 0)
        end = mempcpy(end, &mtu, sizeof mtu);
    return (size_t)(end - ret);
}

static int configure(int fd, const char *link, struct err *err) {
    struct ipv6_mreq group = {.ipv6mr_interface = if_nametoindex(link),
                              /* All routers. */
                              .ipv6mr_multiaddr = {.s6_addr = {0xff, 0x02, [15] = 2}}};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6,
                                   .sin6_addr = subnet6_router(&subnet6_link_local),
                                   .sin6_scope_id = group.ipv6mr_interface};
    struct icmp6_filter filter;
    int hops = LINK_HOPS, on = 1;

    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(ND_ROUTER_SOLICIT, &filter);
    if (setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof filter) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link, (socklen_t)strlen(link)) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &group, sizeof group) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return err_errno(err, "router's socket");
    return 0;
}

int ra_socket_open(const char *link, struct err *err) {
    _cleanup_close_ int fd =
        socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
    int r;

    if (fd < 0)
        return err_errno(err, "router's socket");
    r = configure(fd, link, err);
    return r < 0 ? r : take_fd(fd);
}

/** is_from_link() - whether a message was not passed on by anybody. */
static bool is_from_link(struct msghdr *message) {
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
        int hops;

        if (c->cmsg_level != IPPROTO_IPV6 || c->cmsg_type != IPV6_HOPLIMIT)
            continue;
        memcpy(&hops, CMSG_DATA(c), sizeof hops);
        return hops == LINK_HOPS;
    }
    return false;
}

int ra_socket_receive(int fd, const struct in6_addr *client) {
    struct nd_router_solicit solicit;
    struct sockaddr_in6 from;
    struct iovec data = {.iov_base = &solicit, .iov_len = sizeof solicit};
    _Alignas(struct cmsghdr) char control[64];
    struct msghdr message = {.msg_name = &from,
                             .msg_namelen = sizeof from,
                             .msg_iov = &data,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t n = recvmsg(fd, &message, 0);

    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    return n == sizeof solicit && solicit.nd_rs_type == ND_ROUTER_SOLICIT &&
           solicit.nd_rs_code == 0 && message.msg_namelen == sizeof from &&
           IN6_ARE_ADDR_EQUAL(&from.sin6_addr, client) && is_from_link(&message);
}

void ra_socket_send(int fd, const struct ra *ra, const struct in6_addr *client) {
    struct sockaddr_in6 to = {.sin6_family = AF_INET6, .sin6_addr = *client};
    struct sockaddr_in6 own;
    socklen_t length = sizeof own;
    uint8_t data[RA_MAX_BYTES];
    size_t size = ra_encode(ra, data);

    if (getsockname(fd, (struct sockaddr *)&own, &length) < 0)
        return;
    to.sin6_scope_id = own.sin6_scope_id;
    if (sendto(fd, data, size, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) < 0)
        return;
}
