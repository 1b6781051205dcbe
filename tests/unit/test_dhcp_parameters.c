/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_parameters.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

static struct dhcp_parameters full(void) {
    struct dhcp_parameters p = {
        .address_be = htonl(0x0a400005),
        .prefix = 20,
        .mtu = 1400,
        .server_be = htonl(0x0a400001),
        .lease_sec = 3600,
        .t1_sec = 1800,
        .t2_sec = 3150,
        .routers_be = {htonl(0x0a400001)},
        .n_routers = 1,
        .dns_be = {htonl(0x0a400001), htonl(0x08080808)},
        .n_dns = 2,
        .ntp_be = {htonl(0x0a400002)},
        .n_ntp = 1,
        .hostname = "box",
        .domain = "example.org",
        .search = "example.org a.b.example.net",
    };
    return p;
}

static struct dhcp_message request_for(const char *list) {
    struct dhcp_message request;

    dhcp_message_init(&request, DHCP_OP_REQUEST, 1, mac);
    if (list)
        dhcp_message_put_text(&request, DHCP_OPT_PARAMETERS, list);
    return request;
}

/* Round trips. */

Test(dhcp_parameters, all_of_them_come_back) {
    struct dhcp_parameters in = full(), out;
    struct dhcp_message request = request_for(NULL), reply;

    dhcp_message_init(&reply, DHCP_OP_REPLY, 1, mac);
    reply.yiaddr_be = in.address_be;
    cr_assert_eq(dhcp_parameters_write(&in, &request, true, &reply), 0);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), 0);
    cr_assert_eq(out.address_be, in.address_be);
    cr_assert_eq(out.prefix, 20);
    cr_assert_eq(out.mtu, 1400);
    cr_assert_eq(out.server_be, in.server_be);
    cr_assert_eq(out.lease_sec, 3600);
    cr_assert_eq(out.t1_sec, 1800);
    cr_assert_eq(out.t2_sec, 3150);
    cr_assert_eq(out.n_routers, 1);
    cr_assert_eq(out.n_dns, 2);
    cr_assert_eq(out.dns_be[1], htonl(0x08080808));
    cr_assert_eq(out.n_ntp, 1);
    cr_assert_str_eq(out.hostname, "box");
    cr_assert_str_eq(out.domain, "example.org");
    cr_assert_str_eq(out.search, "example.org a.b.example.net");
}

Test(dhcp_parameters, only_what_was_asked_for) {
    struct dhcp_parameters in = full();
    struct dhcp_message request = request_for("\6\17"), reply; /* 6 and 15 */

    dhcp_message_init(&reply, DHCP_OP_REPLY, 1, mac);
    cr_assert_eq(dhcp_parameters_write(&in, &request, true, &reply), 0);
    cr_assert(dhcp_message_has(&reply, DHCP_OPT_DNS));
    cr_assert(dhcp_message_has(&reply, DHCP_OPT_DOMAIN));
    cr_assert(dhcp_message_has(&reply, DHCP_OPT_SUBNET_MASK));
    cr_assert(dhcp_message_has(&reply, DHCP_OPT_LEASE_TIME));
    cr_assert_not(dhcp_message_has(&reply, DHCP_OPT_ROUTER));
    cr_assert_not(dhcp_message_has(&reply, DHCP_OPT_SEARCH));
    cr_assert_not(dhcp_message_has(&reply, DHCP_OPT_MTU));
}

Test(dhcp_parameters, an_inform_gets_no_lease_time) {
    struct dhcp_parameters in = full();
    struct dhcp_message request = request_for(NULL), reply;

    dhcp_message_init(&reply, DHCP_OP_REPLY, 1, mac);
    cr_assert_eq(dhcp_parameters_write(&in, &request, false, &reply), 0);
    cr_assert_not(dhcp_message_has(&reply, DHCP_OPT_LEASE_TIME));
    cr_assert_not(dhcp_message_has(&reply, DHCP_OPT_T1));
}

Test(dhcp_parameters, classless_routes_replace_routers) {
    struct dhcp_parameters in = full(), out;
    struct dhcp_message request = request_for(NULL), reply;

    in.routes[0] = (struct dhcp_route){0, 0, htonl(0x0a400001)};
    in.routes[1] = (struct dhcp_route){htonl(0xc0a80180), 25, htonl(0x0a400002)};
    in.n_routes = 2;
    dhcp_message_init(&reply, DHCP_OP_REPLY, 1, mac);
    reply.yiaddr_be = in.address_be;
    cr_assert_eq(dhcp_parameters_write(&in, &request, true, &reply), 0);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), 0);
    cr_assert_eq(out.n_routers, 0);
    cr_assert_eq(out.n_routes, 2);
    cr_assert_eq(out.routes[1].network_be, htonl(0xc0a80180));
    cr_assert_eq(out.routes[1].prefix, 25);
    cr_assert_eq(out.routes[1].gateway_be, htonl(0x0a400002));
}

/* What a server can get wrong. */

static struct dhcp_message minimal(void) {
    struct dhcp_message reply;

    dhcp_message_init(&reply, DHCP_OP_REPLY, 1, mac);
    reply.yiaddr_be = htonl(0xc0a80105);
    dhcp_message_put_u32(&reply, DHCP_OPT_SERVER_ID, 0xc0a80101);
    dhcp_message_put_u32(&reply, DHCP_OPT_LEASE_TIME, 600);
    return reply;
}

