/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls about networks, and ports of containers on them.  As with images each is
 * done by a child, and what it has to tell crosses as lines, a field each.
 */
#include "attached.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/manage/networks.h"
#include "library.h"
#include "lines.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct request {
    const char *store;
    const struct mayfly_network *network; /* whose name alone is looked at but by create() */
    int (*function)(struct images *images, const struct mayfly_network *network, struct buf *answer,
                    struct err *err);
};

static int work(void *argument, struct buf *answer, struct err *err) {
    const struct request *request = argument;
    _cleanup_images_ struct images images = IMAGES_INIT;
    int r = images_open(&images, request->store, NULL, err);

    return r < 0 ? r : request->function(&images, request->network, answer, err);
}

static int call(struct request *request, char **ret_answer, struct mayfly_error *error) {
    struct err err = {0};

    return library_return(library_call(work, request, ret_answer, &err), &err, error);
}

/* --- making and removing ----------------------------------------------------------- */

static int create(struct images *images, const struct mayfly_network *network, struct buf *answer,
                  struct err *err) {
    const struct network_config config = {
        .subnet = network->subnet,
        .gateway = network->gateway,
        .way = network->leads_out     ? NETWORK_OUT
               : network->host_access ? NETWORK_TO_HOST
                                      : NETWORK_CLOSED,
        .mtu = (uint16_t)network->mtu,
    };

    (void)answer;
    if (network->leads_out && network->host_access)
        return err_set(err, -EINVAL, "a network leads out or to the host, not both");
    if (network->mtu && (network->mtu < 1280 || network->mtu > UINT16_MAX))
        return err_set(err, -EINVAL, "mtu %u is not a number from 1280 to 65535", network->mtu);
    return networks_create(images, network->name ? network->name : "", &config, err);
}

int mayfly_network_create(const char *store, const struct mayfly_network *network,
                          struct mayfly_error *error) {
    struct request request = {.store = store, .network = network, .function = create};

    return call(&request, NULL, error);
}

static int remove_network(struct images *images, const struct mayfly_network *network,
                          struct buf *answer, struct err *err) {
    (void)answer;
    return networks_remove(images, network->name, err);
}

int mayfly_network_remove(const char *store, const char *name, struct mayfly_error *error) {
    const struct mayfly_network network = {.name = (char *)name};
    struct request request = {.store = store, .network = &network, .function = remove_network};

    return call(&request, NULL, error);
}

/* --- the list ---------------------------------------------------------------------- */

static const char *address_text(uint32_t address, char ret[INET_ADDRSTRLEN]) {
    struct in_addr in = {.s_addr = htonl(address)};

    return inet_ntop(AF_INET, &in, ret, INET_ADDRSTRLEN);
}

static void put_members(struct buf *answer, const struct network_state *state) {
    char text[INET_ADDRSTRLEN];
    size_t n = 0;

    for (size_t i = 0; i < state->n_members; i++)
        n += state->members[i].pid > 0;
    buf_printf(answer, "%zu\n", n);
    for (size_t i = 0; i < state->n_members; i++) {
        const struct network_member *member = &state->members[i];

        if (member->pid > 0)
            buf_printf(answer, "%s\n%s\n%02x:%02x:%02x:%02x:%02x:%02x\n", member->container,
                       address_text(member->address, text), member->mac[0], member->mac[1],
                       member->mac[2], member->mac[3], member->mac[4], member->mac[5]);
    }
}

/* @state: NULL where nobody is on it. */
static void put_network(struct buf *answer, const char *name, bool is_built_in, bool leads_out,
                        const struct network_state *state) {
    static const struct network_state nobody;
    char subnet[INET_ADDRSTRLEN + 4] = "", gateway[INET_ADDRSTRLEN] = "", text[INET_ADDRSTRLEN];

    if (!state)
        state = &nobody;
    if (state->subnet.prefix) {
        snprintf(subnet, sizeof subnet, "%s/%u", address_text(state->subnet.address, text),
                 state->subnet.prefix);
        address_text(network_state_gateway(state), gateway);
    }
    buf_printf(answer, "%s\n%s\n%s\n%d\n%u\n", name, subnet, gateway,
               (leads_out ? 1 : 0) | (state->way == NETWORK_TO_HOST ? 2 : 0) |
                   (is_built_in ? 4 : 0),
               state->mtu);
    put_members(answer, state);
}

