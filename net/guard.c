/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What keeps containers on one bridge from being each other.
 *
 * Everybody on an Ethernet believes everybody: who says an address is his has
 * it, and who answers first is the DHCP server.  So each frame is checked as
 * it comes in by a port, before the bridge learns from it: the sender's
 * hardware address has to be the port's (set "macs"), and the sender's IPv4
 * address, in the packet or in an ARP message, the one leased to it (set
 * "addresses").  Whatever is not let through by a rule is dropped, which takes
 * care of VLAN tags, spanning tree, and IPv6 where the network has none.
 *
 * Where it has, the same holds for IPv6 (set "addresses6"): nobody sends under
 * an address that is not made of the port's hardware address, claims another
 * one, or says that it is a router (CVE-2020-13401).
 *
 * On a bridge of the host's the same rules stand at the container's own link
 * instead, where its frames come in before the bridge has them (netdev family):
 * no other port of that bridge is looked at, and other people's rules stay out
 * of it.  The table belongs to a socket of the supervisor, as those of nat.c do,
 * and the lease's address is put in when there is one.
 *
 * In keys, a hardware address fills two registers of four bytes, padded with
 * zeros.
 */
#include "guard.h"

#include "dhcp_message.h"
#include "nft.h"
#include "subnet6.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter_bridge.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

#define MACS "macs"
#define ADDRESSES "addresses"
#define ADDRESSES6 "addresses6"
#define INGRESS "ingress"
#define BETWEEN "between"

#define ETHER_SOURCE 6
#define ETHER_PROTOCOL 12
#define ARP_SENDER_MAC 8
#define ARP_SENDER_ADDRESS 14
#define IPV4_PROTOCOL 9
#define IPV4_SOURCE 12
#define IPV4_DESTINATION 16
#define IPV6_SOURCE 8
#define ND_TARGET 8
#define DHCPV6_SERVER_PORT 547

/* Of a bridge of mayfly's own, in the bridge's namespace. */
static const struct nft_table own_table = {NFPROTO_BRIDGE, "mayfly"};

/** struct key - iif, mac and address; the first 12 bytes are a key of MACS */
struct key {
    uint32_t index;
    uint8_t mac[8];
    uint32_t address_be;
};

/** struct key6 - the same with an IPv6 address */
struct key6 {
    uint32_t index;
    uint8_t mac[8];
    struct in6_addr address;
};

static void match_payload(struct netlink_batch *batch, uint32_t base, uint32_t offset,
                          const void *data, uint32_t size) {
    nft_load_payload(batch, base, offset, size, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, data, size);
}

/**
 * match_protocol() - what the frame says that it carries, as the sender wrote it
 *
 * The kernel's own word for it (NFT_META_PROTOCOL) would be what is behind a VLAN tag, and frames
 * with a tag would get through to where it leads.
 */
static void match_protocol(struct netlink_batch *batch, uint16_t protocol) {
    uint16_t protocol_be = htons(protocol);

    match_payload(batch, NFT_PAYLOAD_LL_HEADER, ETHER_PROTOCOL, &protocol_be, sizeof protocol_be);
}

static void match_udp_port(struct netlink_batch *batch, uint32_t offset, uint16_t port) {
    const uint8_t udp = IPPROTO_UDP;
    uint16_t port_be = htons(port);

    match_protocol(batch, ETH_P_IP);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_PROTOCOL, &udp, sizeof udp);
    match_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, offset, &port_be, sizeof port_be);
}

/** load_key() - the port in register 0, a hardware address in 1 and 2. */
static void load_key(struct netlink_batch *batch, uint32_t base, uint32_t mac_offset) {
    nft_load_meta(batch, NFT_META_IIF, NFT_REGISTER(0));
    nft_load_payload(batch, base, mac_offset, 6, NFT_REGISTER(1));
}

static void add_uplink_rule(struct netlink_batch *batch, uint32_t uplink) {
    nft_rule_begin(batch, &own_table, INGRESS);
    nft_load_meta(batch, NFT_META_IIF, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &uplink, sizeof uplink);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
}

/** add_tcp_rule() - most of all traffic, let through by the first rule instead of the last. */
static void add_tcp_rule(struct netlink_batch *batch, const struct nft_table *table) {
    static const uint8_t tcp = IPPROTO_TCP;
    static const uint8_t loopback = 127;

    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_IP);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_PROTOCOL, &tcp, sizeof tcp);
    nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_DESTINATION, 1, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_NEQ, &loopback, sizeof loopback);
    load_key(batch, NFT_PAYLOAD_LL_HEADER, ETHER_SOURCE);
    nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_SOURCE, 4, NFT_REGISTER(3));
    nft_lookup(batch, ADDRESSES, NFT_REGISTER(0), false);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
}

