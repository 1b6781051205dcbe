/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_lease.h"

#include "engine/base/clock.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#define FIRST 0x0a000002u
#define LAST 0x0a000004u

static struct dhcp_lease_table table;

static void setup(void) {
    cr_assert_eq(dhcp_lease_table_init(&table, FIRST, LAST), 0);
}

static void teardown(void) {
    dhcp_lease_table_done(&table);
}

TestSuite(dhcp_lease, .init = setup, .fini = teardown);

static struct dhcp_client_id client(uint8_t n) {
    const uint8_t mac[6] = {2, 0, 0, 0, 0, n};

    return dhcp_client_id_of_mac(mac);
}

static uint32_t offer(uint8_t n, uint32_t wanted, uint64_t now) {
    struct dhcp_client_id id = client(n);
    struct dhcp_lease *lease;

    return dhcp_lease_offer(&table, &id, wanted, now, now + 10, &lease) == 0 ? lease->address : 0;
}

static int bind_until(uint8_t n, uint32_t address, uint64_t now, uint64_t until) {
    struct dhcp_client_id id = client(n);

    return dhcp_lease_bind(&table, &id, address, now, until);
}

/* Offers. */

Test(dhcp_lease, each_client_gets_an_address_of_its_own_until_the_pool_is_dry) {
    uint32_t a = offer(1, 0, 0), b = offer(2, 0, 0), c = offer(3, 0, 0);

    cr_assert(a && b && c && a != b && b != c && a != c);
    cr_assert_eq(offer(4, 0, 0), 0, "a dry pool gave an address");
    cr_assert_eq(offer(2, 0, 1), b, "asking again changed the offer");
}

Test(dhcp_lease, an_offer_not_taken_up_is_free_again) {
    offer(1, 0, 0);
    offer(2, 0, 0);
    offer(3, 0, 0);
    cr_assert_eq(offer(4, 0, 9), 0);
    cr_assert_neq(offer(4, 0, 10), 0);
}

Test(dhcp_lease, a_wish_is_granted_when_it_is_free) {
    cr_assert_eq(offer(1, LAST, 0), LAST);
    cr_assert_neq(offer(2, LAST, 0), LAST);
    cr_assert_neq(offer(3, 0x0b000000, 0), 0x0b000000);
}

Test(dhcp_lease, a_client_gets_its_old_address_unless_another_had_to_have_it) {
    cr_assert_eq(bind_until(1, LAST, 0, 5), 0);
    cr_assert_eq(offer(1, 0, 100), LAST);
    offer(2, FIRST, 99);
    offer(3, 0, 100);
    cr_assert_eq(offer(4, 0, 120), FIRST, "not the one that was free for longest");
}

/* Binding. */

Test(dhcp_lease, an_address_has_one_client_and_a_client_one_address) {
    struct dhcp_client_id one = client(1);

    cr_assert_eq(bind_until(1, FIRST, 0, 100), 0);
    cr_assert_eq(bind_until(2, FIRST, 0, 100), -EADDRINUSE);
    cr_assert_eq(bind_until(1, LAST, 0, 100), 0);
    cr_assert_null(dhcp_lease_at(&table, FIRST));
    cr_assert_eq(dhcp_lease_find(&table, &one)->address, LAST);
    cr_assert_eq(bind_until(2, FIRST, 0, 100), 0);
}

Test(dhcp_lease, outside_the_pool_is_nobodys) {
    cr_assert_eq(bind_until(1, FIRST - 1, 0, 100), -EADDRNOTAVAIL);
    cr_assert_eq(bind_until(1, LAST + 1, 0, 100), -EADDRNOTAVAIL);
    cr_assert_null(dhcp_lease_at(&table, LAST + 1));
}

Test(dhcp_lease, expiry_to_the_nanosecond) {
    cr_assert_eq(bind_until(1, FIRST, 0, 100), 0);
    cr_assert_not(dhcp_lease_is_free(&table, FIRST, 99));
    cr_assert(dhcp_lease_is_free(&table, FIRST, 100));
    cr_assert_eq(bind_until(1, FIRST, 50, 200), 0);
    cr_assert_not(dhcp_lease_is_free(&table, FIRST, 100));
    cr_assert_eq(bind_until(1, FIRST, 50, CLOCK_NEVER), 0);
    cr_assert_not(dhcp_lease_is_free(&table, FIRST, CLOCK_NEVER - 1));
}

