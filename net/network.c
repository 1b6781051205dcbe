/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a container's connection, until it stands.
 *
 * A bridge of mayfly's own stands in a network namespace of its own, not in
 * the host's.  So it leads nowhere because there is nothing for it to lead to:
 * no address or service of the host, no forwarding, no firewall rule of
 * anyone's that would have to be right.  It is also gone by itself: the
 * namespace has no name and is held by the supervisors of its containers, each
 * through a descriptor, so that it ends with the last one, killed or not, and
 * nobody waits for it (deleting a bridge takes 37 ms, leaving a namespace
 * nothing).
 *
 * A newcomer finds the namespace through a living supervisor: the network's
 * state file has its process and descriptor, and /proc gives the namespace.
 * Whether it is the right one its inode tells.
 *
 * Without privileges the same is done in a user namespace of the user's, which
 * owns the bridge's namespace and in which the containers' user namespaces are
 * made: only who is root over both ends may tie them together.
 *
 * Every supervisor is the DHCP server of its own container, with a pool of
 * the one address that stands in the state file.  The address that a container
 * uses, and its hardware address, are held to by the bridge's rules (guard.c).
 */
#include "network.h"

#include "link.h"
#include "network_config.h"
#include "network_connection.h"
#include "network_enter.h"
#include "resolv.h"
#include "subnet6.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_PORT 16
#define LEASE_SEC 3600
/* How long a router advertisement holds, at most as long as RFC 4861 allows. */
#define ROUTER_SEC 9000

void network_unlock(struct network *network) {
    if (network->lock_fd >= 0)
        close(take_fd(network->lock_fd));
}

void network_free(struct network *network) {
    if (!network)
        return;
    dns_server_done(&network->dns);
    network_sockets_close(&network->sockets);
    netlink_batch_done(&network->rules);
    network_unlock(network);
    cleanup_close_p(&network->state_fd);
    cleanup_close_p(&network->ns_fd);
    cleanup_close_p(&network->guard_fd);
    cleanup_close_p(&network->nat_fd);
    network_lease_close(&network->lease);
    dhcp_server_done(&network->server);
    free(network);
}

static void network_free_p(struct network **network) {
    network_free(*network);
}

static struct network *network_new(const struct network_request *request) {
    struct network *network = calloc(1, sizeof *network);

    if (network) {
        network->log = request->log;
        network->isolate = request->isolate;
        network->lock_fd = network->state_fd = network->ns_fd = -1;
        network->guard_fd = network->nat_fd = -1;
        network->sockets = NETWORK_SOCKETS_INIT;
        network->ra_nsec = CLOCK_NEVER;
        network->lease.socket_fd = network->lease.route_fd = -1;
        dns_server_init(&network->dns);
    }
    return network;
}

/** find_namespace() - the bridge's namespace, from any supervisor that lives; -1 without one. */
static int find_namespace(const struct network_state *state) {
    for (size_t i = 0; i < state->n_members; i++) {
        const struct network_member *member = &state->members[i];
        char path[64];
        struct stat st;
        _cleanup_close_ int fd = -1;

        if (member->pid <= 0)
            continue;
        snprintf(path, sizeof path, "/proc/%d/fd/%d", member->pid, member->ns_fd);
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_ino == member->ns_inode)
            return take_fd(fd);
    }
    return -1;
}

/** choose_member() - addresses for a new container, or those it had under its name. */
static int choose_member(const struct network_request *request, struct network_state *state,
                         struct network_member *ret_member, struct err *err) {
    struct network_member *known = request->name ? network_state_find(state, request->name) : NULL;
    uint32_t start;
    int r = 0;

    if (known && known->pid > 0)
        return err_set(err, -EEXIST, "network %s: there is a container %s already",
                       request->network, request->name);
    if (known) {
        *ret_member = *known;
        network_state_remove(state, known->address);
    } else {
        *ret_member = (struct network_member){0};
        r = link_new_mac(ret_member->mac, err);
        /* Each port's number is used once, so this goes round before an address comes back. */
        start = subnet_first(&state->subnet) + 1 + (state->next_port - FIRST_PORT);
        ret_member->address = network_state_free_address(state, start);
    }
    if (r == 0 && ret_member->address == 0)
        return err_set(err, -EADDRNOTAVAIL, "network %s: every address of its subnet is in use",
                       request->network);
    snprintf(ret_member->name, sizeof ret_member->name, "%s", request->name ? request->name : "-");
    snprintf(ret_member->container, sizeof ret_member->container, "%s",
             request->container ? request->container : "-");
    snprintf(ret_member->hostname, sizeof ret_member->hostname, "%s",
             request->hostname ? request->hostname : "-");
    return r;
}

