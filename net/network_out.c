/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's side of networks that lead there: its end of their link, that it
 * passes packets on, and that it does no more when the last one has ended, or
 * a later command finds that it was killed.  What was changed is on record in
 * the network's state before it is changed.
 */
#include "forwarding.h"
#include "nat.h"
#include "nat_beside.h"
#include "network_config.h"
#include "network_connection.h"
#include "ra_socket.h"
#include "subnet6.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <string.h>
#include <sys/socket.h>

/** find_forwarder() - another network because of which the host passes packets on, or NULL. */
static const struct network_state *find_forwarder(const struct network_entries *all,
                                                  const char *network, int family) {
    for (size_t i = 0; i < all->n; i++) {
        const struct network_state *state = &all->items[i].state;

        if ((family == AF_INET ? state->forwards : state->forwards6) &&
            !str_eq(all->items[i].name, network))
            return state;
    }
    return NULL;
}

/**
 * put_on_record() - that the host did not pass packets on
 *
 * Of several networks that need it, the last one puts it back; all of them know how it was.
 */
static int put_on_record(const struct network_request *request, struct network_state *state,
                         int family, bool is_on, struct err *err) {
    __attribute__((cleanup(network_entries_done))) struct network_entries all = {0};
    const struct network_state *other = NULL;
    int r = is_on ? network_config_list(request->state_fd, &all, err) : 0;

    if (r == 0 && is_on)
        other = find_forwarder(&all, request->network, family);
    if (r < 0 || (is_on && !other))
        return r;
    *(family == AF_INET ? &state->forwards : &state->forwards6) = true;
    if (family == AF_INET6 && other)
        memcpy(state->listeners, other->listeners, sizeof state->listeners);
    else if (family == AF_INET6)
        forwarding_find_listeners(state->listeners, NETWORK_MAX_LISTENERS);
    return network_state_save(request->state_fd, request->network, state, err);
}

/** forward() - see that the host passes on what containers send; on record before it does. */
static int forward(const struct network_request *request, struct network_state *state, int family,
                   struct err *err) {
    bool is_recorded = family == AF_INET ? state->forwards : state->forwards6;
    int r = is_recorded ? 0 : forwarding_is_on(family, err);

    if (r >= 0 && !is_recorded)
        r = put_on_record(request, state, family, r > 0, err);
    if (r == 0 && family == AF_INET6)
        r = forwarding_keep_listeners(state->listeners, NETWORK_MAX_LISTENERS, err);
    return r < 0 ? r : forwarding_allow(family, err);
}

/** open_link() - the host's end of the link to the network, and what it lets through. */
static int open_link(const struct network *network, const struct network_request *request,
                     struct network_state *state, struct err *err) {
    bool is_new6 = network->begins_ipv6 || (network->is_first && network_state_has_ipv6(state));
    bool leads_out = state->way == NETWORK_OUT;
    int r = network->is_first ? network_bridge_raise_uplink(state, err) : 0;

    if (r == 0 && is_new6)
        r = network_bridge_raise_uplink6(state, err);
    if (r == 0 && network->is_first && leads_out)
        r = nat_beside_open(state->uplink, err);
    if (r == 0 && leads_out)
        r = forwarding_allow_loopback(state->uplink, err);
    if (r == 0 && leads_out)
        r = forward(request, state, AF_INET, err);
    if (r == 0 && leads_out && network->port.has_ipv6)
        r = forward(request, state, AF_INET6, err);
    return r;
}

int network_open_way_out(struct network *network, const struct network_request *request,
                         struct network_state *state, struct err *err) {
    struct nat nat = {.uplink = state->uplink,
                      .address_be = network->port.address_be,
                      .has_ipv6 = network->port.has_ipv6,
                      .address6 = network->port.address6,
                      .is_closed = state->way == NETWORK_TO_HOST,
                      .ports = request->ports,
                      .n_ports = request->n_ports};
    int r = open_link(network, request, state, err);

    if (r == 0 && network->port.has_ipv6)
        r = network->sockets.ra_fd = ra_socket_open(state->uplink, err);
    if (r < 0)
        return r;
    nat.is_router = !state->forwards;
    nat.is_router6 = !state->forwards6;
    network->nat_fd = nat_open(&nat, err);
    return network->nat_fd < 0 ? network->nat_fd : 0;
}

/** stop_forwarding() - unless another network needs it. */
static void stop_forwarding(int state_fd, const char *network, struct network_state *state) {
    __attribute__((cleanup(network_entries_done))) struct network_entries all = {0};

    if (!state->forwards && !state->forwards6)
        return;
    (void)network_config_list(state_fd, &all, NULL);
    if (state->forwards && !find_forwarder(&all, network, AF_INET))
        forwarding_forbid(AF_INET);
    if (state->forwards6 && !find_forwarder(&all, network, AF_INET6)) {
        forwarding_forbid(AF_INET6);
        forwarding_release_listeners(state->listeners, NETWORK_MAX_LISTENERS);
    }
    state->forwards = state->forwards6 = false;
    memset(state->listeners, 0, sizeof state->listeners);
}

void network_close_way_out(int state_fd, const char *network, struct network_state *state) {
    stop_forwarding(state_fd, network, state);
    if (state->uplink[0] && state->way == NETWORK_OUT)
        (void)nat_beside_close(state->uplink, NULL);
    state->uplink[0] = '\0';
}

void network_clean(int state_fd) {
    __attribute__((cleanup(network_entries_done))) struct network_entries all = {0};
    _cleanup_close_ int lock_fd = -1;

    if (network_config_list(state_fd, &all, NULL) < 0)
        return;
    for (size_t i = 0; i < all.n; i++) {
        struct network_state *state = &all.items[i].state;

        if (network_state_has_supervisor(state) || !state->uplink[0])
            continue;
        if (lock_fd < 0)
            lock_fd = network_state_lock(state_fd, NULL);
        network_state_done(state);
        if (lock_fd < 0 || network_state_load(state_fd, all.items[i].name, state, NULL) < 0)
            return;
        network_state_drop_dead(state);
        if (network_state_has_supervisor(state))
            continue;
        network_close_way_out(state_fd, all.items[i].name, state);
        network_state_save(state_fd, all.items[i].name, state, NULL);
    }
}
