/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table is an array over the pool, so that an address is found at once,
 * and a hash over the clients' identities.  A lease that has expired stays
 * where it is until its address is needed: its client gets the same one again
 * as long as nobody else had to have it.
 *
 * A client has one lease at most, and an address one client; each function
 * keeps both true.
 */
#include "dhcp_lease.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N_BUCKETS 4096u

static const char *const state_names[] = {
    [DHCP_LEASE_OFFERED] = "offered",
    [DHCP_LEASE_BOUND] = "bound",
    [DHCP_LEASE_RELEASED] = "released",
    [DHCP_LEASE_DECLINED] = "declined",
};

int dhcp_lease_table_init(struct dhcp_lease_table *table, uint32_t first, uint32_t last) {
    *table = (struct dhcp_lease_table){.first = first, .last = last, .cursor = first};
    if (first > last || last - first >= DHCP_LEASE_MAX_POOL)
        return -ERANGE;
    table->by_address = calloc((size_t)last - first + 1, sizeof(struct dhcp_lease *));
    table->by_id = calloc(N_BUCKETS, sizeof(struct dhcp_lease *));
    if (table->by_address && table->by_id)
        return 0;
    dhcp_lease_table_done(table);
    return -ENOMEM;
}

void dhcp_lease_table_done(struct dhcp_lease_table *table) {
    for (uint64_t a = table->first; table->by_address && a <= table->last; a++)
        free(table->by_address[a - table->first]);
    free(table->by_address);
    free(table->by_id);
    *table = (struct dhcp_lease_table){0};
}

struct dhcp_client_id dhcp_client_id_of_mac(const uint8_t mac[6]) {
    struct dhcp_client_id id = {.size = 7, .bytes = {1}};

    memcpy(id.bytes + 1, mac, 6);
    memcpy(id.mac, mac, 6);
    return id;
}

/** bucket() - FNV-1a over an identity. */
static struct dhcp_lease **bucket(struct dhcp_lease_table *table, const uint8_t *id, size_t size) {
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ id[i]) * 16777619u;
    return &table->by_id[(hash ^ hash >> 16) % N_BUCKETS];
}

struct dhcp_lease *dhcp_lease_find(struct dhcp_lease_table *table,
                                   const struct dhcp_client_id *id) {
    struct dhcp_lease *lease = *bucket(table, id->bytes, id->size);

    while (lease && (lease->id_size != id->size || memcmp(lease->id, id->bytes, id->size) != 0))
        lease = lease->next;
    return lease;
}

struct dhcp_lease *dhcp_lease_at(struct dhcp_lease_table *table, uint32_t address) {
    if (address < table->first || address > table->last)
        return NULL;
    return table->by_address[address - table->first];
}

static bool is_free(const struct dhcp_lease *lease, uint64_t now_nsec) {
    return !lease || lease->state == DHCP_LEASE_RELEASED ||
           (lease->expires_nsec != CLOCK_NEVER && lease->expires_nsec <= now_nsec);
}

bool dhcp_lease_is_free(struct dhcp_lease_table *table, uint32_t address, uint64_t now_nsec) {
    return address >= table->first && address <= table->last &&
           is_free(table->by_address[address - table->first], now_nsec);
}

void dhcp_lease_remove(struct dhcp_lease_table *table, struct dhcp_lease *lease) {
    struct dhcp_lease **link = bucket(table, lease->id, lease->id_size);

    while (*link != lease)
        link = &(*link)->next;
    *link = lease->next;
    table->by_address[lease->address - table->first] = NULL;
    free(lease);
}

/** add() - a lease for an address that has none, for a client that has none. */
static struct dhcp_lease *add(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                              uint32_t address) {
    struct dhcp_lease **link = bucket(table, id->bytes, id->size);
    struct dhcp_lease *lease = calloc(1, sizeof *lease);

    if (!lease)
        return NULL;
    lease->address = address;
    lease->id_size = id->size;
    memcpy(lease->id, id->bytes, id->size);
    memcpy(lease->mac, id->mac, sizeof lease->mac);
    lease->next = *link;
    *link = lease;
    table->by_address[address - table->first] = lease;
    return lease;
}

/** pick() - an address that is free: never used, else free for longest; 0 when there is none. */
static uint32_t pick(struct dhcp_lease_table *table, uint64_t now_nsec) {
    uint32_t n = table->last - table->first + 1;
    struct dhcp_lease *oldest = NULL;

    for (uint32_t i = 0; i < n; i++) {
        uint32_t address = table->first + (table->cursor - table->first + i) % n;
        struct dhcp_lease *lease = table->by_address[address - table->first];

        if (!lease) {
            table->cursor = address == table->last ? table->first : address + 1;
            return address;
        }
        if (is_free(lease, now_nsec) && (!oldest || lease->expires_nsec < oldest->expires_nsec))
            oldest = lease;
    }
    return oldest ? oldest->address : 0;
}

/** take() - the client's lease on a free address; its former lease and the address's go. */
static struct dhcp_lease *take(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                               uint32_t address) {
    struct dhcp_lease *former = dhcp_lease_at(table, address);

    if (former)
        dhcp_lease_remove(table, former);
    former = dhcp_lease_find(table, id);
    if (former)
        dhcp_lease_remove(table, former);
    return add(table, id, address);
}

