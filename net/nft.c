/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nf_tables' netlink interface, as far as it is needed: tables, chains, sets,
 * and rules made of small expressions that load, compare and decide.
 *
 * A rule is a list of expressions, each a name and its attributes.  All
 * numbers are in network byte order, unlike the rest of netlink.  libnftnl
 * would build the same bytes out of objects that it allocates; what these
 * rules need of it is this file.
 *
 * Spec: the kernel's include/uapi/linux/netfilter/nf_tables.h.
 */
#include "nft.h"

#include <arpa/inet.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>
#include <sys/socket.h>

#define EXPRESSION_NEST NFTA_LIST_ELEM

static void begin(struct netlink_batch *batch, uint16_t type, uint16_t flags, uint8_t family) {
    const struct nfgenmsg header = {.nfgen_family = family, .version = NFNETLINK_V0};

    netlink_begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), flags | NLM_F_ACK, &header,
                  sizeof header);
}

static void marker(struct netlink_batch *batch, uint16_t type) {
    const struct nfgenmsg header = {
        .nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0, .res_id = htons(NFNL_SUBSYS_NFTABLES)};

    netlink_begin(batch, type, 0, &header, sizeof header);
}

void nft_transaction_begin(struct netlink_batch *batch) {
    marker(batch, NFNL_MSG_BATCH_BEGIN);
}

void nft_transaction_end(struct netlink_batch *batch) {
    marker(batch, NFNL_MSG_BATCH_END);
}

void nft_add_table(struct netlink_batch *batch, const struct nft_table *table) {
    begin(batch, NFT_MSG_NEWTABLE, NLM_F_CREATE, table->family);
    netlink_put_string(batch, NFTA_TABLE_NAME, table->name);
}

void nft_add_owned_table(struct netlink_batch *batch, const struct nft_table *table) {
    nft_add_table(batch, table);
    netlink_put_be32(batch, NFTA_TABLE_FLAGS, NFT_TABLE_F_OWNER);
}

void nft_delete_table(struct netlink_batch *batch, const struct nft_table *table) {
    begin(batch, NFT_MSG_DELTABLE, 0, table->family);
    netlink_put_string(batch, NFTA_TABLE_NAME, table->name);
}

static void add_chain(struct netlink_batch *batch, const struct nft_table *table,
                      const struct nft_base_chain *chain, const char *link) {
    begin(batch, NFT_MSG_NEWCHAIN, NLM_F_CREATE, table->family);
    netlink_put_string(batch, NFTA_CHAIN_TABLE, table->name);
    netlink_put_string(batch, NFTA_CHAIN_NAME, chain->name);
    netlink_put_string(batch, NFTA_CHAIN_TYPE, chain->type);
    netlink_put_be32(batch, NFTA_CHAIN_POLICY, chain->policy);
    netlink_nest_begin(batch, NFTA_CHAIN_HOOK, NULL, 0);
    netlink_put_be32(batch, NFTA_HOOK_HOOKNUM, chain->hook);
    netlink_put_be32(batch, NFTA_HOOK_PRIORITY, (uint32_t)chain->priority);
    if (link)
        netlink_put_string(batch, NFTA_HOOK_DEV, link);
    netlink_nest_end(batch);
}

void nft_add_base_chain(struct netlink_batch *batch, const struct nft_table *table,
                        const struct nft_base_chain *chain) {
    add_chain(batch, table, chain, NULL);
}

void nft_add_link_chain(struct netlink_batch *batch, const struct nft_table *table,
                        const struct nft_base_chain *chain, const char *link) {
    add_chain(batch, table, chain, link);
}

void nft_add_set(struct netlink_batch *batch, const struct nft_table *table, const char *name,
                 uint32_t id, uint32_t key_bytes) {
    begin(batch, NFT_MSG_NEWSET, NLM_F_CREATE, table->family);
    netlink_put_string(batch, NFTA_SET_TABLE, table->name);
    netlink_put_string(batch, NFTA_SET_NAME, name);
    netlink_put_be32(batch, NFTA_SET_ID, id);
    netlink_put_be32(batch, NFTA_SET_KEY_LEN, key_bytes);
}

