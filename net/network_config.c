/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks that somebody makes by a command.  They are nothing but a state
 * file that says "created": what it describes is made when a container comes,
 * and goes with the last one, as with the networks that nobody made.
 */
#include "network_config.h"

#include "addr.h"
#include "subnet6.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

void network_entries_done(struct network_entries *entries) {
    for (size_t i = 0; i < entries->n; i++)
        network_state_done(&entries->items[i].state);
    free(entries->items);
    *entries = (struct network_entries){0};
}

static int add_entry(struct network_entries *entries, int state_fd, const char *name,
                     struct err *err) {
    struct network_entry *items = reallocarray(entries->items, entries->n + 1, sizeof *items);
    struct network_entry *entry = items ? &items[entries->n] : NULL;
    int r;

    if (!items)
        return err_nomem(err);
    entries->items = items;
    snprintf(entry->name, sizeof entry->name, "%s", name);
    r = network_state_load(state_fd, name, &entry->state, err);
    if (r < 0)
        return r;
    network_state_drop_dead(&entry->state);
    if (entry->state.created_sec == 0 && !entry->state.uplink[0] &&
        !network_state_has_supervisor(&entry->state))
        network_state_done(&entry->state);
    else
        entries->n++;
    return 0;
}

static int compare(const void *a, const void *b) {
    const struct network_entry *first = a, *second = b;

    return strcmp(first->name, second->name);
}

int network_config_list(int state_fd, struct network_entries *ret_entries, struct err *err) {
    int fd = openat(state_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry;

    *ret_entries = (struct network_entries){0};
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return err_errno(err, "network state");
    }
    while ((entry = readdir(dir))) {
        char name[NETWORK_NAME_BYTES];
        int r = network_state_name_of_file(entry->d_name, name)
                    ? add_entry(ret_entries, state_fd, name, err)
                    : 0;

        if (r < 0)
            return r;
    }
    if (ret_entries->n > 0)
        qsort(ret_entries->items, ret_entries->n, sizeof *ret_entries->items, compare);
    return 0;
}

/* Making one. */

/** check_overlap() - two networks of one subnet would be in each other's way at the host. */
static int check_overlap(const struct network_entries *others, const struct subnet *subnet,
                         const char *text, struct err *err) {
    for (size_t i = 0; i < others->n; i++)
        if (subnet_overlaps(subnet, &others->items[i].state.subnet))
            return err_set(err, -EEXIST, "subnet %s: overlaps that of the network %s", text,
                           others->items[i].name);
    return 0;
}

int network_config_choose(int state_fd, const char *wanted, struct subnet *ret_subnet,
                          struct err *err) {
    _cleanup_close_ int fd = -1;
    _cleanup_free_ struct subnet *taken = NULL;
    __attribute__((cleanup(network_entries_done))) struct network_entries others = {0};
    struct subnet *all;
    size_t n = 0;
    int r = network_config_list(state_fd, &others, err);

    if (r == 0 && wanted)
        r = subnet_parse(wanted, ret_subnet, err);
    if (r == 0 && wanted)
        return check_overlap(&others, ret_subnet, wanted, err);
    fd = r < 0 ? r : netlink_open(NETLINK_ROUTE, err);
    r = fd < 0 ? fd : addr_get_routes(fd, &taken, &n, err);
    if (r < 0)
        return r;
    all = reallocarray(taken, n + others.n + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    taken = all;
    for (size_t i = 0; i < others.n; i++)
        taken[n++] = others.items[i].state.subnet;
    return subnet_choose(taken, n, ret_subnet, err);
}

static int set_gateway(const char *text, struct network_state *state, struct err *err) {
    struct in_addr address;
    uint32_t gateway;
    char subnet[SUBNET_TEXT_BYTES];

    subnet_format(&state->subnet, subnet);
    if (inet_pton(AF_INET, text, &address) != 1)
        return err_set(err, -EINVAL, "gateway %s: is no IPv4 address", text);
    gateway = ntohl(address.s_addr);
    if (gateway < subnet_first(&state->subnet) || gateway > subnet_last(&state->subnet)) {
        struct in_addr last = {htonl(subnet_last(&state->subnet))};
        char last_text[INET_ADDRSTRLEN];

        return err_set(err, -EINVAL,
                       "gateway %s: has to be in the lower half of %s, up to %s; the upper one is "
                       "for the containers' name servers",
                       text, subnet, inet_ntop(AF_INET, &last, last_text, sizeof last_text));
    }
    state->gateway = gateway;
    return 0;
}

/** set_ipv6() - the network's IPv6 addresses; one that is random needs no look at others'. */
static int set_ipv6(int state_fd, const char *wanted, struct network_state *state,
                    struct err *err) {
    __attribute__((cleanup(network_entries_done))) struct network_entries others = {0};
    int r;

    if (!wanted)
        return subnet6_choose(&state->prefix6, err);
    r = subnet6_parse(wanted, &state->prefix6, err);
    if (r == 0)
        r = network_config_list(state_fd, &others, err);
    for (size_t i = 0; r == 0 && i < others.n; i++)
        if (IN6_ARE_ADDR_EQUAL(&state->prefix6, &others.items[i].state.prefix6))
            return err_set(err, -EEXIST, "subnet %s: is that of the network %s", wanted,
                           others.items[i].name);
    return r;
}

int network_config_create(int state_fd, const char *name, const struct network_config *config,
                          struct err *err) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    _cleanup_close_ int lock_fd = network_state_lock(state_fd, err);
    int r = lock_fd < 0 ? lock_fd : network_state_load(state_fd, name, &state, err);

    if (r < 0)
        return r;
    if (state.subnet.prefix > 0)
        return err_set(err, -EEXIST, "there is a network %s already", name);
    state.created_sec = (int64_t)(clock_realtime() / NSEC_PER_SEC);
    state.way = config->way;
    state.mtu = config->mtu;
    r = network_config_choose(state_fd, config->subnet, &state.subnet, err);
    if (r == 0 && config->gateway)
        r = set_gateway(config->gateway, &state, err);
    if (r == 0 && config->ipv6)
        r = set_ipv6(state_fd, config->subnet6, &state, err);
    return r < 0 ? r : network_state_save(state_fd, name, &state, err);
}

int network_config_remove(int state_fd, const char *name, struct err *err) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    _cleanup_close_ int lock_fd = network_state_lock(state_fd, err);
    int r = lock_fd < 0 ? lock_fd : network_state_load(state_fd, name, &state, err);

    if (r < 0)
        return r;
    if (state.created_sec == 0)
        return err_set(err, -ENOENT, "there is no network %s", name);
    network_state_drop_dead(&state);
    for (size_t i = 0; i < state.n_members; i++)
        if (state.members[i].pid > 0)
            return err_set(err, -EBUSY, "network %s: the container %s is on it", name,
                           state.members[i].container);
    return network_state_delete(state_fd, name, err);
}
