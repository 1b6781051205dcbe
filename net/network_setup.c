/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's side of its connection: the link up, an address by DHCP, the
 * address and the routes set.  It runs in the container's network namespace
 * before the container's own programs do, so an image needs no DHCP client.
 */
#include "network_setup.h"

#include "addr.h"
#include "addr6.h"
#include "dhcp_socket.h"
#include "link.h"
#include "network.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/random.h>

/* How long a link may take to come up before the exchange is tried all the same. */
#define OPERATIONAL_NSEC (100 * NSEC_PER_MSEC)
/* How long an owner of an address has to say so; one that lives does within a millisecond. */
#define PROBE_NSEC (60 * NSEC_PER_MSEC)
#define MAX_DECLINES 3

void network_lease_close(struct network_lease *lease) {
    cleanup_close_p(&lease->socket_fd);
    cleanup_close_p(&lease->route_fd);
    lease->socket_fd = lease->route_fd = -1;
}

int network_setup_loopback(struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, err);
    int r;

    if (fd < 0)
        return fd;
    link_set_up(&batch, LINK_LOOPBACK);
    r = netlink_send(fd, &batch, err);
    return r < 0 ? err_wrap(err, "loopback") : 0;
}

int network_set_lease(int route_fd, uint32_t link, const struct dhcp_parameters *lease,
                      struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    int r;

    if (lease->mtu > 0)
        link_set_mtu(&batch, link, lease->mtu);
    addr_add(&batch, link, lease->address_be, lease->prefix, lease->lease_sec);
    for (size_t i = 0; i < lease->n_routes; i++)
        addr_add_route(&batch, link, lease->routes[i].network_be, lease->routes[i].prefix,
                       lease->routes[i].gateway_be);
    if (lease->n_routers > 0)
        addr_add_route(&batch, link, 0, 0, lease->routers_be[0]);
    r = netlink_send(route_fd, &batch, err);
    return r < 0 ? err_wrap(err, "address and routes") : 0;
}

/**
 * allow_answers() - see that a server's answer is not dropped for its source
 *
 * The link's own setting is off (link_set_up_for_dhcp()); the stricter of it and the one for all
 * links holds.
 */
static void allow_answers(void) {
    _cleanup_close_ int fd =
        open("/proc/sys/net/ipv4/conf/all/rp_filter", O_RDWR | O_CLOEXEC | O_NOCTTY);
    char value = '0';

    if (fd >= 0 && read(fd, &value, 1) == 1 && value != '0' && pwrite(fd, "0", 1, 0) != 1)
        return;
}

/** wait_for_message() - until there is one or @until_nsec has come. */
static void wait_for_message(int fd, uint64_t until_nsec) {
    struct pollfd pollfd = {.fd = fd, .events = POLLIN};

    poll(&pollfd, 1, clock_poll_timeout(clock_monotonic(), until_nsec));
}

