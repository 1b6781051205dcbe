/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as lists and as JSON, in the forms of docker and podman; pure. */
#include "network_table.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "rows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <time.h>

#define SHORT_ID 12
#define GAP 3

int network_rows_make(const struct network_entries *entries, struct network_rows *ret_rows) {
    struct network_row *rows = calloc(NETWORKS_N_BUILT_IN + entries->n, sizeof *rows);
    size_t n = 0;

    if (!rows)
        return -ENOMEM;
    for (size_t i = 0; i < NETWORKS_N_BUILT_IN; i++)
        rows[n++] = (struct network_row){.name = networks_built_in[i].name,
                                         .driver = networks_built_in[i].driver};
    for (size_t i = 0; i < entries->n; i++) {
        const struct network_entry *entry = &entries->items[i];
        bool is_built_in = false;

        for (size_t k = 0; k < NETWORKS_N_BUILT_IN; k++)
            if (networks_built_in[k].file && str_eq(entry->name, networks_built_in[k].file)) {
                rows[k].entry = entry;
                is_built_in = true;
            }
        if (!is_built_in)
            rows[n++] =
                (struct network_row){.name = entry->name, .driver = "bridge", .entry = entry};
    }
    *ret_rows = (struct network_rows){.items = rows, .n = n};
    return 0;
}

void network_row_id(const struct network_row *row, char ret_id[SHA256_HEX_BYTES]) {
    struct sha256 sha;

    sha256_init(&sha);
    sha256_text(&sha, row->name);
    sha256_number(&sha, row->entry ? (uint64_t)row->entry->state.created_sec : 0);
    sha256_final_hex(&sha, ret_id);
}

const struct network_row *network_rows_find(const struct network_rows *rows, const char *word) {
    const struct network_row *found = NULL;
    size_t n = 0;

    for (size_t i = 0; i < rows->n; i++)
        if (str_eq(rows->items[i].name, word))
            return &rows->items[i];
    for (size_t i = 0; i < rows->n; i++) {
        char id[SHA256_HEX_BYTES];

        network_row_id(&rows->items[i], id);
        if (*word && str_after(id, word)) {
            found = &rows->items[i];
            n++;
        }
    }
    return n == 1 ? found : NULL;
}

void network_table_format(struct buf *buf, const struct network_rows *rows, bool full,
                          bool only_ids) {
    int id_columns = full ? SHA256_HEX_BYTES - 1 : SHORT_ID, name_columns = 4;

    for (size_t i = 0; i < rows->n; i++)
        if ((int)strlen(rows->items[i].name) > name_columns)
            name_columns = (int)strlen(rows->items[i].name);
    if (!only_ids)
        buf_printf(buf, "%-*s%-*s%-*s%s\n", id_columns + GAP, "NETWORK ID", name_columns + GAP,
                   "NAME", 6 + GAP, "DRIVER", "SCOPE");
    for (size_t i = 0; i < rows->n; i++) {
        const struct network_row *row = &rows->items[i];
        char id[SHA256_HEX_BYTES];

        network_row_id(row, id);
        if (only_ids)
            buf_printf(buf, "%.*s\n", id_columns, id);
        else
            buf_printf(buf, "%-*.*s%-*s%-*s%s\n", id_columns + GAP, id_columns, id,
                       name_columns + GAP, row->name, 6 + GAP, row->driver, "local");
    }
}

/* JSON. */

static const char *address_text(uint32_t address, char ret[INET_ADDRSTRLEN]) {
    struct in_addr in = {htonl(address)};

    return inet_ntop(AF_INET, &in, ret, INET_ADDRSTRLEN);
}

static void add_created(struct value *object, const char *key, int64_t created_sec) {
    char text[32] = "";
    time_t seconds = (time_t)created_sec;
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    value_add_text(object, key, text);
}

static bool leads_nowhere(const struct network_row *row) {
    if (row->entry)
        return row->entry->state.way != NETWORK_OUT;
    return str_eq(row->name, "bridge") || str_eq(row->driver, "null");
}

static bool has_ipv6(const struct network_row *row) {
    return row->entry && network_state_has_ipv6(&row->entry->state);
}

static void add_subnet(struct value *list, const char *subnet, const char *gateway) {
    struct value *item = value_add(list, NULL, value_new(VALUE_OBJECT));

    value_add_text(item, "Subnet", subnet);
    value_add_text(item, "Gateway", gateway);
}

static void add_subnets(struct value *object, const char *key, const struct network_row *row) {
    const struct network_state *state = row->entry ? &row->entry->state : NULL;
    struct value *list = value_add(object, key, value_new(VALUE_LIST));
    char subnet[SUBNET6_TEXT_BYTES], gateway[INET6_ADDRSTRLEN];

    if (state) {
        subnet_format(&state->subnet, subnet);
        add_subnet(list, subnet, address_text(network_state_gateway(state), gateway));
    }
    if (has_ipv6(row)) {
        struct in6_addr router = subnet6_router(&state->prefix6);

        subnet6_format(&state->prefix6, subnet);
        add_subnet(list, subnet, inet_ntop(AF_INET6, &router, gateway, sizeof gateway));
    }
}