Test(dhcp_parameters, defaults_of_a_terse_server) {
    struct dhcp_message reply = minimal();
    struct dhcp_parameters out;

    cr_assert_eq(dhcp_parameters_read(&out, &reply), 0);
    cr_assert_eq(out.prefix, 24);
    cr_assert_eq(out.t1_sec, 300);
    cr_assert_eq(out.t2_sec, 525);
    dhcp_message_put_u32(&reply, DHCP_OPT_LEASE_TIME, DHCP_FOREVER);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), 0);
    cr_assert_eq(out.t1_sec, DHCP_FOREVER);
}

Test(dhcp_parameters, times_in_a_wrong_order_are_mended) {
    struct dhcp_message reply = minimal();
    struct dhcp_parameters out;

    dhcp_message_put_u32(&reply, DHCP_OPT_T1, 900);
    dhcp_message_put_u32(&reply, DHCP_OPT_T2, 100);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), 0);
    cr_assert_leq(out.t1_sec, out.t2_sec);
    cr_assert_leq(out.t2_sec, out.lease_sec);
}

Test(dhcp_parameters, unusable_leases_are_refused) {
    struct dhcp_parameters out;
    struct dhcp_message reply = minimal();
    const uint32_t bad[] = {0, 0x7f000001, 0xe0000001, 0xffffffff};

    for (size_t i = 0; i < 4; i++) {
        reply.yiaddr_be = htonl(bad[i]);
        cr_assert_eq(dhcp_parameters_read(&out, &reply), -EBADMSG, "%08x was taken", bad[i]);
    }
    reply = minimal();
    dhcp_message_put_u32(&reply, DHCP_OPT_LEASE_TIME, 0);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), -EBADMSG);
    reply = minimal();
    dhcp_message_put(&reply, DHCP_OPT_SERVER_ID, "ab", 2);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), -EBADMSG);
}

Test(dhcp_parameters, names_that_would_break_resolv_conf_are_dropped) {
    struct dhcp_message reply = minimal();
    struct dhcp_parameters out;

    dhcp_message_put_text(&reply, DHCP_OPT_DOMAIN, "evil\nnameserver 6.6.6.6");
    dhcp_message_put_text(&reply, DHCP_OPT_HOSTNAME, "a b");
    dhcp_message_put(&reply, DHCP_OPT_SEARCH, "\3a\nb\0", 5);
    dhcp_message_put_u16(&reply, DHCP_OPT_MTU, 20);
    cr_assert_eq(dhcp_parameters_read(&out, &reply), 0);
    cr_assert_str_empty(out.domain);
    cr_assert_str_empty(out.hostname);
    cr_assert_str_empty(out.search);
    cr_assert_eq(out.mtu, 0);
}

/* Codecs of single options. */

Test(dhcp_parameters, search_list_of_rfc_3397) {
    /* eng.apple.com and marketing.apple.com, the second with a pointer to "apple.com". */
    static const uint8_t wire[] = "\3eng\5apple\3com\0\11marketing\300\4";
    char text[64];

    cr_assert_eq(dhcp_search_decode(wire, sizeof wire - 1, text, sizeof text), 0);
    cr_assert_str_eq(text, "eng.apple.com marketing.apple.com");
}

Test(dhcp_parameters, search_lists_that_loop_or_end_early) {
    static const struct {
        const char *data;
        size_t size;
    } bad[] = {
        {"\300\0", 2}, {"\1a\300\0", 4},  {"\1a\300\2", 4}, {"\5ab", 3},
        {"\1a", 2},    {"\300", 1},       {"\0", 1},        {"\100a\0", 3},
        {"\1.\0", 3},  {"\1a\300\20", 4}, {"\2a\0\0", 4},
    };
    char text[64];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(
            dhcp_search_decode((const uint8_t *)bad[i].data, bad[i].size, text, sizeof text),
            -EBADMSG, "case %zu was taken as %s", i, text);
    cr_assert_eq(dhcp_search_decode((const uint8_t *)"\3abc\3def\0", 9, text, 6), -EBADMSG);
}

Test(dhcp_parameters, routes_that_end_early_or_are_too_narrow) {
    struct dhcp_route routes[2];
    size_t n;

    cr_assert_eq(dhcp_routes_decode((const uint8_t *)"\41\1\1\1\1\1\1\1\1", 9, routes, 2, &n),
                 -EBADMSG);
    cr_assert_eq(dhcp_routes_decode((const uint8_t *)"\30\12\0\0\1\1\1", 7, routes, 2, &n),
                 -EBADMSG);
    cr_assert_eq(dhcp_routes_decode((const uint8_t *)"\11\12\377\1\1\1\1", 7, routes, 2, &n), 0);
    cr_assert_eq(n, 1);
    cr_assert_eq(routes[0].network_be, htonl(0x0a800000), "bits beyond the prefix were kept");
}

Test(dhcp_parameters, names) {
    static const char *const good[] = {"a", "a.b", "x-1.example", "_dmarc.example"};
    static const char *const bad[] = {"", ".", "a.", ".a", "a..b", "-a", "a b", "a\n", "a/b"};

    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        cr_assert(dhcp_name_is_valid(good[i]), "%s", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_not(dhcp_name_is_valid(bad[i]), "%s", bad[i]);
}

Test(dhcp_parameters, masks) {
    for (unsigned prefix = 0; prefix <= 32; prefix++)
        cr_assert_eq(dhcp_prefix_of_mask(dhcp_mask_of_prefix(prefix)), (int)prefix);
    cr_assert_eq(dhcp_prefix_of_mask(htonl(0xff00ff00)), -EINVAL);
}