static bool is_built_in(const struct network_entry *entry) {
    for (size_t i = 0; i < NETWORKS_N_BUILT_IN; i++)
        if (networks_built_in[i].file && str_eq(networks_built_in[i].file, entry->name))
            return true;
    return false;
}

static const struct network_state *find_state(const struct network_entries *entries,
                                              const char *file) {
    for (size_t i = 0; file && i < entries->n; i++)
        if (str_eq(entries->items[i].name, file))
            return &entries->items[i].state;
    return NULL;
}

static int list(struct images *images, const struct mayfly_network *network, struct buf *answer,
                struct err *err) {
    struct network_entries entries;
    const char *name = network->name; /* NULL: all */
    int r = networks_list(images, &entries, err);

    for (size_t i = 0; r == 0 && i < NETWORKS_N_BUILT_IN; i++) {
        const struct network_built_in *one = &networks_built_in[i];

        if (!name || str_eq(name, one->name))
            put_network(answer, one->name, true,
                        str_eq(one->name, "nat") || str_eq(one->name, "host"),
                        find_state(&entries, one->file));
    }
    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        const struct network_entry *entry = &entries.items[i];

        if (!is_built_in(entry) && (!name || str_eq(name, entry->name)))
            put_network(answer, entry->name, false, entry->state.way == NETWORK_OUT, &entry->state);
    }
    network_entries_done(&entries);
    if (r == 0 && name && answer->size == 0)
        r = err_set(err, -ENOENT, "there is no network %s", name);
    return r;
}

static bool take_members(struct lines *lines, struct mayfly_network *network) {
    network->members = calloc(network->n_members + 1, sizeof *network->members);
    for (size_t i = 0; network->members && i < network->n_members; i++) {
        struct mayfly_member *member = &network->members[i];

        if (!lines_text(lines, &member->container) || !lines_text(lines, &member->address) ||
            !lines_text(lines, &member->mac))
            return false;
    }
    return network->members != NULL;
}

static bool take_network(struct lines *lines, struct mayfly_network *network) {
    uint64_t flags, mtu, n;

    if (!lines_text(lines, &network->name) || !lines_text(lines, &network->subnet) ||
        !lines_text(lines, &network->gateway) || !lines_number(lines, &flags) ||
        !lines_number(lines, &mtu) || !lines_number(lines, &n))
        return false;
    network->leads_out = flags & 1;
    network->host_access = flags & 2;
    network->is_built_in = flags & 4;
    network->mtu = (unsigned)mtu;
    network->n_members = n;
    if (take_members(lines, network))
        return true;
    network->n_members = network->members ? n : 0;
    return false;
}

static int get_list(const char *store, const char *name, struct mayfly_network **ret_networks,
                    size_t *ret_n, struct mayfly_error *error) {
    const struct mayfly_network wanted = {.name = (char *)name};
    struct request request = {.store = store, .network = &wanted, .function = list};
    _cleanup_free_ char *answer = NULL;
    struct mayfly_network *networks = NULL;
    struct lines lines;
    struct err err = {0};
    size_t n = 0;
    int r = call(&request, &answer, error);

    if (r < 0)
        return r;
    for (lines_init(&lines, answer); !lines_end(&lines); n++) {
        struct mayfly_network *more = reallocarray(networks, n + 1, sizeof *more);

        if (more) {
            networks = more;
            networks[n] = (struct mayfly_network){0};
        }
        if (!more || !take_network(&lines, &networks[n])) {
            mayfly_network_list_free(networks, more ? n + 1 : n);
            return library_return(err_nomem(&err), &err, error);
        }
    }
    *ret_networks = networks;
    *ret_n = n;
    return 0;
}

