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
 * and the bridge's own rules see that containers cannot make use of that.  For
 * ::1 a route does the same (addr6_add_loopback()).
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

#define PORT_DESTINATION 2

/**
 * struct kind - what differs between IPv4 and IPv6
 * @table: the container's, of that family
 * @size: of an address
 * @source, @destination: where a packet has its addresses
 * @address: the container's
 * @loopback: how the host's own loopback addresses begin
 */
struct kind {
    struct nft_table table;
    uint32_t size;
    uint32_t source;
    uint32_t destination;
    const void *address;
    const void *loopback;
    uint32_t loopback_size;
    bool is_router;
};

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

static void add_snat(struct netlink_batch *batch, const struct kind *kind, const struct nat *nat) {
    static const struct nft_base_chain chain = {"snat", "nat", NF_INET_POST_ROUTING,
                                                NF_IP_PRI_NAT_SRC, NF_ACCEPT};
    const struct nft_table *table = &kind->table;

    nft_add_base_chain(batch, table, &chain);
    nft_rule_begin(batch, table, chain.name);
    match(batch, kind->source, kind->address, kind->size);
    match_link(batch, NFT_META_OIFNAME, NFT_CMP_NEQ, nat->uplink);
    nft_masquerade(batch);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, chain.name);
    match(batch, kind->source, kind->loopback, kind->loopback_size);
    match(batch, kind->destination, kind->address, kind->size);
    nft_masquerade(batch);
    nft_rule_end(batch);
}

/** host_address() - the one that a port is published on, or NULL for all. */
static const void *host_address(const struct kind *kind, const struct nat_port *port) {
    if (kind->table.family == NFPROTO_IPV4)
        return port->address_be ? &port->address_be : NULL;
    return IN6_IS_ADDR_UNSPECIFIED(&port->address6) ? NULL : &port->address6;
}

static void add_port(struct netlink_batch *batch, const struct kind *kind, const char *chain,
                     const struct nat_port *port) {
    uint16_t host_port_be = htons(port->host_port);
    uint16_t container_port_be = htons(port->container_port);
    const void *address = host_address(kind, port);
    const uint32_t local = RTN_LOCAL;

    nft_rule_begin(batch, &kind->table, chain);
    nft_load_destination_type(batch, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &local, sizeof local);
    if (address)
        match(batch, kind->destination, address, kind->size);
    nft_load_meta(batch, NFT_META_L4PROTO, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &port->protocol, 1);
    nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, PORT_DESTINATION, 2, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &host_port_be, 2);
    nft_load_value(batch, NFT_REGISTER(0), kind->address, kind->size);
    nft_load_value(batch, NFT_REGISTER(4), &container_port_be, 2);
    nft_redirect_to(batch, kind->table.family, NFT_REGISTER(0), NFT_REGISTER(4));
    nft_rule_end(batch);
}

static void add_dnat(struct netlink_batch *batch, const struct kind *kind, const struct nat *nat) {
    static const struct nft_base_chain chains[] = {
        {"dnat", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST, NF_ACCEPT},
        {"dnat_local", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST, NF_ACCEPT},
    };

    for (size_t i = 0; nat->n_ports > 0 && i < N_ELEMENTS(chains); i++) {
        nft_add_base_chain(batch, &kind->table, &chains[i]);
        for (size_t k = 0; k < nat->n_ports; k++) {
            const struct nat_port *port = &nat->ports[k];

            if (kind->table.family == NFPROTO_IPV4 ? nat_port_has_ipv4(port)
                                                   : nat_port_has_ipv6(port))
                add_port(batch, kind, chains[i].name, port);
        }
    }
}

/** match_other_links() - the packet's link is not one of our uplinks; their names begin alike. */
static void match_other_links(struct netlink_batch *batch, uint32_t key) {
    nft_load_meta(batch, key, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_NEQ, "mayfly", strlen("mayfly"));
}