static void add_mac_rule(struct netlink_batch *batch, const struct nft_table *table) {
    nft_rule_begin(batch, table, INGRESS);
    load_key(batch, NFT_PAYLOAD_LL_HEADER, ETHER_SOURCE);
    nft_lookup(batch, MACS, NFT_REGISTER(0), true);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);
}

static void add_arp_rules(struct netlink_batch *batch, const struct nft_table *table) {
    static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};
    static const uint32_t none = 0;

    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_ARP);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, 0, ethernet_ipv4, sizeof ethernet_ipv4);
    load_key(batch, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_MAC);
    nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_ADDRESS, 4, NFT_REGISTER(3));
    nft_lookup(batch, ADDRESSES, NFT_REGISTER(0), false);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);

    /* A probe for a duplicate names no sender (RFC 5227). */
    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_ARP);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, 0, ethernet_ipv4, sizeof ethernet_ipv4);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_ADDRESS, &none, sizeof none);
    load_key(batch, NFT_PAYLOAD_NETWORK_HEADER, ARP_SENDER_MAC);
    nft_lookup(batch, MACS, NFT_REGISTER(0), false);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
}

static void add_ip_rules(struct netlink_batch *batch, const struct nft_table *table) {
    static const uint32_t none = 0;
    static const uint8_t loopback = 127;

    /* The host may take such packets for its own (CVE-2020-8558). */
    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_IP);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_DESTINATION, &loopback, sizeof loopback);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, INGRESS);
    match_udp_port(batch, 0, DHCP_SERVER_PORT);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, INGRESS);
    match_udp_port(batch, 2, DHCP_SERVER_PORT);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_SOURCE, &none, sizeof none);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);

    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_IP);
    load_key(batch, NFT_PAYLOAD_LL_HEADER, ETHER_SOURCE);
    nft_load_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV4_SOURCE, 4, NFT_REGISTER(3));
    nft_lookup(batch, ADDRESSES, NFT_REGISTER(0), false);
    nft_verdict(batch, NF_ACCEPT);
    nft_rule_end(batch);
}

/** begin_icmp6() - a rule for one kind of ICMPv6 message. */
static void begin_icmp6(struct netlink_batch *batch, const struct nft_table *table, uint8_t kind) {
    static const uint8_t icmp6 = IPPROTO_ICMPV6;

    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_IPV6);
    nft_load_meta(batch, NFT_META_L4PROTO, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &icmp6, sizeof icmp6);
    match_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, 0, &kind, sizeof kind);
}

/** end_with_address6() - what holds if an address of the packet is, or @inverted is not, its own.
 */
static void end_with_address6(struct netlink_batch *batch, uint32_t base, uint32_t offset,
                              bool inverted, uint32_t verdict) {
    load_key(batch, NFT_PAYLOAD_LL_HEADER, ETHER_SOURCE);
    nft_load_payload(batch, base, offset, sizeof(struct in6_addr), NFT_REGISTER(3));
    nft_lookup(batch, ADDRESSES6, NFT_REGISTER(0), inverted);
    nft_verdict(batch, verdict);
    nft_rule_end(batch);
}

static void add_ipv6_rules(struct netlink_batch *batch, const struct nft_table *table) {
    static const uint8_t routers[] = {ND_ROUTER_ADVERT, ND_REDIRECT};
    static const uint8_t udp = IPPROTO_UDP;
    const uint16_t server_be = htons(DHCPV6_SERVER_PORT);

    for (size_t i = 0; i < sizeof routers; i++) {
        begin_icmp6(batch, table, routers[i]);
        nft_verdict(batch, NF_DROP);
        nft_rule_end(batch);
    }
    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_IPV6);
    nft_load_meta(batch, NFT_META_L4PROTO, NFT_REGISTER(0));
    nft_compare(batch, NFT_REGISTER(0), NFT_CMP_EQ, &udp, sizeof udp);
    match_payload(batch, NFT_PAYLOAD_TRANSPORT_HEADER, 0, &server_be, sizeof server_be);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);

    begin_icmp6(batch, table, ND_NEIGHBOR_ADVERT);
    end_with_address6(batch, NFT_PAYLOAD_TRANSPORT_HEADER, ND_TARGET, true, NF_DROP);
    /* Who looks for a duplicate names no sender. */
    begin_icmp6(batch, table, ND_NEIGHBOR_SOLICIT);
    match_payload(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV6_SOURCE, &in6addr_any, sizeof in6addr_any);
    end_with_address6(batch, NFT_PAYLOAD_TRANSPORT_HEADER, ND_TARGET, false, NF_ACCEPT);

    nft_rule_begin(batch, table, INGRESS);
    match_protocol(batch, ETH_P_IPV6);
    end_with_address6(batch, NFT_PAYLOAD_NETWORK_HEADER, IPV6_SOURCE, false, NF_ACCEPT);
}

