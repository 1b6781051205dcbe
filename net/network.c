/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of a container's connection.
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
 * Every supervisor is the DHCP server of its own container, with a pool of
 * the one address that stands in the state file.  The address that a container
 * uses, and its hardware address, are held to by the bridge's rules (guard.c).
 */
#include "network.h"

#include "addr.h"
#include "dhcp_server.h"
#include "dhcp_socket.h"
#include "link.h"
#include "nat.h"
#include "network_bridge.h"
#include "network_setup.h"
#include "network_state.h"
#include "resolv.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define FIRST_PORT 16
#define LEASE_SEC 3600
/* Messages of one socket that are answered before others have their turn. */
#define MAX_MESSAGES 16

/**
 * struct network - one container's connection
 * @ns_fd: the bridge's namespace, -1 on an existing bridge; its number stands in the state file
 * @server_fd, @renewal_fd: our server's, -1 on an existing bridge
 * @nat_fd: holds the rules of the way out
 * @is_first: the bridge was made for this container
 */
struct network {
    const struct log *log;
    int state_fd;
    char name[NETWORK_NAME_BYTES];
    bool is_remembered;
    bool is_first;
    int ns_fd;
    int server_fd;
    int renewal_fd;
    int nat_fd;
    struct guard_port port;
    struct dhcp_server server;
    bool has_lease;
    struct network_lease lease;
};

static void network_free(struct network *network) {
    if (!network)
        return;
    cleanup_close_p(&network->ns_fd);
    cleanup_close_p(&network->server_fd);
    cleanup_close_p(&network->renewal_fd);
    cleanup_close_p(&network->nat_fd);
    network_lease_close(&network->lease);
    dhcp_server_done(&network->server);
    free(network);
}

static void network_free_p(struct network **network) {
    network_free(*network);
}

static struct network *network_new(const struct log *log) {
    struct network *network = calloc(1, sizeof *network);

    if (network) {
        network->log = log;
        network->state_fd = network->ns_fd = network->server_fd = network->renewal_fd = -1;
        network->nat_fd = -1;
        network->lease.socket_fd = network->lease.route_fd = -1;
    }
    return network;
}

/* Namespaces. */

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

/** enter_namespace() - go into a namespace, a new one when it is -1.  Return: the way back. */
static int enter_namespace(int *ns_fd, struct err *err) {
    _cleanup_close_ int host_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

    if (host_fd < 0)
        return err_errno(err, "this process's network namespace");
    if (*ns_fd >= 0) {
        if (setns(*ns_fd, CLONE_NEWNET) < 0)
            return err_errno(err, "the bridge's network namespace");
        return take_fd(host_fd);
    }
    if (unshare(CLONE_NEWNET) < 0)
        return err_errno(err, "a network namespace for the bridge");
    *ns_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (*ns_fd < 0) {
        int r = err_errno(err, "the bridge's network namespace");

        setns(host_fd, CLONE_NEWNET);
        return r;
    }
    return take_fd(host_fd);
}

/* The state. */

/** drop_dead() - forget members whose supervisor is gone; those with a name stay known. */
static void drop_dead(struct network_state *state) {
    size_t n = 0;

    for (size_t i = 0; i < state->n_members; i++) {
        struct network_member *member = &state->members[i];

        if (member->pid > 0 && kill(member->pid, 0) < 0 && errno == ESRCH) {
            if (str_eq(member->name, "-"))
                continue;
            member->pid = 0;
        }
        state->members[n++] = *member;
    }
    state->n_members = n;
}

/** has_supervisor() - whether any container of the network is running. */
static bool has_supervisor(const struct network_state *state) {
    for (size_t i = 0; i < state->n_members; i++)
        if (state->members[i].pid > 0)
            return true;
    return false;
}