/* Making the connection. */

/** offer_names() - who answers the container's questions about names, and where it looks first. */
static void offer_names(struct network *network, const struct network_state *state) {
    struct dhcp_parameters *parameters = &network->server.parameters;
    uint32_t address = ntohl(network->port.address_be);
    struct resolv resolv;

    parameters->dns_be[parameters->n_dns++] = htonl(subnet_name_server(&state->subnet, address));
    if (state->way != NETWORK_OUT)
        return;
    resolv_of_host(&resolv, true);
    snprintf(parameters->search, sizeof parameters->search, "%s", resolv.search);
}

static int start_servers(struct network *network, const struct network_request *request,
                         const struct network_state *state, struct err *err) {
    const char *hostname = request->hostname ? request->hostname : request->container;
    uint32_t address = ntohl(network->port.address_be);
    struct dhcp_parameters *parameters = &network->server.parameters;

    *parameters = (struct dhcp_parameters){
        .prefix = state->subnet.prefix,
        .mtu = state->mtu,
        .server_be = htonl(network_state_bridge(state)),
        .lease_sec = LEASE_SEC,
        .t1_sec = LEASE_SEC / 2,
        .t2_sec = LEASE_SEC / 8 * 7,
    };
    if (hostname && dhcp_name_is_valid(hostname))
        snprintf(parameters->hostname, sizeof parameters->hostname, "%s", hostname);
    offer_names(network, state);
    if (state->way == NETWORK_OUT && state->uplink[0])
        parameters->routers_be[parameters->n_routers++] = htonl(network_state_gateway(state));
    network->server.rapid_commit = true;
    network->server.by_mac = true;
    memcpy(network->server.only_mac, network->port.mac, 6);
    network->ra = (struct ra){.prefix = state->prefix6,
                              .mtu = state->mtu,
                              .lifetime_sec = parameters->n_routers > 0 ? ROUTER_SEC : 0};
    network->ra_nsec = network->ra.lifetime_sec > 0
                           ? clock_add(clock_monotonic(), NETWORK_ROUTER_NSEC)
                           : CLOCK_NEVER;
    network->dns.fd = network->sockets.dns_fd;
    network->dns.tcp.fd = network->sockets.dns_tcp_fd;
    network->dns.forwards = state->way == NETWORK_OUT;
    network->dns.lookup = network_lookup;
    network->dns.context = network;
    if (dhcp_lease_table_init(&network->server.leases, address, address) < 0)
        return err_nomem(err);
    return 0;
}

/** struct preparation - what prepare() needs in the bridge's namespace */
struct preparation {
    struct network_bridge bridge;
    struct network_sockets *sockets;
    struct netlink_batch *rules;
};

static int prepare(void *argument, struct err *err) {
    const struct preparation *preparation = argument;

    return network_bridge_prepare(&preparation->bridge, preparation->sockets, preparation->rules,
                                  err);
}

static int make_namespace(struct network *network, const struct network_request *request,
                          struct err *err) {
    if (request->make_namespace)
        return request->make_namespace(request->context, &network->ns_fd, err);
    network->ns_fd = network_enter_new(err);
    return network->ns_fd < 0 ? network->ns_fd : 0;
}

/**
 * publish() - put a port on record
 *
 * On which addresses of the host: root's containers have those of IPv6 where their network has it,
 * and others what pasta(1) gives them.
 */
