/* SPDX-License-Identifier: Apache-2.0 */
/* Networks as lists and as JSON, in the forms of docker and podman; pure. */
#include "network_table.h"

#include "engine/base/cleanup.h"
#include "engine/base/json_writer.h"
#include "engine/base/str.h"

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

static void put_string(struct json_writer *json, const char *key, const char *value) {
    json_writer_key(json, key);
    json_writer_string(json, value);
}

static void put_bool(struct json_writer *json, const char *key, bool value) {
    json_writer_key(json, key);
    json_writer_bool(json, value);
}

static void put_created(struct json_writer *json, const char *key, int64_t created_sec) {
    char text[32] = "";
    time_t seconds = (time_t)created_sec;
    struct tm tm;

    if (gmtime_r(&seconds, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    put_string(json, key, text);
}

static bool leads_nowhere(const struct network_row *row) {
    if (row->entry)
        return row->entry->state.way != NETWORK_OUT;
    return str_eq(row->name, "bridge") || str_eq(row->driver, "null");
}

static void put_subnets(struct json_writer *json, const struct network_row *row) {
    const struct network_state *state = row->entry ? &row->entry->state : NULL;

    json_writer_open_array(json);
    if (state) {
        char subnet[SUBNET_TEXT_BYTES], gateway[INET_ADDRSTRLEN];

        subnet_format(&state->subnet, subnet);
        json_writer_open_object(json);
        put_string(json, "Subnet", subnet);
        put_string(json, "Gateway", address_text(network_state_gateway(state), gateway));
        json_writer_close_object(json);
    }
    json_writer_close_array(json);
}

void network_table_json(struct buf *buf, const struct network_rows *rows) {
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_array(&json);
    for (size_t i = 0; i < rows->n; i++) {
        const struct network_row *row = &rows->items[i];
        char id[SHA256_HEX_BYTES];

        network_row_id(row, id);
        json_writer_open_object(&json);
        put_created(&json, "CreatedAt", row->entry ? row->entry->state.created_sec : 0);
        put_string(&json, "Driver", row->driver);
        put_string(&json, "ID", id);
        put_bool(&json, "IPv6", false);
        put_bool(&json, "Internal", leads_nowhere(row));
        put_string(&json, "Name", row->name);
        put_string(&json, "Scope", "local");
        json_writer_key(&json, "Subnets");
        put_subnets(&json, row);
        json_writer_close_object(&json);
    }
    json_writer_close_array(&json);
    buf_append(buf, json.buf.data, json.buf.size);
    buf->failed |= buf_failed(&json.buf);
    buf_puts(buf, "\n");
    json_writer_done(&json);
}

static void put_member(struct json_writer *json, const struct network_state *state,
                       const struct network_member *member) {
    char mac[18], address[INET_ADDRSTRLEN], text[INET_ADDRSTRLEN + 4];

    snprintf(mac, sizeof mac, "%02x:%02x:%02x:%02x:%02x:%02x", member->mac[0], member->mac[1],
             member->mac[2], member->mac[3], member->mac[4], member->mac[5]);
    snprintf(text, sizeof text, "%s/%u", address_text(member->address, address),
             state->subnet.prefix);
    json_writer_key(json, member->container);
    json_writer_open_object(json);
    put_string(json, "Name", member->container);
    put_string(json, "EndpointID", "");
    put_string(json, "MacAddress", mac);
    put_string(json, "IPv4Address", text);
    put_string(json, "IPv6Address", "");
    json_writer_close_object(json);
}

static void put_network(struct json_writer *json, const struct network_row *row) {
    const struct network_state *state = row->entry ? &row->entry->state : NULL;
    char id[SHA256_HEX_BYTES];

    network_row_id(row, id);
    json_writer_open_object(json);
    put_string(json, "Name", row->name);
    put_string(json, "Id", id);
    put_created(json, "Created", state ? state->created_sec : 0);
    put_string(json, "Scope", "local");
    put_string(json, "Driver", row->driver);
    put_bool(json, "EnableIPv6", false);
    json_writer_key(json, "IPAM");
    json_writer_open_object(json);
    put_string(json, "Driver", "dhcp");
    json_writer_key(json, "Config");
    put_subnets(json, row);
    json_writer_close_object(json);
    put_bool(json, "Internal", leads_nowhere(row));
    put_bool(json, "HostAccess", state && state->way == NETWORK_TO_HOST);
    json_writer_key(json, "Containers");
    json_writer_open_object(json);
    for (size_t i = 0; state && i < state->n_members; i++)
        if (state->members[i].pid > 0)
            put_member(json, state, &state->members[i]);
    json_writer_close_object(json);
    json_writer_key(json, "Options");
    json_writer_open_object(json);
    if (state && state->mtu) {
        char mtu[8];

        snprintf(mtu, sizeof mtu, "%u", state->mtu);
        put_string(json, "com.docker.network.driver.mtu", mtu);
    }
    json_writer_close_object(json);
    json_writer_key(json, "Labels");
    json_writer_open_object(json);
    json_writer_close_object(json);
    json_writer_close_object(json);
}

void network_table_inspect(struct buf *buf, const struct network_row *const *rows, size_t n) {
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_array(&json);
    for (size_t i = 0; i < n; i++)
        put_network(&json, rows[i]);
    json_writer_close_array(&json);
    buf_append(buf, json.buf.data, json.buf.size);
    buf->failed |= buf_failed(&json.buf);
    buf_puts(buf, "\n");
    json_writer_done(&json);
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