static void add_forward(struct netlink_batch *batch, const struct kind *kind) {
    static const struct nft_base_chain chain = {"forward", "filter", NF_INET_FORWARD,
                                                NF_IP_PRI_FILTER, NF_ACCEPT};
    const struct nft_table *table = &kind->table;

    nft_add_base_chain(batch, table, &chain);
    nft_rule_begin(batch, table, chain.name);
    match(batch, kind->destination, kind->address, kind->size);
    match_ct(batch, NFT_CT_STATE,
             NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, chain.name);
    match(batch, kind->destination, kind->address, kind->size);
    match_ct(batch, NFT_CT_STATUS, IPS_DST_NAT);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, chain.name);
    match(batch, kind->destination, kind->address, kind->size);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);

    if (!kind->is_router) {
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

/** accept_neighbours() - what IPv6 cannot do without: messages 133 to 136 of ICMPv6. */
static void accept_neighbours(struct netlink_batch *batch, const struct nft_table *table,
                              const char *chain, const char *link) {
    static const uint8_t icmp6 = IPPROTO_ICMPV6, first = 133, last = 136;

    nft_rule_begin(batch, table, chain);
    match_link(batch, NFT_META_IIFNAME, NFT_CMP_EQ, link);
    nft_load_meta(batch, NFT_META_L4PROTO, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &icmp6, sizeof icmp6);
    nft_load_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, 0, 1, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_GTE, &first, sizeof first);
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_LTE, &last, sizeof last);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
}

/** add_closed() - the container answers the host, and that is all. */
static void add_closed(struct netlink_batch *batch, const struct kind *kind,
                       const struct nat *nat) {
    static const struct nft_base_chain input = {"input", "filter", NF_INET_LOCAL_IN,
                                                NF_IP_PRI_FILTER, NF_ACCEPT};
    static const struct nft_base_chain forward = {"forward", "filter", NF_INET_FORWARD,
                                                  NF_IP_PRI_FILTER, NF_ACCEPT};
    const struct nft_table *table = &kind->table;

    nft_add_base_chain(batch, table, &input);
    nft_rule_begin(batch, table, input.name);
    match_link(batch, NFT_META_IIFNAME, NFT_CMP_EQ, nat->uplink);
    match_ct(batch, NFT_CT_STATE,
             NF_CT_STATE_BIT(IP_CT_ESTABLISHED) | NF_CT_STATE_BIT(IP_CT_RELATED));
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
    if (table->family == NFPROTO_IPV6)
        accept_neighbours(batch, table, input.name, nat->uplink);
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

static void add_kind(struct netlink_batch *batch, const struct kind *kind, const struct nat *nat) {
    nft_add_owned_table(batch, &kind->table);
    if (nat->is_closed) {
        add_closed(batch, kind, nat);
    } else {
        add_snat(batch, kind, nat);
        add_dnat(batch, kind, nat);
        add_forward(batch, kind);
    }
}

int nat_open(const struct nat *nat, struct err *err) {
    static const uint8_t loopback = 127;
    _cleanup_netlink_batch_ struct netlink_batch batch = NETLINK_BATCH_INIT;
    _cleanup_close_ int fd = netlink_open(NETLINK_NETFILTER, err);
    char name[32 + INET_ADDRSTRLEN] = "mayfly-";
    const struct kind v4 = {.table = {NFPROTO_IPV4, name},
                            .size = 4,
                            .source = 12,
                            .destination = 16,
                            .address = &nat->address_be,
                            .loopback = &loopback,
                            .loopback_size = sizeof loopback,
                            .is_router = nat->is_router};
    const struct kind v6 = {.table = {NFPROTO_IPV6, name},
                            .size = 16,
                            .source = 8,
                            .destination = 24,
                            .address = &nat->address6,
                            .loopback = &in6addr_loopback,
                            .loopback_size = sizeof in6addr_loopback,
                            .is_router = nat->is_router6};
    int r;

    if (fd < 0)
        return fd;
    inet_ntop(AF_INET, &nat->address_be, name + strlen(name), INET_ADDRSTRLEN);
    nft_transaction_begin(&batch);
    add_kind(&batch, &v4, nat);
    if (nat->has_ipv6)
        add_kind(&batch, &v6, nat);
    nft_transaction_end(&batch);
    r = netlink_send(fd, &batch, err);
    /* That no such table is known is an invalid argument. */
    if (r < 0)
        return err_wrap(err, r == -EINVAL ? "address translation (nf_tables of Linux 5.12 or later)"
                                          : "address translation (nf_tables)");
    return take_fd(fd);
}