/* Giving back. */

Test(dhcp_lease, release_frees_only_ones_own) {
    struct dhcp_client_id one = client(1), two = client(2);

    bind_until(1, FIRST, 0, 100);
    cr_assert_eq(dhcp_lease_release(&table, &two, FIRST, 1), -ENOENT);
    cr_assert_eq(dhcp_lease_release(&table, &one, LAST, 1), -ENOENT);
    cr_assert_not(dhcp_lease_is_free(&table, FIRST, 1));
    cr_assert_eq(dhcp_lease_release(&table, &one, FIRST, 1), 0);
    cr_assert(dhcp_lease_is_free(&table, FIRST, 1));
    cr_assert_eq(offer(1, 0, 2), FIRST, "the client did not get its address back");
}

Test(dhcp_lease, a_declined_address_is_left_alone_for_a_while) {
    struct dhcp_client_id one = client(1), two = client(2);

    bind_until(1, FIRST, 0, 100);
    cr_assert_eq(dhcp_lease_decline(&table, &two, FIRST, 1000), -ENOENT);
    cr_assert_eq(dhcp_lease_decline(&table, &one, FIRST, 1000), 0);
    cr_assert_neq(offer(1, FIRST, 1), FIRST);
    cr_assert_eq(bind_until(2, FIRST, 1, 100), -EADDRINUSE);
    cr_assert_eq(bind_until(2, FIRST, 1000, 1100), 0);
}

/* Text. */

Test(dhcp_lease, text_round_trip) {
    struct dhcp_lease_table copy;
    struct dhcp_client_id one = client(1);
    _cleanup_buf_ struct buf a = BUF_INIT, b = BUF_INIT;

    bind_until(1, FIRST, 0, CLOCK_NEVER);
    dhcp_lease_format(dhcp_lease_at(&table, FIRST), &a);
    cr_assert_str_eq(a.data, "10.0.0.2 bound never 020000000001 01020000000001");
    cr_assert_eq(dhcp_lease_table_init(&copy, FIRST, LAST), 0);
    cr_assert_eq(dhcp_lease_parse(&copy, a.data), 0);
    cr_assert_eq(dhcp_lease_parse(&copy, a.data), -EEXIST);
    dhcp_lease_format(dhcp_lease_find(&copy, &one), &b);
    cr_assert_str_eq(a.data, b.data);
    dhcp_lease_table_done(&copy);
}

Test(dhcp_lease, declined_text_round_trip) {
    struct dhcp_client_id one = client(1);
    _cleanup_buf_ struct buf text = BUF_INIT;

    bind_until(1, FIRST, 0, 100);
    dhcp_lease_decline(&table, &one, FIRST, 1000);
    dhcp_lease_format(dhcp_lease_at(&table, FIRST), &text);
    dhcp_lease_remove(&table, dhcp_lease_at(&table, FIRST));
    cr_assert(dhcp_lease_is_free(&table, FIRST, 0));
    cr_assert_eq(dhcp_lease_parse(&table, text.data), 0);
    cr_assert_not(dhcp_lease_is_free(&table, FIRST, 999));
}

Test(dhcp_lease, texts_that_are_none) {
    static const char *const bad[] = {
        "",
        "10.0.0.2",
        "10.0.0.2 bound never 020000000001",
        "10.0.0.2 gone never 020000000001 01",
        "10.0.0.2 bound -5 020000000001 01",
        "10.0.0.2 bound never 02000000000 01",
        "10.0.0.2 bound never 02000000000g 01",
        "10.0.0.2 bound never 020000000001 -",
        "10.0.0.2 declined 5 020000000001 01",
        "300.0.0.2 bound never 020000000001 01",
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_assert_eq(dhcp_lease_parse(&table, bad[i]), -EINVAL, "%s", bad[i]);
    cr_assert_eq(dhcp_lease_parse(&table, "10.0.0.9 bound never 020000000001 01"), -EADDRNOTAVAIL);
}

Test(dhcp_lease, pools_that_are_none) {
    struct dhcp_lease_table other;

    cr_assert_eq(dhcp_lease_table_init(&other, 5, 4), -ERANGE);
    cr_assert_eq(dhcp_lease_table_init(&other, 0, DHCP_LEASE_MAX_POOL), -ERANGE);
}
