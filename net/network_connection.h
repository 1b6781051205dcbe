/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_CONNECTION_H
#define MAYFLY_NETWORK_CONNECTION_H

#include "dhcp_server.h"
#include "dns_server.h"
#include "guard.h"
#include "network.h"
#include "network_bridge.h"
#include "network_state.h"
#include "ra_socket.h"

#include "engine/base/clock.h"

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

/** How often a container hears that the router is still one, in good time before ROUTER_SEC. */
#define NETWORK_ROUTER_NSEC (3000 * NSEC_PER_SEC)

/* Inside the facade only: network.c makes it, network_serve.c works with it. */

/**
 * struct network - one container's connection
 * @bridge: index of an existing bridge; 0: one of mayfly's own
 * @name: of the network
 * @state_fd: the directory of the networks' state; -1 on an existing bridge
 * @lock_fd, @rules: the lock on that directory and what is still to be done under it, until
 *                   network_guard(); -1 afterwards
 * @is_first: the bridge was made for this container
 * @ns_fd: the bridge's namespace, -1 on an existing bridge; its number stands in the state file
 * @sockets: in the bridge's namespace
 * @link, @guard_fd: on an existing bridge, the container's link there, and what holds its rules
 * @nat_fd: holds the rules of the way out
 * @begins_ipv6: the network has IPv6 from this container on
 * @ra, @ra_nsec: what the container is told of the network's router, and when the next time
 * @found_name: of network_lookup(), until its next call
 * @lease: the container's own, where it has to be renewed
 * @told: what network_changed() has told of it
 */
struct network {
    const struct log *log;
    int state_fd;
    int lock_fd;
    char name[NETWORK_NAME_BYTES];
    bool isolate;
    bool is_first;
    bool begins_ipv6;
    bool needs_outside;
    uint32_t bridge;
    uint32_t mtu;
    int ns_fd;
    struct network_sockets sockets;
    struct netlink_batch rules;
    char link[IFNAMSIZ];
    int guard_fd;
    int nat_fd;
    struct guard_port port;
    struct ra ra;
    uint64_t ra_nsec;
    struct dhcp_server server;
    struct dns_server dns;
    char found_name[NETWORK_NAME_BYTES];
    bool has_lease;
    struct network_lease lease;
    struct dhcp_parameters told;
};

/** network_open_existing() - find the bridge of the request. */
int network_open_existing(struct network *network, const struct network_request *request,
                          struct err *err);

/** network_attach_to_existing() - as network_attach(), and hold the container to its link. */
int network_attach_to_existing(struct network *network, pid_t container, struct err *err);

/** network_hold_to() - what the container may send as on an existing bridge; 0: nothing at all. */
void network_hold_to(struct network *network, uint32_t address_be);

/** network_open_way_out() - the host's side of a network that leads there. */
int network_open_way_out(struct network *network, const struct network_request *request,
                         struct network_state *state, struct err *err);

/**
 * network_close_way_out() - the host goes on as if the network had never been
 * Context: the lock is held.
 */
void network_close_way_out(int state_fd, const char *network, struct network_state *state);

/** network_unlock() - let others come to the network, if network_guard() has not been called. */
void network_unlock(struct network *network);

/** network_free() - close and free; @network may be NULL. */
void network_free(struct network *network);

/** network_lookup() - dns_server's @lookup: who is on the network; @context: struct network. */
int network_lookup(void *context, const struct dns_question *question, struct dns_record *ret,
                   size_t max);

#endif
