/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_STATE_H
#define MAYFLY_NETWORK_STATE_H

#include "nat.h"
#include "subnet.h"
#include "subnet6.h"

#include "engine/base/buf.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The longest name of a network or a container, and its NUL. */
#define NETWORK_NAME_BYTES 64

/** How many of the host's links can be kept listening to routers; they have few of those. */
#define NETWORK_MAX_LISTENERS 8

/** enum network_way - where a network of mayfly's own leads */
enum network_way {
    NETWORK_CLOSED,  /* nowhere */
    NETWORK_TO_HOST, /* the host reaches the containers, and they nothing of the host's */
    NETWORK_OUT,     /* the outside, under the host's address */
};

/**
 * struct network_member - a container on a network
 * @pid: its supervisor; 0: it is not running, and remembered for its name
 * @ns_fd: the supervisor's descriptor of the bridge's network namespace
 * @ns_inode: which namespace that has to be
 * @port: the index of its port in that namespace
 * @name: by which its addresses are remembered; "-": they are not
 * @container, @hostname: by which others find it; "-": none
 * @address, @mac: host byte order
 */
struct network_member {
    pid_t pid;
    int ns_fd;
    uint64_t ns_inode;
    uint32_t port;
    uint32_t address;
    uint8_t mac[6];
    char name[NETWORK_NAME_BYTES];
    char container[NETWORK_NAME_BYTES];
    char hostname[NETWORK_NAME_BYTES + 1];
};

/** struct network_publication - a published port, and the container that it leads to */
struct network_publication {
    uint32_t address;
    struct nat_port port;
};

/**
 * struct network_state - who is on a network, as its file says
 * @created_sec: when somebody made it by a command, since the epoch; 0: it comes and goes with its
 *               containers
 * @gateway: the host's address, or the bridge's where the host has none; 0: the first one
 * @mtu: of the containers' links; 0: the kernel's default
 * @next_port: the index for the next port; none is used twice as long as the namespace lives
 * @uplink: the host's link to the network, which has the last address; empty: it leads nowhere
 * @forwards: the host did not pass packets on before this network made it do so
 * @prefix6: of its IPv6 addresses (subnet6.h); unspecified: it has none
 * @first6: the port from which on containers have such addresses
 * @forwards6: as @forwards, for IPv6
 * @listeners: links of the host that went on to take router advertisements only because they were
 *             told to, since a host that passes packets on does not
 */
struct network_state {
    struct subnet subnet;
    enum network_way way;
    int64_t created_sec;
    uint32_t gateway;
    uint16_t mtu;
    uint32_t next_port;
    char uplink[16];
    bool forwards;
    struct in6_addr prefix6;
    uint32_t first6;
    bool forwards6;
    char listeners[NETWORK_MAX_LISTENERS][16];
    struct network_member *members;
    size_t n_members;
    struct network_publication *publications;
    size_t n_publications;
};

#define NETWORK_STATE_INIT ((struct network_state){0})

/** network_state_done() - free the members and publications. */
void network_state_done(struct network_state *state);

#define _cleanup_network_state_ __attribute__((cleanup(network_state_done)))

/** network_state_parse() - Return: 0, -EBADMSG for a text that is not a whole one, -ENOMEM. */
int network_state_parse(const char *text, struct network_state *ret_state);

/** network_state_format() - append the text that network_state_parse() reads. */
void network_state_format(const struct network_state *state, struct buf *buf);

/** network_state_add() - append a copy of @member.  Return: 0 or -ENOMEM. */
int network_state_add(struct network_state *state, const struct network_member *member);

/** network_state_publish() - append a port of the container with @address.  Return: 0 or -ENOMEM.
 */
int network_state_publish(struct network_state *state, uint32_t address,
                          const struct nat_port *port);

/** network_state_remove() - forget the member with an address, and its ports. */
void network_state_remove(struct network_state *state, uint32_t address);

/** network_state_rest() - the member with an address has ended; with a name it stays known. */
void network_state_rest(struct network_state *state, uint32_t address);

/** network_state_find() - the member whose addresses are remembered by that name, or NULL;
 * borrowed. */
struct network_member *network_state_find(const struct network_state *state, const char *name);

/** network_state_answers_to() - whether others find a running container by that name. */
bool network_state_answers_to(const struct network_member *member, const char *name);

/** network_state_has_ipv6() - whether the network has; network_state_is_on_ipv6() - a member. */
static inline bool network_state_has_ipv6(const struct network_state *state) {
    return !IN6_IS_ADDR_UNSPECIFIED(&state->prefix6);
}

static inline bool network_state_is_on_ipv6(const struct network_state *state,
                                            const struct network_member *member) {
    return network_state_has_ipv6(state) && member->port >= state->first6;
}

/** network_state_gateway() - the host's address, or the bridge's where there is no uplink. */
uint32_t network_state_gateway(const struct network_state *state);

/** network_state_bridge() - the address of the bridge. */
uint32_t network_state_bridge(const struct network_state *state);

/**
 * network_state_free_address() - an address that no member has
 * @start: where to begin to look, so that addresses do not come back at once
 *
 * Return: host byte order, 0 when the network is full.
 */
uint32_t network_state_free_address(const struct network_state *state, uint32_t start);

/* The file.  Only who holds the lock may write it; it is replaced whole, so anyone may read it. */

/**
 * network_state_lock() - wait for the lock of a state directory
 * Return: a descriptor, which unlocks when closed, or -errno with a text.
 */
int network_state_lock(int dir_fd, struct err *err);

/**
 * network_state_load() - read a network's file
 *
 * A file that is missing or damaged is an empty state (prefix 0).
 * Return: 0 or -errno with a text.
 */
int network_state_load(int dir_fd, const char *network, struct network_state *ret_state,
                       struct err *err);

/**
 * network_state_save() - replace a network's file; one that is empty and was not made by a command
 * is removed
 * Return: 0 or -errno with a text.
 */
int network_state_save(int dir_fd, const char *network, const struct network_state *state,
                       struct err *err);

/** network_state_delete() - remove a network's file.  Return: 0 or -errno with a text. */
int network_state_delete(int dir_fd, const char *network, struct err *err);

/**
 * network_state_name_of_file() - "mayfly0" of "mayfly0.network"
 * Return: whether the name of a file in a state directory is that of a network.
 */
bool network_state_name_of_file(const char *file, char ret_name[NETWORK_NAME_BYTES]);

/** network_state_drop_dead() - forget members whose supervisor is gone; those with a name stay
 * known. */
void network_state_drop_dead(struct network_state *state);

/** network_state_has_supervisor() - whether any container of the network is running. */
bool network_state_has_supervisor(const struct network_state *state);

#endif