static int choose_subnet(const struct network_request *request, struct network_state *state,
                         struct err *err) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ struct subnet *routes = NULL;
    size_t n;
    int r;

    if (request->subnet)
        return subnet_parse(request->subnet, &state->subnet, err);
    fd = netlink_open(NETLINK_ROUTE, err);
    if (fd < 0)
        return fd;
    r = addr_get_routes(fd, &routes, &n, err);
    return r < 0 ? r : subnet_choose(routes, n, &state->subnet, err);
}

/** choose_member() - addresses for a new container, or those it had under its name. */
static int choose_member(const struct network_request *request, struct network_state *state,
                         struct network_member *ret_member, struct err *err) {
    struct network_member *known = request->name ? network_state_find(state, request->name) : NULL;
    uint32_t start;
    int r;

    if (known && known->pid > 0)
        return err_set(err, -EEXIST, "network %s: there is a container %s already",
                       request->network, request->name);
    if (known) {
        *ret_member = *known;
        network_state_remove(state, known->address);
        return 0;
    }
    *ret_member = (struct network_member){0};
    snprintf(ret_member->name, sizeof ret_member->name, "%s", request->name ? request->name : "-");
    r = link_new_mac(ret_member->mac, err);
    if (r < 0)
        return r;
    /* Each port's number is used once, so this goes round before an address comes back. */
    start = subnet_first(&state->subnet) + 1 + (state->next_port - FIRST_PORT);
    ret_member->address = network_state_free_address(state, start);
    if (ret_member->address == 0)
        return err_set(err, -EADDRNOTAVAIL, "network %s: every address of its subnet is in use",
                       request->network);
    return 0;
}

/* Making the connection. */

/** offer_way_out() - the host as the router, and the name servers that the host asks. */
static void offer_way_out(struct dhcp_parameters *parameters, const struct network_state *state) {
    struct resolv resolv;

    parameters->routers_be[parameters->n_routers++] = htonl(subnet_last(&state->subnet));
    resolv_of_host(&resolv);
    for (size_t i = 0; i < resolv.n_servers && parameters->n_dns < DHCP_MAX_SERVERS; i++)
        if (IN6_IS_ADDR_V4MAPPED(&resolv.servers[i]))
            memcpy(&parameters->dns_be[parameters->n_dns++], resolv.servers[i].s6_addr + 12, 4);
    snprintf(parameters->search, sizeof parameters->search, "%s", resolv.search);
}

static int start_server(struct network *network, const struct network_state *state,
                        struct err *err) {
    uint32_t address = ntohl(network->port.address_be);

    network->server.parameters = (struct dhcp_parameters){
        .prefix = state->subnet.prefix,
        .server_be = htonl(subnet_first(&state->subnet)),
        .lease_sec = LEASE_SEC,
        .t1_sec = LEASE_SEC / 2,
        .t2_sec = LEASE_SEC / 8 * 7,
    };
    if (state->uplink[0])
        offer_way_out(&network->server.parameters, state);
    network->server.rapid_commit = true;
    network->server.by_mac = true;
    memcpy(network->server.only_mac, network->port.mac, 6);
    if (dhcp_lease_table_init(&network->server.leases, address, address) < 0)
        return err_nomem(err);
    return 0;
}

/** build() - make the container's port; @host_fd is the host's namespace, in which we are not. */
static int build(struct network *network, const struct network_request *request,
                 const struct network_state *state, int host_fd, struct err *err) {
    const struct network_bridge bridge = {
        .name = request->network,
        .state = state,
        .port = network->port,
        .container = request->container,
        .isolate = request->isolate,
        .is_new = network->is_first,
        .host_ns_fd = host_fd,
    };

    return network_bridge_build(&bridge, &network->server_fd, &network->renewal_fd, err);
}

