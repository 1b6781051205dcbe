/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DHCP_LEASE_H
#define MAYFLY_DHCP_LEASE_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHCP_LEASE_ID_BYTES 64
/** The largest pool: a /16. */
#define DHCP_LEASE_MAX_POOL 65536

enum dhcp_lease_state {
    DHCP_LEASE_OFFERED,  /* kept back for a client until it answers */
    DHCP_LEASE_BOUND,    /* in use until it expires */
    DHCP_LEASE_RELEASED, /* free; remembered, so that its client gets it again */
    DHCP_LEASE_DECLINED, /* in use by something unknown; left alone until it expires */
};

/**
 * struct dhcp_lease - one address and whose it is
 * @address: host byte order
 * @id: @id_size bytes that identify the client
 * @mac: where it was last seen; for people who read the table
 * @expires_nsec: on the caller's clock; CLOCK_NEVER has no end
 * @next: of the same hash value
 */
struct dhcp_lease {
    uint32_t address;
    enum dhcp_lease_state state;
    uint64_t expires_nsec;
    uint8_t mac[6];
    uint8_t id_size;
    uint8_t id[DHCP_LEASE_ID_BYTES];
    struct dhcp_lease *next;
};

/** struct dhcp_client_id - who asks */
struct dhcp_client_id {
    uint8_t size;
    uint8_t bytes[DHCP_LEASE_ID_BYTES];
    uint8_t mac[6];
};

/**
 * struct dhcp_lease_table - a pool of addresses and who has which
 * @first, @last: the pool, host byte order, both ends in it
 * @by_address: a pointer for each address of the pool, owned
 *
 * No clock and no file of its own: times come as parameters, and the text form
 * goes through dhcp_lease_format() and dhcp_lease_parse().
 */
struct dhcp_lease_table {
    uint32_t first;
    uint32_t last;
    uint32_t cursor;
    struct dhcp_lease **by_address;
    struct dhcp_lease **by_id;
};

/** dhcp_lease_table_init() - Return: 0, -ERANGE for a pool that is empty or too large, -ENOMEM. */
int dhcp_lease_table_init(struct dhcp_lease_table *table, uint32_t first, uint32_t last);
void dhcp_lease_table_done(struct dhcp_lease_table *table);

/** dhcp_client_id_of_mac() - the identity of a client that gives none: type 1 and its address. */
struct dhcp_client_id dhcp_client_id_of_mac(const uint8_t mac[6]);

/** dhcp_lease_find() - the client's lease, expired ones too, or NULL; borrowed. */
struct dhcp_lease *dhcp_lease_find(struct dhcp_lease_table *table, const struct dhcp_client_id *id);

/** dhcp_lease_at() - the lease of an address or NULL; borrowed. */
struct dhcp_lease *dhcp_lease_at(struct dhcp_lease_table *table, uint32_t address);

/** dhcp_lease_is_free() - whether an address of the pool can be given to anyone now. */
bool dhcp_lease_is_free(struct dhcp_lease_table *table, uint32_t address, uint64_t now_nsec);

/**
 * dhcp_lease_offer() - keep an address back for a client
 * @wanted: host byte order, 0 for none
 * @until_nsec: when the offer is forgotten; an existing binding is not shortened
 *
 * In this order: what the client has or last had, what it wants, an address never used, the one
 * that has been free for longest.
 * Spec: RFC 2131 section 4.3.1.
 * Return: 0, -ENOSPC when the pool has run dry, -ENOMEM.
 */
int dhcp_lease_offer(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                     uint32_t wanted, uint64_t now_nsec, uint64_t until_nsec,
                     struct dhcp_lease **ret_lease);

/**
 * dhcp_lease_bind() - a client takes or extends an address
 *
 * Its own lease, or one that is free.
 * Return: 0, -EADDRINUSE when it is another's, -EADDRNOTAVAIL outside the pool, -ENOMEM.
 */
int dhcp_lease_bind(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                    uint32_t address, uint64_t now_nsec, uint64_t until_nsec);

/** dhcp_lease_release() - the client gives its address back.  Return: 0, or -ENOENT when it was not
 * its own. */
int dhcp_lease_release(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                       uint32_t address, uint64_t now_nsec);

/** dhcp_lease_decline() - the client saw its address in use.  Return: as dhcp_lease_release(). */
int dhcp_lease_decline(struct dhcp_lease_table *table, const struct dhcp_client_id *id,
                       uint32_t address, uint64_t until_nsec);

/** dhcp_lease_remove() - forget a lease. */
void dhcp_lease_remove(struct dhcp_lease_table *table, struct dhcp_lease *lease);

/** dhcp_lease_format() - append "ADDRESS STATE EXPIRES MAC ID", without a newline. */
void dhcp_lease_format(const struct dhcp_lease *lease, struct buf *buf);

/**
 * dhcp_lease_parse() - add a lease from such a text
 * Return: 0, -EINVAL, -EADDRNOTAVAIL outside the pool, -EEXIST for an address or a client that is
 * there already, -ENOMEM.
 */
int dhcp_lease_parse(struct dhcp_lease_table *table, const char *text);

#endif