static uint64_t earlier(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/** take_part() - one turn of the exchange.  Return: the event. */
static enum dhcp_client_event take_part(struct dhcp_client *client, int fd, uint64_t end_nsec,
                                        int *ret_sent) {
    struct dhcp_client_output output;
    struct dhcp_message message;
    int r;

    wait_for_message(fd, earlier(client->deadline_nsec, end_nsec));
    r = dhcp_socket_receive(fd, &message);
    if (r > 0)
        dhcp_client_receive(client, &message, clock_monotonic(), &output);
    else
        dhcp_client_dispatch(client, clock_monotonic(), &output);
    if (output.has_message)
        *ret_sent = dhcp_socket_send(fd, &output.message, output.server_be, DHCP_SERVER_PORT,
                                     DHCP_MAX_BYTES);
    return output.event;
}

static int get_lease(struct dhcp_client *client, int fd, uint64_t timeout_nsec, struct err *err) {
    uint64_t end_nsec = clock_add(clock_monotonic(), timeout_nsec);
    enum dhcp_client_event event = DHCP_CLIENT_NOTHING;
    bool was_refused = false;
    int sent = 0;

    while (event != DHCP_CLIENT_LEASED) {
        if (sent < 0)
            return err_set(err, sent, "DHCP: sending: %s", strerror(-sent));
        if (clock_monotonic() >= end_nsec && was_refused)
            return err_set(err, -ETIMEDOUT, "DHCP: the server refuses an address: %s",
                           client->refusal);
        if (clock_monotonic() >= end_nsec)
            return err_set(err, -ETIMEDOUT,
                           client->state == DHCP_CLIENT_REQUESTING
                               ? "DHCP: the server made an offer and then fell silent"
                               : "DHCP: no server answers with an address within %g s",
                           (double)timeout_nsec / NSEC_PER_SEC);
        event = take_part(client, fd, end_nsec, &sent);
        was_refused |= event == DHCP_CLIENT_REFUSED;
    }
    return 0;
}

int network_setup_begin(struct network_setup *ret_setup, struct err *err) {
    _cleanup_close_ int route_fd = netlink_open(NETLINK_ROUTE, err);
    _cleanup_close_ int events_fd = route_fd < 0 ? route_fd : link_open_events(err);

    *ret_setup = (struct network_setup){-1, -1};
    if (events_fd < 0)
        return events_fd;
    allow_answers();
    *ret_setup = (struct network_setup){take_fd(route_fd), take_fd(events_fd)};
    return 0;
}

/**
 * set_up_links() - lo, and eth0, so that what is sent on it arrives
 *
 * The bridge lets a port through once the kernel has dealt with the other end's coming up, which
 * it does in the background.  A message sent before that would be lost, and the next one is due
 * only after half a second.
 */
static int set_up_links(int route_fd, int events_fd, struct link_info *ret_link, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    int r = link_get(route_fd, NETWORK_LINK, ret_link, err);
    if (r == -ENODEV)
        return err_set(err, r, "%s: not there", NETWORK_LINK);
    if (r < 0)
        return err_wrap(err, NETWORK_LINK);
    link_set_up_for_dhcp(&batch, ret_link->index, false);
    /* Which goes on while the other end is dealt with. */
    link_set_up(&batch, LINK_LOOPBACK);
    r = netlink_send(route_fd, &batch, err);
    if (r < 0)
        return err_wrap(err, "%s and lo: up", NETWORK_LINK);
    link_wait_operational(events_fd, ret_link->index, OPERATIONAL_NSEC);
    /* It is up already: a request that waits for the kernel's lock on links. */
    link_set_up(&batch, ret_link->index);
    r = netlink_send(route_fd, &batch, err);
    return r < 0 ? err_wrap(err, "%s: up", NETWORK_LINK) : 0;
}

/**
 * get_own_lease() - one whose address nobody else on the link has
 *
 * On a bridge of ours that cannot be, since none can be taken that was not given.
 */
static int get_own_lease(const struct network_setup_request *request, const struct link_info *link,
                         int route_fd, int socket_fd, struct network_lease *lease,
                         struct err *err) {
    struct dhcp_client *client = &lease->client;
    struct dhcp_client_output output;
    char text[INET_ADDRSTRLEN];
    int r = get_lease(client, socket_fd, request->timeout_nsec, err);

    for (int tries = 0; r == 0 && request->renew; tries++) {
        uint32_t address_be = client->lease.address_be;

        if (!addr_is_taken(route_fd, link->index, NETWORK_LINK, address_be, PROBE_NSEC))
            return 0;
        lease->taken_be = address_be;
        dhcp_client_decline(client, clock_monotonic(), &output);
        if (output.has_message)
            (void)dhcp_socket_send(socket_fd, &output.message, 0, DHCP_SERVER_PORT, DHCP_MAX_BYTES);
        if (tries == MAX_DECLINES)
            return err_set(err, -EADDRINUSE,
                           "DHCP: the server gives addresses that others have, %s at last",
                           inet_ntop(AF_INET, &address_be, text, sizeof text));
        r = get_lease(client, socket_fd, request->timeout_nsec, err);
    }
    return r;
}

static int set_ipv6(int route_fd, uint32_t link, const struct network_ipv6 *ipv6, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    int r;

    addr6_add(&batch, link, &ipv6->link_address);
    addr6_add(&batch, link, &ipv6->address);
    if (!IN6_IS_ADDR_UNSPECIFIED(&ipv6->gateway))
        addr6_add_default_route(&batch, link, &ipv6->gateway);
    r = netlink_send(route_fd, &batch, err);
    return r < 0 ? err_wrap(err, "IPv6 addresses") : 0;
}

int network_setup(struct network_setup *setup, const struct network_setup_request *request,
                  struct network_lease *ret_lease, struct err *err) {
    _cleanup_close_ int route_fd = take_fd(setup->route_fd);
    _cleanup_close_ int events_fd = take_fd(setup->events_fd);
    _cleanup_close_ int socket_fd = -1;
    struct link_info link;
    uint64_t seed;
    int r;

    ret_lease->socket_fd = ret_lease->route_fd = -1;
    ret_lease->taken_be = 0;
    r = set_up_links(route_fd, events_fd, &link, err);
    if (r < 0)
        return r;
    socket_fd = dhcp_socket_open_client(NETWORK_LINK, err);
    if (socket_fd < 0)
        return socket_fd;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return err_errno(err, "random bytes");
    dhcp_client_init(&ret_lease->client, link.mac, request->hostname, seed, clock_monotonic());
    r = get_own_lease(request, &link, route_fd, socket_fd, ret_lease, err);
    if (r < 0)
        return r;
    /* Nobody renews what the host will not take away. */
    if (!request->renew)
        ret_lease->client.lease.lease_sec = DHCP_FOREVER;
    r = network_set_lease(route_fd, link.index, &ret_lease->client.lease, err);
    if (r == 0 && request->ipv6)
        r = set_ipv6(route_fd, link.index, request->ipv6, err);
    if (r < 0 || !request->renew)
        return r;
    ret_lease->socket_fd = take_fd(socket_fd);
    ret_lease->route_fd = take_fd(route_fd);
    return 0;
}