/** join() - take a place in the state and build what belongs to it; the lock is held. */
static int join(struct network *network, const struct network_request *request,
                struct network_state *state, struct network_member *member, struct err *err) {
    _cleanup_close_ int host_fd = -1;
    struct stat st;
    int r;

    host_fd = enter_namespace(&network->ns_fd, err);
    if (host_fd < 0)
        return host_fd;
    member->pid = getpid();
    member->ns_fd = network->ns_fd;
    member->ns_inode = fstat(network->ns_fd, &st) == 0 ? st.st_ino : 0;
    member->port = state->next_port++;
    network->port = network_bridge_port(member);
    r = network_state_add(state, member) < 0 ? err_nomem(err) : 0;
    if (r == 0)
        r = network_state_save(request->state_fd, request->network, state, err);
    if (r == 0)
        r = build(network, request, state, host_fd, err);
    if (setns(host_fd, CLONE_NEWNET) < 0)
        r = err_errno(err, "back to the host's network namespace");
    return r;
}

/** open_way_out() - the host's side of a network that leads out. */
static int open_way_out(struct network *network, const struct network_request *request,
                        struct network_state *state, struct err *err) {
    struct nat nat = {.uplink = state->uplink,
                      .address_be = network->port.address_be,
                      .ports = request->ports,
                      .n_ports = request->n_ports};
    int r = network->is_first ? network_bridge_raise_uplink(state, err) : 0;

    if (r < 0)
        return r;
    r = nat_allow_forwarding(state->uplink, err);
    if (r > 0) {
        state->forwards = true;
        r = network_state_save(request->state_fd, request->network, state, err);
    }
    if (r < 0)
        return r;
    nat.is_router = !state->forwards;
    network->nat_fd = nat_open(&nat, err);
    return network->nat_fd < 0 ? network->nat_fd : 0;
}

/** start_afresh() - the namespace is gone, and what belonged to it. */
static int start_afresh(const struct network_request *request, struct network_state *state,
                        struct err *err) {
    uint8_t random[6];
    int r = 0;

    if (state->forwards)
        nat_forbid_forwarding();
    state->forwards = false;
    state->next_port = FIRST_PORT;
    state->uplink[0] = '\0';
    if (request->is_nat) {
        r = link_new_mac(random, err);
        /* The last one of that name may be still on its way out. */
        snprintf(state->uplink, sizeof state->uplink, "mayfly%02x%02x%02x%02x", random[2],
                 random[3], random[4], random[5]);
    }
    if (r == 0 && state->subnet.prefix == 0)
        r = choose_subnet(request, state, err);
    return r;
}

static int attach_own(struct network *network, const struct network_request *request,
                      struct err *err) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    _cleanup_close_ int lock_fd = network_state_lock(request->state_fd, err);
    struct network_member member = {0};
    int r;

    if (lock_fd < 0)
        return lock_fd;
    r = network_state_load(request->state_fd, request->network, &state, err);
    if (r < 0)
        return r;
    drop_dead(&state);
    network->ns_fd = find_namespace(&state);
    network->is_first = network->ns_fd < 0;
    if (network->is_first)
        r = start_afresh(request, &state, err);
    if (r == 0)
        r = choose_member(request, &state, &member, err);
    if (r == 0)
        r = join(network, request, &state, &member, err);
    if (r == 0 && state.uplink[0])
        r = open_way_out(network, request, &state, err);
    if (r == 0)
        r = start_server(network, &state, err);
    if (r < 0 && member.pid == getpid()) {
        network_state_remove(&state, member.address);
        network_state_save(request->state_fd, request->network, &state, NULL);
    }
    return r;
}

static int attach_existing(const struct network_request *request, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    struct link_veth veth = {.near_end = {.name = "mayfly%d"},
                             .far_end = {.index = NETWORK_CONTAINER_INDEX, .name = NETWORK_LINK},
                             .far_process = request->container};
    _cleanup_close_ int route_fd = netlink_open(NETLINK_ROUTE, err);
    struct link_info bridge;
    int r;

    if (route_fd < 0)
        return route_fd;
    r = link_get(route_fd, request->bridge, &bridge, err);
    if (r == -ENODEV)
        return err_set(err, r, "bridge %s: there is none of that name", request->bridge);
    if (r < 0)
        return err_wrap(err, "bridge %s", request->bridge);
    if (!bridge.is_bridge)
        return err_set(err, -EINVAL, "bridge %s: is a link, but not a bridge", request->bridge);
    r = link_new_mac(veth.near_end.mac, err);
    if (r == 0)
        r = link_new_mac(veth.far_end.mac, err);
    if (r < 0)
        return r;
    veth.bridge = bridge.index;
    veth.mtu = bridge.mtu;
    link_add_veth(&batch, &veth);
    r = netlink_send(route_fd, &batch, err);
    return r < 0 ? err_wrap(err, "bridge %s: link to the container", request->bridge) : 0;
}

