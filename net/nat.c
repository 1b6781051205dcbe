/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules on the host by which a container reaches the outside.
 *
 * Each container has an nf_tables table of its own, which belongs to a socket
 * of its supervisor: the kernel takes it away with the socket, so that a
 * supervisor that is killed leaves no rule.  Nothing of anyone else's is
 * touched.
 *
 *     snat      what the container sends anywhere but to its own network goes
 *               out under the host's address
 *     dnat      published ports, from outside (prerouting) and from the host
 *               itself (output)
 *     forward   nothing else gets in from elsewhere
 *
 * A connection from 127.0.0.1 to a published port goes out by the uplink with
 * a changed source; the kernel does this only where route_localnet allows it,
 * and the bridge's own rules see that containers cannot make use of that.
 */
#include "nat.h"

#include "nft.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define PORT_DESTINATION 2

#define FORWARDING "/proc/sys/net/ipv4/ip_forward"

int nat_parse_host(const char *text, struct nat_port *port) {
    struct in_addr address;

    port->family = 0;
    port->address_be = 0;
    port->address6 = in6addr_any;
    if (str_eq(text, "*"))
        return 0;
    if (inet_pton(AF_INET, text, &address) == 1) {
        port->family = AF_INET;
        port->address_be = address.s_addr;
        return 0;
    }
    port->family = AF_INET6;
    return inet_pton(AF_INET6, text, &port->address6) == 1 ? 0 : -EINVAL;
}

const char *nat_format_host(const struct nat_port *port, char ret[INET6_ADDRSTRLEN]) {
    if (port->family == AF_INET6)
        return inet_ntop(AF_INET6, &port->address6, ret, INET6_ADDRSTRLEN);
    if (port->family == AF_INET || port->address_be)
        return inet_ntop(AF_INET, &port->address_be, ret, INET6_ADDRSTRLEN);
    memcpy(ret, "*", 2);
    return ret;
}

static void match(struct netlink_batch *batch, uint32_t offset, const void *data, uint32_t size) {
    nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, offset, size, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, data, size);
}

static void match_link(struct netlink_batch *batch, uint32_t key, uint32_t op, const char *link) {
    char name[IFNAMSIZ] = {0};

    memcpy(name, link, strnlen(link, sizeof name - 1));
    nft_load_meta(batch, key, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), op, name, sizeof name);
}

/** match_ct() - one of some bits of a connection's state. */
static void match_ct(struct netlink_batch *batch, uint32_t key, uint32_t bits) {
    static const uint32_t none = 0;

    nft_load_ct(batch, key, NFT_REGISTER(0));
    nft_mask(batch, NFT_REGISTER(0), &bits, sizeof bits);
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_NEQ, &none, sizeof none);
}

static void add_snat(struct netlink_batch *batch, const struct nft_table *table,
                     const struct nat *nat) {
    static const struct nft_base_chain chain = {"snat", "nat", NF_INET_POST_ROUTING,
                                                NF_IP_PRI_NAT_SRC, NF_ACCEPT};
    static const uint8_t loopback = 127;

    nft_add_base_chain(batch, table, &chain);
    nft_rule_begin(batch, table, chain.name);
    match(batch, IPV4_SOURCE, &nat->address_be, 4);
    match_link(batch, NFT_META_OIFNAME, NFT_CMP_NEQ, nat->uplink);
    nft_masquerade(batch);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, chain.name);
    match(batch, IPV4_SOURCE, &loopback, sizeof loopback);
    match(batch, IPV4_DESTINATION, &nat->address_be, 4);
    nft_masquerade(batch);
    nft_rule_end(batch);
}

static void add_port(struct netlink_batch *batch, const struct nft_table *table, const char *chain,
                     const struct nat *nat, const struct nat_port *port) {
    uint16_t host_port_be = htons(port->host_port);
    uint16_t container_port_be = htons(port->container_port);
    const uint32_t local = RTN_LOCAL;

    nft_rule_begin(batch, table, chain);
    nft_load_destination_type(batch, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &local, sizeof local);
    if (port->address_be != 0)
        match(batch, IPV4_DESTINATION, &port->address_be, 4);
    nft_load_meta(batch, NFT_META_L4PROTO, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &port->protocol, 1);
    nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_DESTINATION, 2, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &host_port_be, 2);
    nft_load_value(batch, NFT_REGISTER(0), &nat->address_be, 4);
    nft_load_value(batch, NFT_REGISTER(1), &container_port_be, 2);
    nft_redirect_to(batch, NFPROTO_IPV4, NFT_REGISTER(0), NFT_REGISTER(1));
    nft_rule_end(batch);
}

static void add_dnat(struct netlink_batch *batch, const struct nft_table *table,
                     const struct nat *nat) {
    static const struct nft_base_chain chains[] = {
        {"dnat", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST, NF_ACCEPT},
        {"dnat_local", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST, NF_ACCEPT},
    };

    for (size_t i = 0; nat->n_ports > 0 && i < N_ELEMENTS(chains); i++) {
        nft_add_base_chain(batch, table, &chains[i]);
        for (size_t k = 0; k < nat->n_ports; k++)
            if (nat_port_has_ipv4(&nat->ports[k]))
                add_port(batch, table, chains[i].name, nat, &nat->ports[k]);
    }
}

