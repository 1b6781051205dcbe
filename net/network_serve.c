/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container's supervisor does for its connection while the container
 * lives: it is the container's DHCP server and name server, or on an existing
 * bridge the one who renews its lease; and at the end it takes the container
 * out of the network's state.
 */
#include "network.h"

#include "addr.h"
#include "dhcp_socket.h"
#include "network_connection.h"
#include "network_setup.h"
#include "network_state.h"
#include "subnet6.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Messages of one socket that are answered before others have their turn. */
#define MAX_MESSAGES 16

void network_adopt(struct network *network, struct network_lease *lease) {
    char text[INET_ADDRSTRLEN];

    network_lease_close(&network->lease);
    network->lease = *lease;
    network->has_lease = true;
    network->told = lease->client.lease;
    network_hold_to(network, lease->client.lease.address_be);
    if (lease->taken_be)
        log_warning(network->log,
                    "network: the DHCP server's %s is another machine's already: it was told so",
                    inet_ntop(AF_INET, &lease->taken_be, text, sizeof text));
    lease->socket_fd = lease->route_fd = -1;
}

uint32_t network_address(const struct network *network) {
    return network->has_lease ? network->lease.client.lease.address_be : network->port.address_be;
}

/* While the container lives. */

size_t network_poll(const struct network *network, struct pollfd ret_fds[NETWORK_MAX_POLL]) {
    const int fds[] = {network->sockets.server_fd, network->sockets.renewal_fd,
                       network->lease.socket_fd,   network->dns.fd,
                       network->dns.epoll_fd,      dns_tcp_poll_fd(&network->dns.tcp),
                       network->sockets.ra_fd};
    size_t n = 0;

    for (size_t i = 0; i < N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            ret_fds[n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    return n;
}

uint64_t network_deadline(const struct network *network) {
    uint64_t lease_nsec =
        network->lease.socket_fd >= 0 ? network->lease.client.deadline_nsec : CLOCK_NEVER;
    uint64_t dns_nsec = dns_server_deadline(&network->dns);

    lease_nsec = dns_nsec < lease_nsec ? dns_nsec : lease_nsec;
    return network->ra_nsec < lease_nsec ? network->ra_nsec : lease_nsec;
}

static void log_event(const struct network *network, enum dhcp_server_event event) {
    static const char *const texts[] = {
        [DHCP_SERVER_OFFERED] = "offered",
        [DHCP_SERVER_BOUND] = "given",
        [DHCP_SERVER_REFUSED] = "refused another address than",
        [DHCP_SERVER_RELEASED] = "given back",
        [DHCP_SERVER_DECLINED] = "declined by the container",
        [DHCP_SERVER_INFORMED] = "asked about",
        [DHCP_SERVER_DRY] = "in use",
    };
    char address[INET_ADDRSTRLEN];

    if (event != DHCP_SERVER_NOTHING && network->log && network->log->debug)
        log_debug(network->log, "network %s: DHCP: %s %s", network->name, texts[event],
                  inet_ntop(AF_INET, &network->port.address_be, address, sizeof address));
}

/** serve() - answer what has come to one of the server's sockets. */
static void serve(struct network *network, int fd, uint64_t now_nsec) {
    struct dhcp_message request;
    struct dhcp_answer answer;
    int r = 0;

    for (int i = 0; fd >= 0 && i < MAX_MESSAGES && r >= 0; i++) {
        r = dhcp_socket_receive(fd, &request);
        if (r <= 0)
            continue;
        if (dhcp_server_answer(&network->server, &request, now_nsec, &answer) < 0)
            continue;
        log_event(network, answer.event);
        /* By the first socket, since the other is connected; it knows the neighbour by heart. */
        if (answer.has_message)
            dhcp_socket_send(network->sockets.server_fd, &answer.message,
                             answer.reach == DHCP_REACH_BROADCAST ? 0 : answer.address_be,
                             answer.port, answer.max_bytes);
    }
}

/** advertise() - tell the container of the router, when it asks and when it is time. */
static void advertise(struct network *network, uint64_t now_nsec) {
    struct in6_addr client = subnet6_address(&subnet6_link_local, network->port.mac);
    int r = 0;

    for (int i = 0; i < MAX_MESSAGES && r >= 0; i++) {
        r = ra_socket_receive(network->sockets.ra_fd, &client);
        if (r > 0)
            ra_socket_send(network->sockets.ra_fd, &network->ra, &client);
    }
    if (now_nsec < network->ra_nsec)
        return;
    ra_socket_send(network->sockets.ra_fd, &network->ra, &client);
    network->ra_nsec = clock_add(now_nsec, NETWORK_ROUTER_NSEC);
}

/** delete_address() - no error when it is gone already. */
static void delete_address(struct network *network, const struct dhcp_parameters *old) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;

    addr_delete(&batch, NETWORK_CONTAINER_INDEX, old->address_be, old->prefix);
    netlink_send(network->lease.route_fd, &batch, NULL);
}

static void clear_lease(struct network *network, const struct dhcp_parameters *old) {
    delete_address(network, old);
    network_hold_to(network, 0);
}

/** set_lease() - one that is new, or lasts longer; a server may name another address for that. */
static void set_lease(struct network *network, const struct dhcp_parameters *old) {
    const struct dhcp_parameters *lease = &network->lease.client.lease;
    struct err err;

    if (lease->address_be != old->address_be)
        delete_address(network, old);
    network_hold_to(network, lease->address_be);
    if (network_set_lease(network->lease.route_fd, NETWORK_CONTAINER_INDEX, lease, &err) < 0)
        log_warning(network->log, "network: %s", err.message);
}

/** act() - send what the client wants sent, and set up what it got. */
static void act(struct network *network, const struct dhcp_client_output *output,
                const struct dhcp_parameters *old) {
    struct dhcp_client *client = &network->lease.client;
    char address[INET_ADDRSTRLEN];

    if (output->has_message)
        dhcp_socket_send(network->lease.socket_fd, &output->message, output->server_be,
                         DHCP_SERVER_PORT, DHCP_MAX_BYTES);
    switch (output->event) {
    case DHCP_CLIENT_REFUSED:
        log_warning(network->log, "network: the DHCP server takes %s back: %s",
                    inet_ntop(AF_INET, &old->address_be, address, sizeof address), client->refusal);
        clear_lease(network, old);
        break;
    case DHCP_CLIENT_EXPIRED:
        log_warning(network->log, "network: the lease of %s has ended: no DHCP server answers",
                    inet_ntop(AF_INET, &old->address_be, address, sizeof address));
        clear_lease(network, old);
        break;
    case DHCP_CLIENT_LEASED:
    case DHCP_CLIENT_EXTENDED:
        if (output->event == DHCP_CLIENT_LEASED)
            log_info(network->log, "network: the container's address is now %s",
                     inet_ntop(AF_INET, &client->lease.address_be, address, sizeof address));
        set_lease(network, old);
        break;
    case DHCP_CLIENT_DUPLICATE:
    case DHCP_CLIENT_NOTHING:
        break;
    }
}

static void keep_lease(struct network *network, uint64_t now_nsec) {
    struct dhcp_client *client = &network->lease.client;
    struct dhcp_parameters old = client->lease;
    struct dhcp_client_output output;
    struct dhcp_message message;
    int r = 0;

    for (int i = 0; i < MAX_MESSAGES && r >= 0; i++) {
        r = dhcp_socket_receive(network->lease.socket_fd, &message);
        if (r <= 0)
            continue;
        dhcp_client_receive(client, &message, now_nsec, &output);
        act(network, &output, &old);
    }
    dhcp_client_dispatch(client, now_nsec, &output);
    act(network, &output, &old);
}

bool network_changed(struct network *network, struct dhcp_parameters *ret_before,
                     struct dhcp_parameters *ret_now) {
    const struct dhcp_client *client = &network->lease.client;
    const struct dhcp_parameters *now = &client->lease, *told = &network->told;

    if (network->lease.socket_fd < 0 || client->state < DHCP_CLIENT_BOUND ||
        (now->address_be == told->address_be && now->n_dns == told->n_dns &&
         memcmp(now->dns_be, told->dns_be, now->n_dns * sizeof now->dns_be[0]) == 0 &&
         str_eq(now->domain, told->domain) && str_eq(now->search, told->search)))
        return false;
    *ret_before = network->told;
    *ret_now = network->told = *now;
    return true;
}

/* Names. */

static void add_address(struct dns_record *ret, uint32_t address) {
    uint32_t address_be = htonl(address);

    *ret = (struct dns_record){.size = 4};
    memcpy(ret->address, &address_be, 4);
}

static void add_address6(struct dns_record *ret, const struct in6_addr *address) {
    *ret = (struct dns_record){.size = 16};
    memcpy(ret->address, address, 16);
}

/** struct wanted - an address whose owner is asked for, one or the other */
struct wanted {
    uint32_t address;
    struct in6_addr address6;
};

static bool has_address(const struct network_state *state, const struct network_member *member,
                        const struct wanted *wanted) {
    struct in6_addr own = subnet6_address(&state->prefix6, member->mac);

    if (wanted->address)
        return member->address == wanted->address;
    return network_state_is_on_ipv6(state, member) && IN6_ARE_ADDR_EQUAL(&own, &wanted->address6);
}

/** look_back() - the name of the container with an address. */
static int look_back(const struct network_state *state, const struct wanted *wanted, char *ret_name,
                     struct dns_record *ret) {
    for (size_t i = 0; i < state->n_members; i++) {
        const struct network_member *member = &state->members[i];

        if (member->pid > 0 && !str_eq(member->container, "-") &&
            has_address(state, member, wanted)) {
            snprintf(ret_name, NETWORK_NAME_BYTES, "%s", member->container);
            *ret = (struct dns_record){.name = ret_name};
            return 1;
        }
    }
    return -ENOENT;
}

int network_lookup(void *context, const struct dns_question *question, struct dns_record *ret,
                   size_t max) {
    struct network *network = context;
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    struct wanted wanted = {0};
    bool is_known = false;
    int n = 0;

    if (network_state_load(network->state_fd, network->name, &state, NULL) < 0)
        return -ENOENT;
    if (question->type == DNS_TYPE_PTR && (dns_reverse_address(question->name, &wanted.address) ||
                                           dns_reverse_address6(question->name, &wanted.address6)))
        return look_back(&state, &wanted, network->found_name, ret);
    for (size_t i = 0; i < state.n_members && (size_t)n < max; i++) {
        if (!network_state_answers_to(&state.members[i], question->name))
            continue;
        is_known = true;
        if (question->type == DNS_TYPE_A)
            add_address(&ret[n++], state.members[i].address);
        if (question->type == DNS_TYPE_AAAA &&
            network_state_is_on_ipv6(&state, &state.members[i])) {
            struct in6_addr address = subnet6_address(&state.prefix6, state.members[i].mac);

            add_address6(&ret[n++], &address);
        }
    }
    return is_known ? n : -ENOENT;
}

/** struct polled - what poll(2) said, as network_dispatch() got it */
struct polled {
    const struct pollfd *fds;
    size_t n;
};

static bool is_ready(const struct polled *polled, int fd) {
    if (!polled->fds)
        return fd >= 0;
    for (size_t i = 0; i < polled->n; i++)
        if (polled->fds[i].fd == fd && polled->fds[i].revents)
            return true;
    return false;
}

/** is_dns_ready() - whether the name server has something to do. */
static bool is_dns_ready(const struct dns_server *dns, const struct polled *polled,
                         uint64_t now_nsec) {
    return is_ready(polled, dns->fd) || is_ready(polled, dns->epoll_fd) ||
           is_ready(polled, dns_tcp_poll_fd(&dns->tcp)) || now_nsec >= dns_server_deadline(dns);
}

void network_dispatch(struct network *network, const struct pollfd *polled, size_t n,
                      uint64_t now_nsec) {
    const struct polled ready = {polled, n};

    if (is_ready(&ready, network->sockets.server_fd))
        serve(network, network->sockets.server_fd, now_nsec);
    if (is_ready(&ready, network->sockets.renewal_fd))
        serve(network, network->sockets.renewal_fd, now_nsec);
    if (is_dns_ready(&network->dns, &ready, now_nsec))
        dns_server_dispatch(&network->dns, now_nsec);
    if (network->sockets.ra_fd >= 0 &&
        (is_ready(&ready, network->sockets.ra_fd) || now_nsec >= network->ra_nsec))
        advertise(network, now_nsec);
    if (network->lease.socket_fd >= 0 && (is_ready(&ready, network->lease.socket_fd) ||
                                          now_nsec >= network->lease.client.deadline_nsec))
        keep_lease(network, now_nsec);
}

/* The end. */

static void give_back(struct network *network) {
    struct dhcp_client_output output;

    if (network->lease.socket_fd < 0)
        return;
    dhcp_client_release(&network->lease.client, &output);
    if (output.has_message)
        dhcp_socket_send(network->lease.socket_fd, &output.message, output.server_be,
                         DHCP_SERVER_PORT, DHCP_MAX_BYTES);
}

/** leave() - take this container out of the state. */
static void leave(struct network *network) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    _cleanup_close_ int lock_fd = network_state_lock(network->state_fd, NULL);
    uint32_t address = ntohl(network->port.address_be);

    if (lock_fd < 0 || network_state_load(network->state_fd, network->name, &state, NULL) < 0)
        return;
    network_state_drop_dead(&state);
    network_state_rest(&state, address);
    if (!network_state_has_supervisor(&state))
        network_close_way_out(network->state_fd, network->name, &state);
    network_state_save(network->state_fd, network->name, &state, NULL);
}

void network_destroy(struct network *network) {
    if (!network)
        return;
    give_back(network);
    network_unlock(network);
    if (network->ns_fd >= 0)
        leave(network);
    network_free(network);
}