static void put_element(struct netlink_batch *batch, const struct nft_table *table, const char *set,
                        const void *key, size_t size) {
    netlink_put_string(batch, NFTA_SET_ELEM_LIST_TABLE, table->name);
    netlink_put_string(batch, NFTA_SET_ELEM_LIST_SET, set);
    netlink_nest_begin(batch, NFTA_SET_ELEM_LIST_ELEMENTS, NULL, 0);
    netlink_nest_begin(batch, NFTA_LIST_ELEM, NULL, 0);
    netlink_nest_begin(batch, NFTA_SET_ELEM_KEY, NULL, 0);
    netlink_put(batch, NFTA_DATA_VALUE, key, size);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
}

void nft_add_element(struct netlink_batch *batch, const struct nft_table *table, const char *set,
                     const void *key, size_t size) {
    begin(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE, table->family);
    put_element(batch, table, set, key, size);
}

void nft_delete_element(struct netlink_batch *batch, const struct nft_table *table, const char *set,
                        const void *key, size_t size) {
    begin(batch, NFT_MSG_DELSETELEM, 0, table->family);
    put_element(batch, table, set, key, size);
}

static void begin_rule(struct netlink_batch *batch, const struct nft_table *table,
                       const char *chain, uint16_t where) {
    begin(batch, NFT_MSG_NEWRULE, NLM_F_CREATE | where, table->family);
    netlink_put_string(batch, NFTA_RULE_TABLE, table->name);
    netlink_put_string(batch, NFTA_RULE_CHAIN, chain);
    netlink_nest_begin(batch, NFTA_RULE_EXPRESSIONS, NULL, 0);
}

void nft_rule_begin(struct netlink_batch *batch, const struct nft_table *table, const char *chain) {
    begin_rule(batch, table, chain, NLM_F_APPEND);
}

void nft_rule_begin_first(struct netlink_batch *batch, const struct nft_table *table,
                          const char *chain) {
    begin_rule(batch, table, chain, 0);
}

void nft_rule_end(struct netlink_batch *batch) {
    netlink_nest_end(batch);
}

/** The form in which nft(8) keeps comments: a type, a length, a text with its NUL. */
void nft_rule_comment(struct netlink_batch *batch, const char *text) {
    uint8_t data[2 + 101] = {0};
    size_t size = strlen(text) + 1;

    if (size > sizeof data - 2)
        return;
    data[1] = (uint8_t)size;
    memcpy(data + 2, text, size);
    netlink_put(batch, NFTA_RULE_USERDATA, data, 2 + size);
}

void nft_delete_rule(struct netlink_batch *batch, const struct nft_table *table, const char *chain,
                     const void *handle_be) {
    begin(batch, NFT_MSG_DELRULE, 0, table->family);
    netlink_put_string(batch, NFTA_RULE_TABLE, table->name);
    netlink_put_string(batch, NFTA_RULE_CHAIN, chain);
    netlink_put(batch, NFTA_RULE_HANDLE, handle_be, 8);
}

void nft_list(struct netlink_batch *batch, uint16_t type) {
    const struct nfgenmsg header = {.nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0};

    netlink_begin(batch, (uint16_t)(NFNL_SUBSYS_NFTABLES << 8 | type), NLM_F_DUMP, &header,
                  sizeof header);
}

static void expression_begin(struct netlink_batch *batch, const char *name) {
    netlink_nest_begin(batch, EXPRESSION_NEST, NULL, 0);
    netlink_put_string(batch, NFTA_EXPR_NAME, name);
    netlink_nest_begin(batch, NFTA_EXPR_DATA, NULL, 0);
}

static void expression_end(struct netlink_batch *batch) {
    netlink_nest_end(batch);
    netlink_nest_end(batch);
}

static void put_value(struct netlink_batch *batch, uint16_t type, const void *data, size_t size) {
    netlink_nest_begin(batch, type, NULL, 0);
    netlink_put(batch, NFTA_DATA_VALUE, data, size);
    netlink_nest_end(batch);
}

void nft_load_meta(struct netlink_batch *batch, uint32_t key, uint32_t reg) {
    expression_begin(batch, "meta");
    netlink_put_be32(batch, NFTA_META_KEY, key);
    netlink_put_be32(batch, NFTA_META_DREG, reg);
    expression_end(batch);
}

