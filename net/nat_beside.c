/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out beside other people's firewalls.  A packet that is passed on
 * goes through every chain of that hook, and each can drop it: that our own
 * table accepts it does not help where Docker has set the policy of iptables'
 * FORWARD to DROP, or where firewalld ends its chain with a reject.
 *
 * So those chains get two rules for the network's link.  They stand at the end
 * where it is a policy that drops, so that whatever an administrator has
 * forbidden stays so, and first in firewalld's chain, whose own last rule
 * rejects.  Their comment names the link, whose name is never used again: by
 * it they are found and taken away, if need be by the next run.
 *
 * Rules of the older xtables cannot be seen here.
 */
#include "nat_beside.h"

#include "nft.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES 128
#define FIREWALLD "firewalld"
#define OUR_TABLES "mayfly-"

/** struct place - a batch that is put together while a list comes in */
struct place {
    struct netlink_batch batch;
    const char *uplink;
    unsigned n;
};

static const char *text_of(const struct nlmsghdr *message, uint16_t type, char ret[NAME_BYTES]) {
    size_t size;
    const char *text = netlink_attribute(message, sizeof(struct nfgenmsg), type, &size);

    if (!text || size == 0 || size > NAME_BYTES || text[size - 1])
        return NULL;
    memcpy(ret, text, size);
    return ret;
}

static void comment_of(const char *uplink, char ret[NAME_BYTES]) {
    snprintf(ret, NAME_BYTES, "mayfly: %s", uplink);
}

static void add_accept(struct place *place, const struct nft_table *table, const char *chain,
                       uint32_t key) {
    char name[IFNAMSIZ] = {0}, comment[NAME_BYTES];

    memcpy(name, place->uplink, strnlen(place->uplink, sizeof name - 1));
    comment_of(place->uplink, comment);
    if (str_eq(table->name, FIREWALLD))
        nft_rule_begin_first(&place->batch, table, chain);
    else
        nft_rule_begin(&place->batch, table, chain);
    nft_load_meta(&place->batch, key, NFT_REGISTER(0));
    nft_compare(&place->batch, NFT_REGISTER(0), NFT_CMP_EQ, name, sizeof name);
    nft_verdict(&place->batch, NF_ACCEPT);
    nft_rule_end(&place->batch);
    nft_rule_comment(&place->batch, comment);
}

static uint32_t number_of(const void *value) {
    uint32_t number_be;

    memcpy(&number_be, value, sizeof number_be);
    return ntohl(number_be);
}

/** is_in_the_way() - whether a chain sees what is passed on, and drops what it does not know. */
static bool is_in_the_way(const struct nlmsghdr *message, const struct nft_table *table) {
    size_t size, length;
    const void *hook = netlink_attribute(message, sizeof(struct nfgenmsg), NFTA_CHAIN_HOOK, &size);
    const void *number = hook ? netlink_find(hook, size, NFTA_HOOK_HOOKNUM, &length) : NULL;
    const void *policy;

    if (!number || length != 4 || number_of(number) != NF_INET_FORWARD ||
        (table->family != NFPROTO_IPV4 && table->family != NFPROTO_IPV6 &&
         table->family != NFPROTO_INET) ||
        str_after(table->name, OUR_TABLES))
        return false;
    policy = netlink_attribute(message, sizeof(struct nfgenmsg), NFTA_CHAIN_POLICY, &size);
    return str_eq(table->name, FIREWALLD) || (policy && size == 4 && number_of(policy) == NF_DROP);
}

static int take_chain(const struct nlmsghdr *message, void *context) {
    struct place *place = context;
    const struct nfgenmsg *header = NLMSG_DATA(message);
    char table_name[NAME_BYTES], chain[NAME_BYTES];
    const struct nft_table table = {header->nfgen_family,
                                    text_of(message, NFTA_CHAIN_TABLE, table_name)};

    if (!table.name || !text_of(message, NFTA_CHAIN_NAME, chain) || !is_in_the_way(message, &table))
        return 0;
    add_accept(place, &table, chain, NFT_META_IIFNAME);
    add_accept(place, &table, chain, NFT_META_OIFNAME);
    place->n++;
    return 0;
}

static int take_rule(const struct nlmsghdr *message, void *context) {
    struct place *place = context;
    const struct nfgenmsg *header = NLMSG_DATA(message);
    char table_name[NAME_BYTES], chain[NAME_BYTES], comment[NAME_BYTES];
    const struct nft_table table = {header->nfgen_family,
                                    text_of(message, NFTA_RULE_TABLE, table_name)};
    size_t size, length;
    const char *data =
        netlink_attribute(message, sizeof(struct nfgenmsg), NFTA_RULE_USERDATA, &size);
    const void *handle =
        netlink_attribute(message, sizeof(struct nfgenmsg), NFTA_RULE_HANDLE, &length);

    comment_of(place->uplink, comment);
    if (!table.name || !text_of(message, NFTA_RULE_CHAIN, chain) || !handle || length != 8 ||
        !data || size != 2 + strlen(comment) + 1 || memcmp(data + 2, comment, size - 2) != 0)
        return 0;
    nft_delete_rule(&place->batch, &table, chain, handle);
    place->n++;
    return 0;
}

/** change() - list chains or rules, and send what @take has put together. */
static int change(const char *uplink, uint16_t type,
                  int (*take)(const struct nlmsghdr *message, void *context), struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch list = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_NETFILTER, err);
    struct place place = {.uplink = uplink};
    int r;

    if (fd < 0)
        return fd;
    nft_list(&list, type);
    nft_transaction_begin(&place.batch);
    r = netlink_dump(fd, &list, take, &place, err);
    nft_transaction_end(&place.batch);
    if (r == 0 && place.n > 0)
        r = netlink_send(fd, &place.batch, err);
    netlink_batch_done(&place.batch);
    return r < 0 ? err_wrap(err, "the host's own firewall") : 0;
}

int nat_beside_open(const char *uplink, struct err *err) {
    return change(uplink, NFT_MSG_GETCHAIN, take_chain, err);
}

int nat_beside_close(const char *uplink, struct err *err) {
    return change(uplink, NFT_MSG_GETRULE, take_rule, err);
}