void network_table_json(struct buf *buf, const struct network_rows *rows) {
    _cleanup_value_ struct value *list = value_new(VALUE_LIST);

    for (size_t i = 0; i < rows->n; i++) {
        const struct network_row *row = &rows->items[i];
        struct value *item = value_add(list, NULL, value_new(VALUE_OBJECT));
        char id[SHA256_HEX_BYTES];

        network_row_id(row, id);
        add_created(item, "CreatedAt", row->entry ? row->entry->state.created_sec : 0);
        value_add_text(item, "Driver", row->driver);
        value_add_text(item, "ID", id);
        value_add_bool(item, "IPv6", has_ipv6(row));
        value_add_bool(item, "Internal", leads_nowhere(row));
        value_add_text(item, "Name", row->name);
        value_add_text(item, "Scope", "local");
        add_subnets(item, "Subnets", row);
    }
    rows_json(buf, list);
}

static void add_member(struct value *members, const struct network_state *state,
                       const struct network_member *member) {
    struct value *object = value_add(members, member->container, value_new(VALUE_OBJECT));
    char mac[18], address[INET_ADDRSTRLEN], text[INET_ADDRSTRLEN + 4];
    char address6[SUBNET6_TEXT_BYTES] = "";

    if (network_state_is_on_ipv6(state, member)) {
        struct in6_addr own = subnet6_address(&state->prefix6, member->mac);

        subnet6_format(&own, address6);
    }
    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", member->mac[0], member->mac[1],
             member->mac[2], member->mac[3], member->mac[4], member->mac[5]);
    snprintf(text, sizeof text, "%s/%u", address_text(member->address, address),
             state->subnet.prefix);
    value_add_text(object, "Name", member->container);
    value_add_text(object, "EndpointID", "");
    value_add_text(object, "MacAddress", mac);
    value_add_text(object, "IPv4Address", text);
    value_add_text(object, "IPv6Address", address6);
}

struct value *network_table_value(const struct network_row *row) {
    const struct network_state *state = row->entry ? &row->entry->state : NULL;
    struct value *network = value_new(VALUE_OBJECT), *ipam, *members, *options;
    char id[SHA256_HEX_BYTES], mtu[8];

    network_row_id(row, id);
    value_add_text(network, "Name", row->name);
    value_add_text(network, "Id", id);
    add_created(network, "Created", state ? state->created_sec : 0);
    value_add_text(network, "Scope", "local");
    value_add_text(network, "Driver", row->driver);
    value_add_bool(network, "EnableIPv6", has_ipv6(row));
    ipam = value_add(network, "IPAM", value_new(VALUE_OBJECT));
    value_add_text(ipam, "Driver", "dhcp");
    add_subnets(ipam, "Config", row);
    value_add_bool(network, "Internal", leads_nowhere(row));
    value_add_bool(network, "HostAccess", state && state->way == NETWORK_TO_HOST);
    members = value_add(network, "Containers", value_new(VALUE_OBJECT));
    for (size_t i = 0; state && i < state->n_members; i++)
        if (state->members[i].pid > 0)
            add_member(members, state, &state->members[i]);
    options = value_add(network, "Options", value_new(VALUE_OBJECT));
    if (state && state->mtu) {
        snprintf(mtu, sizeof mtu, "%u", state->mtu);
        value_add_text(options, "com.docker.network.driver.mtu", mtu);
    }
    (void)value_add(network, "Labels", value_new(VALUE_OBJECT));
    return network;
}

/* Ports. */

/* Whether "80" or "80/udp" means a port; without a protocol it is TCP's. */
static bool is_wanted(const struct nat_port *port, const char *wanted) {
    char text[16];

    if (!wanted)
        return true;
    snprintf(text, sizeof text, "%u/%s", port->container_port,
             port->protocol == IPPROTO_TCP ? "tcp" : "udp");
    if (strchr(wanted, '/'))
        return str_eq(wanted, text);
    return port->protocol == IPPROTO_TCP && strlen(wanted) + 4 == strlen(text) &&
           str_after(text, wanted);
}

static void put_line(struct buf *buf, const struct nat_port *port, const char *host, bool alone) {
    if (!alone)
        buf_printf(buf, "%u/%s -> ", port->container_port,
                   port->protocol == IPPROTO_TCP ? "tcp" : "udp");
    buf_printf(buf, "%s:%u\n", host, port->host_port);
}

static void put_port(struct buf *buf, const struct nat_port *port, bool alone) {
    char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 2];

    if (nat_port_has_ipv4(port) && nat_port_has_ipv6(port)) {
        put_line(buf, port, "0.0.0.0", alone);
        put_line(buf, port, "[::]", alone);
        return;
    }
    nat_format_host(port, host);
    snprintf(text, sizeof text, nat_port_has_ipv6(port) ? "[%s]" : "%s", host);
    put_line(buf, port, text, alone);
}

size_t network_table_ports(struct buf *buf, const struct network_entries *entries,
                           const char *container, const char *wanted, bool *ret_is_known) {
    size_t n = 0;

    *ret_is_known = false;
    for (size_t i = 0; i < entries->n; i++) {
        const struct network_state *state = &entries->items[i].state;

        for (size_t k = 0; k < state->n_members; k++) {
            const struct network_member *member = &state->members[k];

            if (member->pid <= 0 || !str_eq(member->container, container))
                continue;
            *ret_is_known = true;
            for (size_t p = 0; p < state->n_publications; p++)
                if (state->publications[p].address == member->address &&
                    is_wanted(&state->publications[p].port, wanted)) {
                    put_port(buf, &state->publications[p].port, wanted != NULL);
                    n++;
                }
        }
    }
    return n;
}
