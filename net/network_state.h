/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_STATE_H
#define MAYFLY_NETWORK_STATE_H

#include "dhcp_lease.h"
#include "subnet.h"

#include "engine/base/buf.h"
#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The longest name of a network or a container. */
#define NETWORK_NAME_BYTES 64

/**
 * struct network_member - a container on a network
 * @pid: its supervisor; 0: it is not running, and remembered for its name
 * @ns_fd: the supervisor's descriptor of the bridge's network namespace
 * @ns_inode: which namespace that has to be
 * @port: the index of its port in that namespace
 * @name: "-": none
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
};

/**
 * struct network_state - who is on a network, as its file says
 * @next_port: the index for the next port; none is used twice as long as the namespace lives
 * @uplink: the host's link to the network, which has the last address; empty: it leads nowhere
 * @forwards: the host did not pass packets on before this network made it do so
 */
struct network_state {
    struct subnet subnet;
    uint32_t next_port;
    char uplink[16];
    bool forwards;
    struct network_member *members;
    size_t n_members;
};

#define NETWORK_STATE_INIT ((struct network_state){0})

/** network_state_done() - free the members. */
void network_state_done(struct network_state *state);

#define _cleanup_network_state_ __attribute__((cleanup(network_state_done)))

/** network_state_parse() - Return: 0, -EBADMSG for a text that is not a whole one, -ENOMEM. */
int network_state_parse(const char *text, struct network_state *ret_state);

/** network_state_format() - append the text that network_state_parse() reads. */
void network_state_format(const struct network_state *state, struct buf *buf);

/** network_state_add() - append a copy of @member.  Return: 0 or -ENOMEM. */
int network_state_add(struct network_state *state, const struct network_member *member);

/** network_state_remove() - forget the member with an address. */
void network_state_remove(struct network_state *state, uint32_t address);

/** network_state_find() - the member of that name, or NULL; borrowed. */
struct network_member *network_state_find(const struct network_state *state, const char *name);

/**
 * network_state_free_address() - an address that no member has
 * @start: where to begin to look, so that addresses do not come back at once
 *
 * Return: host byte order, 0 when the network is full.
 */
uint32_t network_state_free_address(const struct network_state *state, uint32_t start);

/* The file.  Only who holds the lock may read and write it. */

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
 * network_state_save() - replace a network's file; an empty one is removed
 * Return: 0 or -errno with a text.
 */
int network_state_save(int dir_fd, const char *network, const struct network_state *state,
                       struct err *err);

#endif