void nft_load_ct(struct netlink_batch *batch, uint32_t key, uint32_t reg) {
    expression_begin(batch, "ct");
    netlink_put_be32(batch, NFTA_CT_KEY, key);
    netlink_put_be32(batch, NFTA_CT_DREG, reg);
    expression_end(batch);
}

void nft_load_destination_type(struct netlink_batch *batch, uint32_t reg) {
    expression_begin(batch, "fib");
    netlink_put_be32(batch, NFTA_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
    netlink_put_be32(batch, NFTA_FIB_FLAGS, NFTA_FIB_F_DADDR);
    netlink_put_be32(batch, NFTA_FIB_DREG, reg);
    expression_end(batch);
}

void nft_load_payload(struct netlink_batch *batch, uint32_t base, uint32_t offset, uint32_t size,
                      uint32_t reg) {
    expression_begin(batch, "payload");
    netlink_put_be32(batch, NFTA_PAYLOAD_DREG, reg);
    netlink_put_be32(batch, NFTA_PAYLOAD_BASE, base);
    netlink_put_be32(batch, NFTA_PAYLOAD_OFFSET, offset);
    netlink_put_be32(batch, NFTA_PAYLOAD_LEN, size);
    expression_end(batch);
}

void nft_load_value(struct netlink_batch *batch, uint32_t reg, const void *data, size_t size) {
    expression_begin(batch, "immediate");
    netlink_put_be32(batch, NFTA_IMMEDIATE_DREG, reg);
    put_value(batch, NFTA_IMMEDIATE_DATA, data, size);
    expression_end(batch);
}

void nft_mask(struct netlink_batch *batch, uint32_t reg, const void *mask, size_t size) {
    static const uint8_t zeros[16];

    expression_begin(batch, "bitwise");
    netlink_put_be32(batch, NFTA_BITWISE_SREG, reg);
    netlink_put_be32(batch, NFTA_BITWISE_DREG, reg);
    netlink_put_be32(batch, NFTA_BITWISE_LEN, (uint32_t)size);
    put_value(batch, NFTA_BITWISE_MASK, mask, size);
    put_value(batch, NFTA_BITWISE_XOR, zeros, size);
    expression_end(batch);
}

void nft_compare(struct netlink_batch *batch, uint32_t reg, uint32_t op, const void *data,
                 size_t size) {
    expression_begin(batch, "cmp");
    netlink_put_be32(batch, NFTA_CMP_SREG, reg);
    netlink_put_be32(batch, NFTA_CMP_OP, op);
    put_value(batch, NFTA_CMP_DATA, data, size);
    expression_end(batch);
}

void nft_lookup(struct netlink_batch *batch, const char *set, uint32_t reg, bool inverted) {
    expression_begin(batch, "lookup");
    netlink_put_string(batch, NFTA_LOOKUP_SET, set);
    netlink_put_be32(batch, NFTA_LOOKUP_SREG, reg);
    if (inverted)
        netlink_put_be32(batch, NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
    expression_end(batch);
}

void nft_verdict(struct netlink_batch *batch, uint32_t code) {
    expression_begin(batch, "immediate");
    netlink_put_be32(batch, NFTA_IMMEDIATE_DREG, NFT_REG_VERDICT);
    netlink_nest_begin(batch, NFTA_IMMEDIATE_DATA, NULL, 0);
    netlink_nest_begin(batch, NFTA_DATA_VERDICT, NULL, 0);
    netlink_put_be32(batch, NFTA_VERDICT_CODE, code);
    netlink_nest_end(batch);
    netlink_nest_end(batch);
    expression_end(batch);
}

void nft_masquerade(struct netlink_batch *batch) {
    expression_begin(batch, "masq");
    expression_end(batch);
}

void nft_redirect_to(struct netlink_batch *batch, uint8_t family, uint32_t address_reg,
                     uint32_t port_reg) {
    expression_begin(batch, "nat");
    netlink_put_be32(batch, NFTA_NAT_TYPE, NFT_NAT_DNAT);
    netlink_put_be32(batch, NFTA_NAT_FAMILY, family);
    netlink_put_be32(batch, NFTA_NAT_REG_ADDR_MIN, address_reg);
    netlink_put_be32(batch, NFTA_NAT_REG_PROTO_MIN, port_reg);
    expression_end(batch);
}