int network_attach(const struct network_request *request, struct network **ret_network,
                   struct err *err) {
    _cleanup_(network_free_p) struct network *network = network_new(request->log);
    int r;

    if (!network)
        return err_nomem(err);
    if (request->bridge) {
        r = attach_existing(request, err);
    } else {
        snprintf(network->name, sizeof network->name, "%s", request->network);
        network->state_fd = request->state_fd;
        network->is_remembered = request->name != NULL;
        r = attach_own(network, request, err);
    }
    if (r < 0)
        return r;
    *ret_network = network;
    network = NULL;
    return 0;
}

void network_adopt(struct network *network, struct network_lease *lease) {
    network_lease_close(&network->lease);
    network->lease = *lease;
    network->has_lease = true;
    lease->socket_fd = lease->route_fd = -1;
}

uint32_t network_address(const struct network *network) {
    return network->has_lease ? network->lease.client.lease.address_be : network->port.address_be;
}

/* While the container lives. */

size_t network_poll(const struct network *network, struct pollfd ret_fds[NETWORK_MAX_POLL]) {
    const int fds[] = {network->server_fd, network->renewal_fd, network->lease.socket_fd};
    size_t n = 0;

    for (size_t i = 0; i < N_ELEMENTS(fds); i++)
        if (fds[i] >= 0)
            ret_fds[n++] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    return n;
}

uint64_t network_deadline(const struct network *network) {
    return network->lease.socket_fd >= 0 ? network->lease.client.deadline_nsec : CLOCK_NEVER;
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
            dhcp_socket_send(network->server_fd, &answer.message,
                             answer.reach == DHCP_REACH_BROADCAST ? 0 : answer.address_be,
                             answer.port, answer.max_bytes);
    }
}

static void clear_lease(struct network *network, const struct dhcp_parameters *old) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;

    addr_delete(&batch, NETWORK_CONTAINER_INDEX, old->address_be, old->prefix);
    netlink_send(network->lease.route_fd, &batch, NULL);
}

/** act() - send what the client wants sent, and set up what it got. */
static void act(struct network *network, const struct dhcp_client_output *output,
                const struct dhcp_parameters *old) {
    struct dhcp_client *client = &network->lease.client;
    char address[INET_ADDRSTRLEN];
    struct err err;

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
        if (network_set_lease(network->lease.route_fd, NETWORK_CONTAINER_INDEX, &client->lease,
                              &err) < 0)
            log_warning(network->log, "network: %s", err.message);
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

void network_dispatch(struct network *network, uint64_t now_nsec) {
    serve(network, network->server_fd, now_nsec);
    serve(network, network->renewal_fd, now_nsec);
    if (network->lease.socket_fd >= 0)
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
    drop_dead(&state);
    for (size_t i = 0; network->is_remembered && i < state.n_members; i++)
        if (state.members[i].address == address)
            state.members[i].pid = 0;
    if (!network->is_remembered)
        network_state_remove(&state, address);
    if (state.forwards && !has_supervisor(&state)) {
        nat_forbid_forwarding();
        state.forwards = false;
    }
    network_state_save(network->state_fd, network->name, &state, NULL);
}

void network_destroy(struct network *network) {
    if (!network)
        return;
    give_back(network);
    if (network->ns_fd >= 0)
        leave(network);
    network_free(network);
}