/** add_rules() - for what comes in by ports whose addresses are in the sets; the rest is dropped.
 */
static void add_rules(struct netlink_batch *batch, const struct nft_table *table, uint32_t uplink,
                      bool with_ipv6) {
    add_tcp_rule(batch, table);
    if (uplink > 0)
        add_uplink_rule(batch, uplink);
    add_mac_rule(batch, table);
    add_arp_rules(batch, table);
    add_ip_rules(batch, table);
    if (with_ipv6)
        add_ipv6_rules(batch, table);
}

static void add_sets(struct netlink_batch *batch, const struct nft_table *table, bool with_ipv6) {
    nft_add_set(batch, table, MACS, 1, offsetof(struct key, address_be));
    nft_add_set(batch, table, ADDRESSES, 2, sizeof(struct key));
    if (with_ipv6)
        nft_add_set(batch, table, ADDRESSES6, 3, sizeof(struct key6));
}

void guard_add(struct netlink_batch *batch, uint32_t uplink, bool with_ipv6) {
    static const struct nft_base_chain ingress = {.name = INGRESS,
                                                  .type = "filter",
                                                  .hook = NF_BR_PRE_ROUTING,
                                                  .priority = NF_BR_PRI_FILTER_BRIDGED,
                                                  .policy = NF_DROP};
    static const struct nft_base_chain between = {.name = BETWEEN,
                                                  .type = "filter",
                                                  .hook = NF_BR_FORWARD,
                                                  .priority = NF_BR_PRI_FILTER_BRIDGED,
                                                  .policy = NF_ACCEPT};

    nft_add_table(batch, &own_table);
    add_sets(batch, &own_table, with_ipv6);
    nft_add_base_chain(batch, &own_table, &ingress);
    nft_add_base_chain(batch, &own_table, &between);
    add_rules(batch, &own_table, uplink, with_ipv6);
    nft_rule_begin(batch, &own_table, BETWEEN);
    match_udp_port(batch, 2, DHCP_SERVER_PORT);
    nft_verdict(batch, NF_DROP);
    nft_rule_end(batch);
}

void guard_delete(struct netlink_batch *batch) {
    nft_delete_table(batch, &own_table);
}

static struct key key_of(const struct guard_port *port) {
    struct key key = {.index = port->index, .address_be = port->address_be};

    memcpy(key.mac, port->mac, sizeof port->mac);
    return key;
}

void guard_add_port(struct netlink_batch *batch, const struct guard_port *port) {
    struct key key = key_of(port);

    nft_add_element(batch, &own_table, MACS, &key, offsetof(struct key, address_be));
    nft_add_element(batch, &own_table, ADDRESSES, &key, sizeof key);
    if (port->has_ipv6) {
        const struct in6_addr addresses[] = {subnet6_address(&subnet6_link_local, port->mac),
                                             port->address6};

        for (size_t i = 0; i < N_ELEMENTS(addresses); i++) {
            struct key6 key6 = {.index = port->index, .address = addresses[i]};

            memcpy(key6.mac, port->mac, sizeof port->mac);
            nft_add_element(batch, &own_table, ADDRESSES6, &key6, sizeof key6);
        }
    }
}

void guard_add_link(struct netlink_batch *batch, const char *link, const struct guard_port *port) {
    static const struct nft_base_chain ingress = {.name = INGRESS,
                                                  .type = "filter",
                                                  .hook = NF_NETDEV_INGRESS,
                                                  .priority = NF_BR_PRI_FILTER_BRIDGED,
                                                  .policy = NF_DROP};
    const struct nft_table table = {NFPROTO_NETDEV, link};
    struct key key = key_of(port);

    nft_add_owned_table(batch, &table);
    add_sets(batch, &table, false);
    nft_add_link_chain(batch, &table, &ingress, link);
    add_rules(batch, &table, 0, false);
    nft_add_element(batch, &table, MACS, &key, offsetof(struct key, address_be));
}

void guard_set_address(struct netlink_batch *batch, const char *link, const struct guard_port *port,
                       uint32_t address_be) {
    const struct nft_table table = {NFPROTO_NETDEV, link};
    struct key key = key_of(port);

    if (key.address_be)
        nft_delete_element(batch, &table, ADDRESSES, &key, sizeof key);
    key.address_be = address_be;
    if (address_be)
        nft_add_element(batch, &table, ADDRESSES, &key, sizeof key);
}