static int publish(struct network_state *state, uint32_t address, const struct nat_port *port,
                   struct err *err) {
    struct nat_port own = *port;

    if (state->uplink[0] && !network_state_has_ipv6(state) && !nat_port_has_ipv4(port))
        return err_set(err, -EOPNOTSUPP,
                       "port %u: the network has no IPv6: make one with mayfly network create "
                       "--ipv6 --internal=false",
                       port->host_port);
    if (state->uplink[0] && !network_state_has_ipv6(state))
        own.family = AF_INET;
    return network_state_publish(state, address, &own) < 0 ? err_nomem(err) : 0;
}

/**
 * may_begin_ipv6() - the network by which root's containers go out without being told which
 *
 * It has IPv6 as soon as somebody wants a port on an IPv6 address of the host; those that are on
 * it already have none.
 */
static int may_begin_ipv6(const struct network_request *request, struct network_state *state,
                          struct err *err) {
    bool is_wanted = false;
    int r;

    if (state->created_sec != 0 || !state->uplink[0] || network_state_has_ipv6(state))
        return 0;
    for (size_t i = 0; i < request->n_ports; i++)
        is_wanted |= !nat_port_has_ipv4(&request->ports[i]);
    if (!is_wanted)
        return 0;
    state->first6 = state->next_port;
    r = subnet6_choose(&state->prefix6, err);
    return r < 0 ? r : 1;
}

/** join() - take a place in the state and make what belongs to it; the lock is held. */
static int join(struct network *network, const struct network_request *request,
                struct network_state *state, struct network_member *member, struct err *err) {
    _cleanup_close_ int host_fd = -1;
    struct preparation preparation = {
        .bridge = {.name = request->network, .state = state, .is_new = network->is_first},
        .sockets = &network->sockets,
        .rules = &network->rules,
    };
    struct stat st;
    int r;

    r = may_begin_ipv6(request, state, err);
    if (r < 0)
        return r;
    network->begins_ipv6 = preparation.bridge.begins_ipv6 = r > 0;
    member->pid = getpid();
    member->ns_fd = network->ns_fd;
    member->ns_inode = fstat(network->ns_fd, &st) == 0 ? st.st_ino : 0;
    member->port = state->next_port++;
    network->port = preparation.bridge.port = network_bridge_port(state, member);
    r = network_state_add(state, member) < 0 ? err_nomem(err) : 0;
    for (size_t i = 0; r == 0 && i < request->n_ports; i++)
        r = publish(state, member->address, &request->ports[i], err);
    if (r == 0)
        r = network_state_save(request->state_fd, request->network, state, err);
    if (r == 0 && network->is_first && state->uplink[0]) {
        host_fd = preparation.bridge.host_ns_fd =
            open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
        r = host_fd < 0 ? err_errno(err, "this process's network namespace") : 0;
    }
    if (r < 0)
        return r;
    return network_enter(network->ns_fd, request->make_namespace != NULL, prepare, &preparation,
                         err);
}

/** start_afresh() - the namespace is gone, and what belonged to it. */
static int start_afresh(const struct network_request *request, struct network_state *state,
                        struct err *err) {
    uint8_t random[6];
    int r = 0;

    network_close_way_out(request->state_fd, request->network, state);
    state->next_port = FIRST_PORT;
    if (state->created_sec == 0) {
        state->way = request->way;
        state->prefix6 = in6addr_any;
    }
    state->first6 = 0;
    if (state->way == NETWORK_TO_HOST && request->make_namespace)
        return err_set(err, -EPERM,
                       "network %s: only root can let the host reach it: run as root, or make it "
                       "without --host-access",
                       request->network);
    /* Without privileges nothing can be tied to the host's namespace. */
    if (state->way != NETWORK_CLOSED && !request->make_namespace) {
        r = link_new_mac(random, err);
        /* The last one of that name may be still on its way out. */
        snprintf(state->uplink, sizeof state->uplink, "mayfly%02x%02x%02x%02x", random[2],
                 random[3], random[4], random[5]);
    }
    if (r == 0 && state->subnet.prefix == 0)
        r = network_config_choose(request->state_fd, request->subnet, &state->subnet, err);
    return r;
}

