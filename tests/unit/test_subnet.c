/* SPDX-License-Identifier: Apache-2.0 */
#include "net/subnet.h"

#include <criterion/criterion.h>

#include <errno.h>

Test(subnet, text_round_trip) {
    struct subnet subnet;
    char text[SUBNET_TEXT_BYTES];

    cr_assert_eq(subnet_parse("10.1.2.0/24", &subnet, NULL), 0);
    cr_assert_eq(subnet_first(&subnet), 0x0a010201);
    cr_assert_eq(subnet_middle(&subnet), 0x0a010280);
    cr_assert_eq(subnet_last(&subnet), 0x0a01027e);
    cr_assert_eq(subnet_name_server(&subnet, 0x0a010205), 0x0a010285);
    cr_assert(subnet_has(&subnet, 0x0a0102ff));
    cr_assert_not(subnet_has(&subnet, 0x0a010300));
    subnet_format(&subnet, text);
    cr_assert_str_eq(text, "10.1.2.0/24");
    cr_assert_eq(subnet_parse("192.168.100.128/26", &subnet, NULL), 0);
}

Test(subnet, texts_that_are_none) {
    static const char *const bad[] = {"",           "10.0.0.0",     "10.0.0.1/24", "10.0.0.0/30",
                                      "10.0.0.0/7", "127.0.0.0/24", "224.0.0.0/8", "0.0.0.0/8",
                                      "x/24",       "10.0.0.0/x",   "10.0.0/24",   "10.0.0.0/24/1"};
    struct subnet subnet;
    struct err err;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(subnet_parse(bad[i], &subnet, &err), -EINVAL, "%s", bad[i]);
}

Test(subnet, overlap) {
    struct subnet a = {0x0a000000, 8}, b = {0x0a010200, 24}, c = {0x0b000000, 8};

    cr_assert(subnet_overlaps(&a, &b));
    cr_assert(subnet_overlaps(&b, &a));
    cr_assert_not(subnet_overlaps(&b, &c));
}

Test(subnet, chooses_around_routes) {
    const struct subnet taken[] = {{0, 0}, {0x0a400000, 20}, {0x0a401234, 32}};
    struct subnet subnet;

    cr_assert_eq(subnet_choose(NULL, 0, &subnet, NULL), 0);
    cr_assert_eq(subnet.address, 0x0a400000);
    cr_assert_eq(subnet_choose(taken, 3, &subnet, NULL), 0);
    cr_assert_eq(subnet.address, 0x0a402000);
    cr_assert_eq(subnet.prefix, 20);
}

Test(subnet, goes_on_to_other_ranges_and_gives_up_at_the_end) {
    const struct subnet taken[] = {{0x0a000000, 8}, {0xac100000, 12}, {0xc0a80000, 16}};
    struct subnet subnet;
    struct err err;

    cr_assert_eq(subnet_choose(taken, 1, &subnet, NULL), 0);
    cr_assert_eq(subnet.address, 0xac100000);
    cr_assert_eq(subnet_choose(taken, 2, &subnet, NULL), 0);
    cr_assert_eq(subnet.address, 0xc0a80000);
    cr_assert_eq(subnet_choose(taken, 3, &subnet, &err), -EADDRNOTAVAIL);
}
