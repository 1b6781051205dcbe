/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NFT_H
#define MAYFLY_NFT_H

#include "netlink.h"

/* Before the kernel's headers, which otherwise define the same things again. */
#include <netinet/in.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * NFT_REGISTER() - one of the sixteen registers of four bytes
 *
 * A value longer than four bytes takes the registers that follow as well.
 */
#define NFT_REGISTER(n) (NFT_REG32_00 + (n))

/** struct nft_table - where chains, sets and rules go: NFPROTO_* and a name */
struct nft_table {
    uint8_t family;
    const char *name;
};

/** struct nft_base_chain - a chain that the kernel enters by itself; enum nf_*_hooks */
struct nft_base_chain {
    const char *name;
    const char *type; /* "filter" or "nat" */
    uint32_t hook;
    int32_t priority;
    uint32_t policy; /* NF_ACCEPT or NF_DROP */
};

/* A transaction: everything between the first two takes effect at once, or not at all.
 * Context: the namespace is the socket's (NETLINK_NETFILTER); CAP_NET_ADMIN there. */

void nft_transaction_begin(struct netlink_batch *batch);
void nft_transaction_end(struct netlink_batch *batch);

/** nft_add_table() - no error when it is there already. */
void nft_add_table(struct netlink_batch *batch, const struct nft_table *table);
/** nft_add_owned_table() - a table that goes when the socket that makes it is closed.
 * Needs Linux 5.12. */
void nft_add_owned_table(struct netlink_batch *batch, const struct nft_table *table);
/** nft_delete_table() - with all that is in it. */
void nft_delete_table(struct netlink_batch *batch, const struct nft_table *table);
void nft_add_base_chain(struct netlink_batch *batch, const struct nft_table *table,
                        const struct nft_base_chain *chain);
/** nft_add_link_chain() - one of a table of NFPROTO_NETDEV, for what comes in by that link alone;
 * it goes with the link. */
void nft_add_link_chain(struct netlink_batch *batch, const struct nft_table *table,
                        const struct nft_base_chain *chain, const char *link);

/** nft_add_set() - a set of keys.  @id: a number of its own within the transaction */
void nft_add_set(struct netlink_batch *batch, const struct nft_table *table, const char *name,
                 uint32_t id, uint32_t key_bytes);
/** nft_add_element() - no error when it is there already. */
void nft_add_element(struct netlink_batch *batch, const struct nft_table *table, const char *set,
                     const void *key, size_t size);
/** nft_delete_element() - the kernel takes some 15 ms for it. */
void nft_delete_element(struct netlink_batch *batch, const struct nft_table *table, const char *set,
                        const void *key, size_t size);

/* A rule: nft_rule_begin(), any number of expressions, nft_rule_end().  An expression that does
 * not match ends the rule. */

void nft_rule_begin(struct netlink_batch *batch, const struct nft_table *table, const char *chain);
/** nft_rule_begin_first() - before the chain's other rules instead of behind them. */
void nft_rule_begin_first(struct netlink_batch *batch, const struct nft_table *table,
                          const char *chain);
void nft_rule_end(struct netlink_batch *batch);

/** nft_rule_comment() - after nft_rule_end(): a comment of at most 100 bytes. */
void nft_rule_comment(struct netlink_batch *batch, const char *text);
/** nft_delete_rule() - @handle_be: the kernel's number of it, as it comes. */
void nft_delete_rule(struct netlink_batch *batch, const struct nft_table *table, const char *chain,
                     const void *handle_be);
/** nft_list() - ask for all chains (NFT_MSG_GETCHAIN) or rules (NFT_MSG_GETRULE), for
 * netlink_dump().
 */
void nft_list(struct netlink_batch *batch, uint16_t type);

/** nft_load_meta() - @key: enum nft_meta_keys */
void nft_load_meta(struct netlink_batch *batch, uint32_t key, uint32_t reg);
/** nft_load_ct() - @key: enum nft_ct_keys */
void nft_load_ct(struct netlink_batch *batch, uint32_t key, uint32_t reg);
/** nft_load_destination_type() - the kind of address that a packet goes to: RTN_LOCAL ... */
void nft_load_destination_type(struct netlink_batch *batch, uint32_t reg);
/** nft_load_payload() - @base: enum nft_payload_bases */
void nft_load_payload(struct netlink_batch *batch, uint32_t base, uint32_t offset, uint32_t size,
                      uint32_t reg);
/** nft_load_value() - a constant. */
void nft_load_value(struct netlink_batch *batch, uint32_t reg, const void *data, size_t size);
/** nft_mask() - keep some bits of a register. */
void nft_mask(struct netlink_batch *batch, uint32_t reg, const void *mask, size_t size);
/** nft_compare() - @op: enum nft_cmp_ops */
void nft_compare(struct netlink_batch *batch, uint32_t reg, uint32_t op, const void *data,
                 size_t size);
/** nft_lookup() - whether a key is in a set, or with @inverted is not. */
void nft_lookup(struct netlink_batch *batch, const char *set, uint32_t reg, bool inverted);
/** nft_verdict() - @code: NF_ACCEPT, NF_DROP */
void nft_verdict(struct netlink_batch *batch, uint32_t code);
/** nft_masquerade() - send on under the address of the link that it leaves by. */
void nft_masquerade(struct netlink_batch *batch);
/**
 * nft_redirect_to() - send on to another destination
 * @family: NFPROTO_IPV4, NFPROTO_IPV6
 * @address_reg, @port_reg: registers that hold address and port
 */
void nft_redirect_to(struct netlink_batch *batch, uint8_t family, uint32_t address_reg,
                     uint32_t port_reg);

#endif