int mayfly_network_list(const char *store, struct mayfly_network **ret_networks, size_t *ret_n,
                        struct mayfly_error *error) {
    return get_list(store, NULL, ret_networks, ret_n, error);
}

int mayfly_network_inspect(const char *store, const char *name, struct mayfly_network **ret_network,
                           struct mayfly_error *error) {
    size_t n;

    return get_list(store, name, ret_network, &n, error);
}

void mayfly_network_list_free(struct mayfly_network *networks, size_t n) {
    for (size_t i = 0; networks && i < n; i++) {
        for (size_t k = 0; k < networks[i].n_members; k++) {
            free(networks[i].members[k].container);
            free(networks[i].members[k].address);
            free(networks[i].members[k].mac);
        }
        free(networks[i].members);
        free(networks[i].name);
        free(networks[i].subnet);
        free(networks[i].gateway);
    }
    free(networks);
}

/* --- ports ------------------------------------------------------------------------- */

static void put_port(struct buf *answer, const struct nat_port *port, const char *address) {
    buf_printf(answer, "%s\n%u\n%u\n%d\n", address, port->host_port, port->container_port,
               port->protocol == IPPROTO_UDP);
}

static int list_ports(struct images *images, const struct mayfly_network *network,
                      struct buf *answer, struct err *err) {
    const char *container = network->name;
    struct network_entries entries;
    int r = networks_list(images, &entries, err);

    for (size_t i = 0; r == 0 && i < entries.n; i++) {
        const struct network_state *state = &entries.items[i].state;

        for (size_t k = 0; k < state->n_members; k++)
            for (size_t p = 0; p < state->n_publications; p++) {
                const struct nat_port *port = &state->publications[p].port;
                char host[INET6_ADDRSTRLEN];

                if (state->members[k].pid <= 0 || !str_eq(state->members[k].container, container) ||
                    state->publications[p].address != state->members[k].address)
                    continue;
                if (nat_port_has_ipv4(port) && nat_port_has_ipv6(port)) {
                    put_port(answer, port, "0.0.0.0");
                    put_port(answer, port, "::");
                } else {
                    put_port(answer, port, nat_format_host(port, host));
                }
            }
    }
    network_entries_done(&entries);
    return r;
}

static bool take_port(struct lines *lines, struct mayfly_port *port) {
    uint64_t host_port, container_port, is_udp;
    _cleanup_free_ char *address = NULL;

    if (!lines_text(lines, &address) || !address || !lines_number(lines, &host_port) ||
        !lines_number(lines, &container_port) || !lines_number(lines, &is_udp))
        return false;
    snprintf(port->address, sizeof port->address, "%s", address);
    port->host_port = (uint16_t)host_port;
    port->container_port = (uint16_t)container_port;
    port->is_udp = is_udp;
    return true;
}

int mayfly_ports(struct mayfly_container *container, struct mayfly_port **ret_ports, size_t *ret_n,
                 struct mayfly_error *error) {
    const struct mayfly_network name = {.name = (char *)mayfly_name(container)};
    struct request request = {.network = &name, .function = list_ports};
    _cleanup_free_ struct mayfly_port *ports = NULL;
    _cleanup_free_ char *answer = NULL;
    struct lines lines;
    struct err err = {0};
    size_t n = 0;
    int r = call(&request, &answer, error);

    if (r < 0)
        return r;
    for (lines_init(&lines, answer); !lines_end(&lines); n++) {
        struct mayfly_port *more = reallocarray(ports, n + 1, sizeof *more);

        if (more)
            ports = more;
        if (!more || !take_port(&lines, &ports[n]))
            return library_return(err_nomem(&err), &err, error);
    }
    *ret_ports = take_ptr(ports);
    *ret_n = n;
    return 0;
}