int dhcp_lease_offer(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                     uint32_t wanted, uint64_t now_nsec, uint64_t until_nsec,
                     struct dhcp_lease **ret_lease) {
    struct dhcp_lease *lease = dhcp_lease_find(table, id);

    if (lease && lease->state == DHCP_LEASE_BOUND && !is_free(lease, now_nsec)) {
        *ret_lease = lease;
        return 0;
    }
    if (!lease) {
        uint32_t address =
            dhcp_lease_is_free(table, wanted, now_nsec) ? wanted : pick(table, now_nsec);

        if (address == 0)
            return -ENOSPC;
        lease = take(table, id, address);
        if (!lease)
            return -ENOMEM;
    }
    lease->state = DHCP_LEASE_OFFERED;
    lease->expires_nsec = until_nsec;
    *ret_lease = lease;
    return 0;
}

int dhcp_lease_bind(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                    uint32_t address, uint64_t now_nsec, uint64_t until_nsec) {
    struct dhcp_lease *lease = dhcp_lease_find(table, id);

    if (address < table->first || address > table->last)
        return -EADDRNOTAVAIL;
    if (!lease || lease->address != address) {
        if (!dhcp_lease_is_free(table, address, now_nsec))
            return -EADDRINUSE;
        lease = take(table, id, address);
        if (!lease)
            return -ENOMEM;
    }
    lease->state = DHCP_LEASE_BOUND;
    lease->expires_nsec = until_nsec;
    memcpy(lease->mac, id->mac, sizeof lease->mac);
    return 0;
}

int dhcp_lease_release(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                       uint32_t address, uint64_t now_nsec) {
    struct dhcp_lease *lease = dhcp_lease_find(table, id);

    if (!lease || lease->address != address)
        return -ENOENT;
    lease->state = DHCP_LEASE_RELEASED;
    lease->expires_nsec = now_nsec;
    return 0;
}

int dhcp_lease_decline(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                       uint32_t address, uint64_t until_nsec) {
    /* An identity that no client can have: those of clients have at least one byte. */
    static const struct dhcp_client_id nobody = {0};
    struct dhcp_lease *lease = dhcp_lease_find(table, id);

    if (!lease || lease->address != address)
        return -ENOENT;
    dhcp_lease_remove(table, lease);
    lease = add(table, &nobody, address);
    if (!lease)
        return -ENOMEM;
    memcpy(lease->mac, id->mac, sizeof lease->mac);
    lease->state = DHCP_LEASE_DECLINED;
    lease->expires_nsec = until_nsec;
    return 0;
}

static void format_hex(struct buf *buf, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; i++)
        buf_printf(buf, "%02x", data[i]);
}

void dhcp_lease_format(const struct dhcp_lease *lease, struct buf *buf) {
    struct in_addr address = {htonl(lease->address)};
    char text[INET_ADDRSTRLEN];

    buf_printf(buf, "%s %s ", inet_ntop(AF_INET, &address, text, sizeof text),
               state_names[lease->state]);
    if (lease->expires_nsec == CLOCK_NEVER)
        buf_puts(buf, "never ");
    else
        buf_printf(buf, "%" PRIu64 " ", lease->expires_nsec);
    format_hex(buf, lease->mac, sizeof lease->mac);
    buf_puts(buf, " ");
    if (lease->id_size == 0)
        buf_puts(buf, "-");
    format_hex(buf, lease->id, lease->id_size);
}

/** parse_hex() - @max bytes at most.  Return: how many, or -EINVAL. */
static int parse_hex(const char *text, uint8_t *ret, size_t max) {
    size_t n = strlen(text);

    if (n % 2 != 0 || n / 2 > max || strspn(text, "0123456789abcdef") != n)
        return -EINVAL;
    for (size_t i = 0; i < n / 2; i++) {
        char digits[3] = {text[2 * i], text[2 * i + 1]};

        ret[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return (int)(n / 2);
}

static int parse_state(const char *text, enum dhcp_lease_state *ret) {
    for (size_t i = 0; i < N_ELEMENTS(state_names); i++)
        if (str_eq(text, state_names[i])) {
            *ret = (enum dhcp_lease_state)i;
            return 0;
        }
    return -EINVAL;
}

int dhcp_lease_parse(struct dhcp_lease_table *table, const char *text) {
    char address_text[16], state_text[16], expires[24], mac[16], id_text[136];
    struct dhcp_client_id id = {0};
    enum dhcp_lease_state state;
    uint64_t expires_nsec = CLOCK_NEVER;
    struct in_addr address;
    struct dhcp_lease *lease;
    int id_size = 0;

    if (sscanf(text, "%15s %15s %23s %15s %135s", address_text, state_text, expires, mac,
               id_text) != 5 ||
        inet_pton(AF_INET, address_text, &address) != 1 || parse_state(state_text, &state) < 0 ||
        (!str_eq(expires, "never") && str_to_u64(expires, CLOCK_NEVER - 1, &expires_nsec) < 0) ||
        parse_hex(mac, id.mac, sizeof id.mac) != sizeof id.mac)
        return -EINVAL;
    if (!str_eq(id_text, "-"))
        id_size = parse_hex(id_text, id.bytes, sizeof id.bytes);
    if (id_size < 0 || (id_size == 0) != (state == DHCP_LEASE_DECLINED))
        return -EINVAL;
    id.size = (uint8_t)id_size;
    if (ntohl(address.s_addr) < table->first || ntohl(address.s_addr) > table->last)
        return -EADDRNOTAVAIL;
    if (dhcp_lease_at(table, ntohl(address.s_addr)) || (id.size > 0 && dhcp_lease_find(table, &id)))
        return -EEXIST;
    lease = add(table, &id, ntohl(address.s_addr));
    if (!lease)
        return -ENOMEM;
    lease->state = state;
    lease->expires_nsec = expires_nsec;
    return 0;
}
