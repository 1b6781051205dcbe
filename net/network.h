/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_H
#define MAYFLY_NETWORK_H

#include "dhcp_client.h"
#include "nat.h"
#include "network_state.h"

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
 *   host   network_open()     a place on the network, the bridge if it is new
 *   host   network_attach()   once the container's namespaces are there
 *   host   network_guard()    before anything of an image runs
 *   child  network_setup_begin()   in the container's namespace; before the link is there
 *   child  network_setup()    afterwards; the host meanwhile polls and dispatches,
 *                             since it is the DHCP server
 *   host   network_adopt()    with what network_setup() handed over, if anything
 *   host   network_poll(), network_dispatch()   for as long as it lives
 *   host   network_destroy()
 */

/** The bridge of mayfly's own that leads nowhere else. */
#define NETWORK_DEFAULT "mayfly0"
/** The one from which containers reach the outside (NETWORK_OUT). */
#define NETWORK_NAT "mayfly1"
/** The container's interface. */
#define NETWORK_LINK "eth0"
#define NETWORK_MAX_POLL 7

/**
 * struct network_request - how a container is to be connected
 * @bridge: NULL: mayfly's own network @network; else an existing bridge of the host
 * @network: name of an own network, NETWORK_DEFAULT as a rule
 * @must_exist: the network is one that was made by a command (network_config.h)
 * @subnet: of a network that is not there yet, such as "10.1.0.0/24"; NULL: chosen
 * @way: of a network that is not there yet
 * @ports: of the host, published; NETWORK_OUT only; lent for the call
 * @state_fd: a directory that outlives the run, for all runs of one user; not used with @bridge
 * @name: a name to be remembered with its addresses after the container's end; NULL: none
 * @container, @hostname: by which others on the network find it; NULL: not
 * @isolate: keep the container apart from others that are isolated
 * @make_namespace: how to get a network namespace that is owned by a user namespace of the user's;
 *                  NULL: this process has privileges of its own
 * @log: may be NULL; has to stay until network_destroy()
 */
struct network_request {
    const char *bridge;
    const char *network;
    bool must_exist;
    const char *subnet;
    enum network_way way;
    const struct nat_port *ports;
    size_t n_ports;
    int state_fd;
    const char *name;
    const char *container;
    const char *hostname;
    bool isolate;
    int (*make_namespace)(void *context, int *ret_ns_fd, struct err *err);
    void *context;
    const struct log *log;
};

struct network;

/**
 * network_clean() - finish what runs that were killed have left of networks that led out
 *
 * Context: host, root.  A few system calls where there is nothing to do.
 */
void network_clean(int state_fd);

/**
 * network_open() - take a place on a network
 *
 * The network's bridge is made when it is not there.
 * Context: host; single-threaded, since namespaces are changed.  Without @make_namespace
 * CAP_SYS_ADMIN and CAP_NET_ADMIN.
 * Return: 0 with @ret_network, -ENODEV for a bridge and -ENOENT for a network that is not there,
 * -EADDRNOTAVAIL when no address is left, what @make_namespace returned, or another -errno; all
 * with a text.
 */
int network_open(const struct network_request *request, struct network **ret_network,
                 struct err *err);

/**
 * network_owner() - the user namespace that containers have to be in so as to be attached
 *
 * Only of a network that was opened with @make_namespace.
 * Return: a descriptor, or -errno with a text.
 */
int network_owner(const struct network *network, struct err *err);

/**
 * network_needs_outside() - whether its containers have to be given a way out by other means
 *
 * So it is with a network that leads out and was opened with @make_namespace.
 */
bool network_needs_outside(const struct network *network);

/**
 * network_attach() - give a container its link
 * @container: the process in its network namespace, a child that has not been reaped
 *
 * Afterwards it has a link NETWORK_LINK that is down and has no address.
 * Return: 0 or -errno with a text.
 */
int network_attach(struct network *network, pid_t container, struct err *err);

