/* SPDX-License-Identifier: Apache-2.0 */
#include "net/resolv.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <string.h>

Test(resolv, parse_and_format) {
    struct resolv resolv;
    _cleanup_buf_ struct buf text = BUF_INIT;

    resolv_parse(&resolv, "# a comment\n"
                          "nameserver 127.0.0.53 # systemd\n"
                          "domain old.example\n"
                          "search  a.example\tb.example. bad..name\r\n"
                          "options edns0\n"
                          "nameserver fe80::1%eth0\n"
                          "nameserver 2001:db8::1\n"
                          "nameserver\n"
                          "nameserver 8.8.8.8\nnameserver 9.9.9.9");
    cr_assert_eq(resolv.n_servers, 3);
    resolv_format(&resolv, &text);
    cr_assert_str_eq(text.data, "nameserver 127.0.0.53\nnameserver 2001:db8::1\n"
                                "nameserver 8.8.8.8\nsearch a.example b.example\n");
}

Test(resolv, long_and_empty_texts) {
    struct resolv resolv;
    char text[4096];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memcpy(text, "search ", 7);
    resolv_parse(&resolv, text);
    cr_assert_str_empty(resolv.search);
    resolv_parse(&resolv, "");
    cr_assert_eq(resolv.n_servers, 0);
}

Test(resolv, from_a_lease) {
    struct dhcp_parameters lease = {
        .dns_be = {htonl(0x0a000001)}, .n_dns = 1, .domain = "x.example", .search = "y.example"};
    struct resolv resolv;
    _cleanup_buf_ struct buf text = BUF_INIT;

    resolv_from_lease(&resolv, &lease);
    resolv_format(&resolv, &text);
    cr_assert_str_eq(text.data, "nameserver 10.0.0.1\nsearch x.example y.example\n");
    strcpy(lease.search, "y.example x.example");
    resolv_from_lease(&resolv, &lease);
    cr_assert_str_eq(resolv.search, "y.example x.example");
}

Test(resolv, hosts) {
    _cleanup_buf_ struct buf with = BUF_INIT, without = BUF_INIT;

    resolv_hosts_format(htonl(0x0a000005), NULL, "box", &with);
    cr_assert_not_null(strstr(with.data, "127.0.0.1\tlocalhost\n"));
    cr_assert_not_null(strstr(with.data, "10.0.0.5\tbox\n"));
    resolv_hosts_format(0, NULL, "box", &without);
    cr_assert_not_null(strstr(without.data, "127.0.1.1\tbox\n"));
}