/** match_other_links() - the packet's link is not one of our uplinks; their names begin alike. */
static void match_other_links(struct netlink_batch *batch, uint32_t key) {
    nft_load_meta(batch, key, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_NEQ, "mayfly", strlen("mayfly"));
}

static void add_forward(struct netlink_batch *batch, const struct nft_table *table,
                        const struct nat *nat) {
    static const struct nft_base_chain chain = {"forward", "filter", NF_INET_FORWARD,
                                                NF_IP_PRI_FILTER, NF_ACCEPT};

    nft_add_base_chain(batch, table, &chain);
    nft_rule_begin(batch, table, chain.name);
    match(batch, IPV4_DESTINATION, &nat->address_be, 4);
    match_ct(batch, NFT_CT_STATE,
             NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, chain.name);
    match(batch, IPV4_DESTINATION, &nat->address_be, 4);
    match_ct(batch, NFT_CT_STATUS, IPS_DST_NAT);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, chain.name);
    match(batch, IPV4_DESTINATION, &nat->address_be, 4);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);

    if (!nat->is_router) {
        nft_rule_begin(batch, table, chain.name);
        match_other_links(batch, NFT_META_IIFNAME);
        match_other_links(batch, NFT_META_OIFNAME);
        nft_verdict(batch, NF_DROP);
        nft_rule_end(batch);
    }
}

/** drop() - what matches so far goes no further. */
static void drop(struct netlink_batch *batch) {
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);
}

/** add_closed() - the container answers the host, and that is all. */
static void add_closed(struct netlink_batch *batch, const struct nft_table *table,
                       const struct nat *nat) {
    static const struct nft_base_chain input = {"input", "filter", NF_INET_LOCAL_IN,
                                                NF_IP_PRI_FILTER, NF_ACCEPT};
    static const struct nft_base_chain forward = {"forward", "filter", NF_INET_FORWARD,
                                                  NF_IP_PRI_FILTER, NF_ACCEPT};

    nft_add_base_chain(batch, table, &input);
    nft_rule_begin(batch, table, input.name);
    match_link(batch, NFT_META_IIFNAME, NFT_CMP_EQ, nat->uplink);
    match_ct(batch, NFT_CT_STATE,
             NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
    nft_rule_begin(batch, table, input.name);
    match_link(batch, NFT_META_IIFNAME, NFT_CMP_EQ, nat->uplink);
    drop(batch);

    nft_add_base_chain(batch, table, &forward);
    nft_rule_begin(batch, table, forward.name);
    match_link(batch, NFT_META_IIFNAME, NFT_CMP_EQ, nat->uplink);
    drop(batch);
    nft_rule_begin(batch, table, forward.name);
    match_link(batch, NFT_META_OIFNAME, NFT_CMP_EQ, nat->uplink);
    drop(batch);
}

int nat_open(const struct nat *nat, struct err *err) {
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_NETFILTER, err);
    char name[32 + INET_ADDRSTRLEN] = "mayfly-";
    const struct nft_table table = {NFPROTO_IPV4, name};
    int r;

    if (fd < 0)
        return fd;
    inet_ntop(AF_INET, &nat->address_be, name + strlen(name), INET_ADDRSTRLEN);
    nft_transaction_begin(&batch);
    nft_add_owned_table(&batch, &table);
    if (nat->is_closed) {
        add_closed(&batch, &table, nat);
    } else {
        add_snat(&batch, &table, nat);
        add_dnat(&batch, &table, nat);
        add_forward(&batch, &table, nat);
    }
    nft_transaction_end(&batch);
    r = netlink_send(fd, &batch, err);
    return r < 0 ? err_wrap(err, "address translation (nf_tables)") : take_fd(fd);
}

/** get_flag() - Return: 1, 0 for a setting that is off, -errno with a text. */
static int get_flag(const char *path, struct err *err) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char value;

    if (fd < 0 || read(fd, &value, 1) != 1)
        return err_errno(err, "%s", path);
    return value != '0';
}

static int set_flag(const char *path, struct err *err) {
    _cleanup_close_ int fd = -1;
    int r = get_flag(path, err);

    if (r != 0)
        return r < 0 ? r : 0;
    fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    return fd < 0 || write(fd, "1", 1) != 1 ? err_errno(err, "%s", path) : 0;
}

int nat_is_forwarding(struct err *err) {
    return get_flag(FORWARDING, err);
}

int nat_allow_forwarding(const char *uplink, struct err *err) {
    char path[96];
    int r;

    snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/route_localnet", uplink);
    r = set_flag(path, err);
    return r < 0 ? r : set_flag(FORWARDING, err);
}

void nat_forbid_forwarding(void) {
    _cleanup_close_ int fd = open(FORWARDING, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    if (fd >= 0 && write(fd, "0", 1) != 1)
        return;
}
