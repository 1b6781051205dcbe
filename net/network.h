/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_H
#define MAYFLY_NETWORK_H

#include "dhcp_client.h"
#include "nat.h"

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/log.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A container's connection, in the order of a run:
 *
 *   host   network_attach()   once the container's namespaces are there
 *   child  network_setup()    in the container's namespace; the host meanwhile
 *                             polls and dispatches, since it is the DHCP server
 *   host   network_adopt()    with what network_setup() handed over, if anything
 *   host   network_poll(), network_dispatch()   for as long as it lives
 *   host   network_destroy()
 */

/** The bridge of mayfly's own that leads nowhere else. */
#define NETWORK_DEFAULT "mayfly0"
/** The one from which containers reach the outside (@is_nat). */
#define NETWORK_NAT "mayfly1"
/** The container's interface. */
#define NETWORK_LINK "eth0"
#define NETWORK_MAX_POLL 4

/**
 * struct network_request - how a container is to be connected
 * @bridge: NULL: mayfly's own network @network; else an existing bridge of the host
 * @network: name of an own network, NETWORK_DEFAULT as a rule
 * @subnet: of a network that is not there yet, such as "10.1.0.0/24"; NULL: chosen
 * @is_nat: an own network leads out by way of the host; the same for all its containers
 * @ports: of the host, published; @is_nat only; lent for the call
 * @state_fd: a directory that outlives the run, for all runs of one user; not used with @bridge
 * @container: the process in the container's network namespace, a child that has not been reaped
 * @name: a name to be remembered with its addresses after the container's end; NULL: none
 * @isolate: keep the container apart from others that are isolated
 * @log: may be NULL; has to stay until network_destroy()
 */
struct network_request {
    const char *bridge;
    const char *network;
    const char *subnet;
    bool is_nat;
    const struct nat_port *ports;
    size_t n_ports;
    int state_fd;
    pid_t container;
    const char *name;
    bool isolate;
    const struct log *log;
};

struct network;

/**
 * network_attach() - connect a container's network namespace to a bridge
 *
 * The bridge is made when it is not there.  Afterwards the container has a link NETWORK_LINK that
 * is down and has no address.
 * Context: host; root (CAP_SYS_ADMIN and CAP_NET_ADMIN); single-threaded, since the network
 * namespace is changed and changed back.
 * Return: 0 with @ret_network, -ENODEV for a bridge that is not there, -EADDRNOTAVAIL when no
 * address is left, or another -errno; all with a text.
 */
int network_attach(const struct network_request *request, struct network **ret_network,
                   struct err *err);

/**
 * struct network_lease - what network_setup() found
 * @client: with the lease and its times
 * @socket_fd, @route_fd: for renewals by the host (network_adopt()); -1 when nothing has to be
 *                        renewed
 */
struct network_lease {
    struct dhcp_client client;
    int socket_fd;
    int route_fd;
};

/**
 * struct network_setup_request - what network_setup() has to know
 * @hostname: told to the server; may be empty
 * @renew: whether the lease has an end that the host has to see to: on an existing bridge
 * @timeout_nsec: how long to wait for an address
 */
struct network_setup_request {
    const char *hostname;
    bool renew;
    uint64_t timeout_nsec;
};

/**
 * network_setup() - bring the links up and get an address by DHCP
 *
 * Context: child, in its network namespace with CAP_NET_ADMIN, the host's or a new /proc visible.
 * Return: 0, -ETIMEDOUT without an answer, or another -errno; with a text.
 */
int network_setup(const struct network_setup_request *request, struct network_lease *ret_lease,
                  struct err *err);

/** network_setup_loopback() - bring lo up and nothing else.  Context: as network_setup(). */
int network_setup_loopback(struct err *err);

/** network_lease_close() - close the descriptors. */
void network_lease_close(struct network_lease *lease);

/**
 * network_adopt() - let the host keep a lease that the container's side got
 * @lease: the two descriptors are taken over
 */
void network_adopt(struct network *network, struct network_lease *lease);

/** network_poll() - what to poll(2) for.  Return: how many of @ret_fds are set. */
size_t network_poll(const struct network *network, struct pollfd ret_fds[NETWORK_MAX_POLL]);

/** network_deadline() - when to call network_dispatch() although nothing came, CLOCK_MONOTONIC. */
uint64_t network_deadline(const struct network *network);

/**
 * network_dispatch() - answer and send what there is to
 *
 * Never blocks, and takes a bounded number of messages at a time.  What goes wrong is logged.
 */
void network_dispatch(struct network *network, uint64_t now_nsec);

/**
 * network_address() - the container's IPv4 address, 0 as long as it has none
 *
 * On an own network it is known from the beginning.
 */
uint32_t network_address(const struct network *network);

/**
 * network_destroy() - let go of the network
 *
 * The container's link goes with its namespace, the bridge with its last container.  A lease from
 * another's server is given back.
 * Context: the container's processes have ended.
 */
void network_destroy(struct network *network);

#endif