/**
 * network_guard() - hold the container's port to its addresses, if that is still to be done
 *
 * It may be after network_attach(), while the container's side is at work; other containers that
 * come to this network wait for it.
 * Context: host.
 * Return: 0 or -errno with a text.
 */
int network_guard(struct network *network, struct err *err);

/**
 * struct network_lease - what network_setup() found
 * @client: with the lease and its times
 * @socket_fd, @route_fd: for renewals by the host (network_adopt()); -1 when nothing has to be
 *                        renewed
 * @taken_be: an address that was offered and is another's already; 0: none was
 */
struct network_lease {
    struct dhcp_client client;
    int socket_fd;
    int route_fd;
    uint32_t taken_be;
};

/**
 * struct network_ipv6 - a container's IPv6 addresses
 * @address, @link_address: its own, in its network and on its link alone
 * @gateway: on the link; unspecified: there is no way to elsewhere
 */
struct network_ipv6 {
    struct in6_addr address;
    struct in6_addr link_address;
    struct in6_addr gateway;
};

/** network_get_ipv6() - Return: whether the container has such addresses, and @ret is set. */
bool network_get_ipv6(const struct network *network, struct network_ipv6 *ret);

/**
 * struct network_setup_request - what network_setup() has to know
 * @hostname: told to the server; may be empty
 * @renew: whether the lease has an end that the host has to see to: on an existing bridge
 * @timeout_nsec: how long to wait for an address
 * @ipv6: addresses besides, as network_get_ipv6() has them; NULL: none
 */
struct network_setup_request {
    const char *hostname;
    bool renew;
    uint64_t timeout_nsec;
    const struct network_ipv6 *ipv6;
};

/**
 * struct network_setup - sockets of the container's side
 * @route_fd: to rtnetlink
 * @events_fd: by which it hears of changes of links; -1: it does not
 */
struct network_setup {
    int route_fd;
    int events_fd;
};

/**
 * network_setup_begin() - what can be done before the link is there
 * @ret_setup: network_setup() closes it
 *
 * Context: child, in its network namespace with CAP_NET_ADMIN, the host's or a new /proc visible.
 * Return: 0 or -errno with a text.
 */
int network_setup_begin(struct network_setup *ret_setup, struct err *err);

/**
 * network_setup() - bring the link and lo up and get an address by DHCP
 * @setup: of network_setup_begin(); closed, also on failure
 *
 * Context: as network_setup_begin(); after network_attach().
 * Return: 0, -ETIMEDOUT without an answer, or another -errno; with a text.
 */
int network_setup(struct network_setup *setup, const struct network_setup_request *request,
                  struct network_lease *ret_lease, struct err *err);

/** network_setup_loopback() - bring lo up and nothing else.  Context: as network_setup_begin(). */
int network_setup_loopback(struct err *err);

/** network_lease_close() - close the descriptors. */
void network_lease_close(struct network_lease *lease);

/**
 * network_adopt() - let the host keep a lease that the container's side got
 * @lease: the two descriptors are taken over
 */
void network_adopt(struct network *network, struct network_lease *lease);

/**
 * network_changed() - whether a lease that was adopted says something else by now
 * @ret_before, @ret_now: what it said at the last call, or when it was adopted, and what it says
 *
 * Of the container's address, its name servers and where names are looked for.
 */
bool network_changed(struct network *network, struct dhcp_parameters *ret_before,
                     struct dhcp_parameters *ret_now);

/** network_poll() - what to poll(2) for.  Return: how many of @ret_fds are set. */
size_t network_poll(const struct network *network, struct pollfd ret_fds[NETWORK_MAX_POLL]);

/** network_deadline() - when to call network_dispatch() although nothing came, CLOCK_MONOTONIC. */
uint64_t network_deadline(const struct network *network);

/**
 * network_dispatch() - answer and send what there is to
 * @polled: what network_poll() set, as poll(2) left it, @n of them; NULL: look at everything
 *
 * Never blocks, and takes a bounded number of messages at a time.  What goes wrong is logged.
 */
void network_dispatch(struct network *network, const struct pollfd *polled, size_t n,
                      uint64_t now_nsec);

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