static int load(const struct network_request *request, struct network_state *state,
                struct err *err) {
    int r = network_state_load(request->state_fd, request->network, state, err);

    if (r == 0 && request->must_exist && state->created_sec == 0)
        return err_set(err, -ENOENT,
                       "there is no network %s: give none, host, bridge, bridge:NAME, nat, or the "
                       "name of one that was made with mayfly network create",
                       request->network);
    if (r == 0 && request->n_ports > 0 && state->created_sec != 0 && state->way != NETWORK_OUT)
        return err_set(err, -EINVAL,
                       "network %s leads nowhere, so that no port of it can be published: make it "
                       "with mayfly network create --internal=false, or use --net nat",
                       request->network);
    if (r == 0)
        network_state_drop_dead(state);
    return r;
}

static int open_own(struct network *network, const struct network_request *request,
                    struct err *err) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    _cleanup_close_ int lock_fd = network_state_lock(request->state_fd, err);
    struct network_member member = {0};
    int r;

    if (lock_fd < 0)
        return lock_fd;
    r = load(request, &state, err);
    if (r < 0)
        return r;
    network->ns_fd = find_namespace(&state);
    network->is_first = network->ns_fd < 0;
    if (network->is_first)
        r = start_afresh(request, &state, err);
    if (r == 0 && network->is_first)
        r = make_namespace(network, request, err);
    if (r == 0)
        r = choose_member(request, &state, &member, err);
    if (r == 0)
        r = join(network, request, &state, &member, err);
    if (r == 0 && state.uplink[0])
        r = network_open_way_out(network, request, &state, err);
    if (r == 0)
        r = start_servers(network, request, &state, err);
    network->mtu = state.mtu;
    network->needs_outside = state.way == NETWORK_OUT && !state.uplink[0];
    if (r != 0 && member.pid == getpid()) {
        network_state_rest(&state, member.address);
        network_state_save(request->state_fd, request->network, &state, NULL);
    }
    if (r == 0 && network->sockets.rules_fd >= 0)
        network->lock_fd = take_fd(lock_fd);
    return r;
}

int network_open(const struct network_request *request, struct network **ret_network,
                 struct err *err) {
    _cleanup_(network_free_p) struct network *network = network_new(request);
    int r;

    if (!network)
        return err_nomem(err);
    snprintf(network->name, sizeof network->name, "%s",
             request->bridge ? request->bridge : request->network);
    if (request->bridge) {
        r = network_open_existing(network, request, err);
    } else {
        network->state_fd = fcntl(request->state_fd, F_DUPFD_CLOEXEC, 0);
        r = network->state_fd < 0 ? err_errno(err, "network state") : 0;
        if (r == 0)
            r = open_own(network, request, err);
    }
    if (r != 0)
        return r;
    *ret_network = network;
    network = NULL;
    return 0;
}

bool network_get_ipv6(const struct network *network, struct network_ipv6 *ret) {
    if (!network->port.has_ipv6)
        return false;
    *ret = (struct network_ipv6){.address = network->port.address6,
                                 .link_address =
                                     subnet6_address(&subnet6_link_local, network->port.mac)};
    if (network->ra.lifetime_sec > 0)
        ret->gateway = subnet6_router(&subnet6_link_local);
    return true;
}

bool network_needs_outside(const struct network *network) {
    return network->needs_outside;
}

int network_owner(const struct network *network, struct err *err) {
    return network_enter_owner(network->ns_fd, err);
}

int network_attach(struct network *network, pid_t container, struct err *err) {
    int r = network->bridge
                ? network_attach_to_existing(network, container, err)
                : network_bridge_connect(network->sockets.route_fd, &network->port, container,
                                         network->isolate, network->mtu, err);

    close(take_fd(network->sockets.route_fd));
    return r < 0 ? err_wrap(err, "network %s", network->name) : 0;
}

int network_guard(struct network *network, struct err *err) {
    int r = 0;

    if (network->sockets.rules_fd >= 0)
        r = network_bridge_guard(&network->sockets, &network->rules, &network->port, err);
    network_unlock(network);
    return r < 0 ? err_wrap(err, "network %s", network->name) : 0;
}
