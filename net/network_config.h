/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_CONFIG_H
#define MAYFLY_NETWORK_CONFIG_H

#include "network_state.h"

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct network_config - what a network that a command makes shall be
 * @subnet: such as "10.1.0.0/24"; NULL: chosen
 * @ipv6: whether it has IPv6 addresses as well
 * @subnet6: such as "fd12:3456:789a::/64"; NULL: chosen at random
 * @gateway: the first address of the subnet's lower half that is nobody else's; NULL: the first
 * @mtu: 0: the kernel's default
 */
struct network_config {
    const char *subnet;
    bool ipv6;
    const char *subnet6;
    const char *gateway;
    enum network_way way;
    uint16_t mtu;
};

/** struct network_entry - a network and who is on it */
struct network_entry {
    char name[NETWORK_NAME_BYTES];
    struct network_state state;
};

/** struct network_entries - networks, in the order of their names */
struct network_entries {
    struct network_entry *items;
    size_t n;
};

/** network_entries_done() - free them. */
void network_entries_done(struct network_entries *entries);

/**
 * network_config_create() - make a network, which then is there until it is removed
 * @state_fd: as of struct network_request
 * @name: not looked at, but for whether there is one
 *
 * Nothing but its description is made; its bridge comes with the first container.
 * Context: host; takes the lock.
 * Return: 0, -EEXIST, -EINVAL, -EADDRNOTAVAIL, or another -errno; with a text.
 */
int network_config_create(int state_fd, const char *name, const struct network_config *config,
                          struct err *err);

/**
 * network_config_remove() - remove one that was made so
 * Return: 0, -ENOENT, -EBUSY when containers are on it, or another -errno; with a text.
 */
int network_config_remove(int state_fd, const char *name, struct err *err);

/**
 * network_config_list() - all networks, also those that come and go with their containers
 *
 * Those whose containers have ended are left out of them.
 * Return: 0 or -errno with a text; network_entries_done() is due in either case.
 */
int network_config_list(int state_fd, struct network_entries *ret_entries, struct err *err);

/**
 * network_config_choose() - the subnet of a network that is not there yet
 * @wanted: such as "10.1.2.0/24"; NULL: one that no route of the host and no other network has
 *
 * Context: the lock is held.
 * Return: 0, -EEXIST when another network has it, -EINVAL, -EADDRNOTAVAIL; with a text.
 */
int network_config_choose(int state_fd, const char *wanted, struct subnet *ret_subnet,
                          struct err *err);

#endif
