/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dhcp_message.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 7};

/* Round trips. */

Test(dhcp_message, discover_round_trip) {
    struct dhcp_message in, out;
    uint8_t wire[DHCP_MAX_BYTES];
    uint8_t type;
    char text[32];
    uint32_t value;
    ssize_t size;

    dhcp_message_init(&in, DHCP_OP_REQUEST, 0x12345678, mac);
    in.flags = DHCP_FLAG_BROADCAST;
    in.secs = 3;
    in.ciaddr_be = htonl(0x0a000001);
    dhcp_message_put_text(&in, DHCP_OPT_HOSTNAME, "box");
    dhcp_message_put_u32(&in, DHCP_OPT_LEASE_TIME, 3600);
    dhcp_message_put(&in, DHCP_OPT_RAPID_COMMIT, NULL, 0);
    dhcp_message_put_u8(&in, DHCP_OPT_TYPE, DHCP_DISCOVER);
    size = dhcp_message_encode(&in, wire, DHCP_MAX_BYTES);
    cr_assert_eq(size, 300);
    cr_assert_eq(wire[DHCP_HEADER_BYTES], DHCP_OPT_TYPE, "the type is not the first option");

    cr_assert_eq(dhcp_message_decode(&out, wire, (size_t)size), 0);
    cr_assert_eq(out.op, DHCP_OP_REQUEST);
    cr_assert_eq(out.xid, 0x12345678);
    cr_assert_eq(out.secs, 3);
    cr_assert_eq(out.flags, DHCP_FLAG_BROADCAST);
    cr_assert_eq(out.ciaddr_be, htonl(0x0a000001));
    cr_assert_arr_eq(out.chaddr, mac, 6);
    cr_assert_eq(dhcp_message_type(&out), DHCP_DISCOVER);
    cr_assert(dhcp_message_get_u8(&out, DHCP_OPT_TYPE, &type));
    cr_assert(dhcp_message_get_u32(&out, DHCP_OPT_LEASE_TIME, &value));
    cr_assert_eq(value, 3600);
    cr_assert(dhcp_message_get_text(&out, DHCP_OPT_HOSTNAME, text, sizeof text));
    cr_assert_str_eq(text, "box");
    cr_assert(dhcp_message_has(&out, DHCP_OPT_RAPID_COMMIT));
    cr_assert_not(dhcp_message_has(&out, DHCP_OPT_ROUTER));
}

Test(dhcp_message, long_options_are_split_and_joined) {
    struct dhcp_message in, out;
    uint8_t wire[DHCP_MAX_BYTES];
    uint8_t value[600];
    const uint8_t *back;
    size_t back_size;
    ssize_t size;

    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)(i * 7);
    dhcp_message_init(&in, DHCP_OP_REPLY, 1, mac);
    dhcp_message_put_u8(&in, DHCP_OPT_TYPE, DHCP_ACK);
    dhcp_message_put(&in, DHCP_OPT_ROUTES, value, sizeof value);
    size = dhcp_message_encode(&in, wire, DHCP_MAX_BYTES);
    cr_assert_gt(size, 840);
    cr_assert_eq(dhcp_message_decode(&out, wire, (size_t)size), 0);
    back = dhcp_message_get(&out, DHCP_OPT_ROUTES, &back_size);
    cr_assert_eq(back_size, sizeof value);
    cr_assert_arr_eq(back, value, sizeof value);
}

Test(dhcp_message, overload_uses_file_and_sname) {
    struct dhcp_message in, out;
    uint8_t wire[DHCP_MAX_BYTES];
    uint8_t value[400];
    const uint8_t *back;
    size_t back_size;
    ssize_t size;

    for (size_t i = 0; i < sizeof value; i++)
        value[i] = (uint8_t)i;
    dhcp_message_init(&in, DHCP_OP_REPLY, 1, mac);
    dhcp_message_put_u8(&in, DHCP_OPT_TYPE, DHCP_ACK);
    dhcp_message_put(&in, DHCP_OPT_SEARCH, value, sizeof value);
    size = dhcp_message_encode(&in, wire, 0);
    cr_assert_gt(size, 0);
    cr_assert_leq(size, DHCP_MIN_MAX_BYTES);
    cr_assert_eq(dhcp_message_decode(&out, wire, (size_t)size), 0);
    back = dhcp_message_get(&out, DHCP_OPT_SEARCH, &back_size);
    cr_assert_eq(back_size, sizeof value);
    cr_assert_arr_eq(back, value, sizeof value);
}

Test(dhcp_message, relay_agent_option_is_last) {
    struct dhcp_message in;
    uint8_t wire[DHCP_MAX_BYTES];
    ssize_t size;

    dhcp_message_init(&in, DHCP_OP_REPLY, 1, mac);
    dhcp_message_put_u8(&in, DHCP_OPT_TYPE, DHCP_ACK);
    dhcp_message_put(&in, DHCP_OPT_RELAY_AGENT, "\1\1x", 3);
    dhcp_message_put(&in, DHCP_OPT_ROUTES, "\0\12\0\0\1", 5);
    size = dhcp_message_encode(&in, wire, DHCP_MAX_BYTES);
    cr_assert_gt(size, 0);
    cr_assert_arr_eq(wire + DHCP_HEADER_BYTES + 3 + 7, "\x52\3\1\1x\xff", 6);
}

/* Too much. */

Test(dhcp_message, what_fits_nowhere_is_an_error) {
    struct dhcp_message in;
    uint8_t wire[DHCP_MAX_BYTES];
    uint8_t value[1000] = {0};

    dhcp_message_init(&in, DHCP_OP_REPLY, 1, mac);
    cr_assert_eq(dhcp_message_put(&in, 200, value, sizeof value), 0);
    cr_assert_eq(dhcp_message_put(&in, 201, value, sizeof value), -EMSGSIZE);
    cr_assert_eq(dhcp_message_encode(&in, wire, DHCP_MIN_MAX_BYTES), -EMSGSIZE);
}

/* Malformed. */

static size_t valid_message(uint8_t wire[DHCP_MAX_BYTES]) {
    struct dhcp_message in;

    dhcp_message_init(&in, DHCP_OP_REPLY, 1, mac);
    dhcp_message_put_u8(&in, DHCP_OPT_TYPE, DHCP_ACK);
    dhcp_message_put_text(&in, DHCP_OPT_DOMAIN, "example.org");
    return (size_t)dhcp_message_encode(&in, wire, DHCP_MAX_BYTES);
}

Test(dhcp_message, every_truncation_is_survived) {
    uint8_t wire[DHCP_MAX_BYTES];
    size_t size = valid_message(wire);
    struct dhcp_message out;

    for (size_t i = 0; i < DHCP_HEADER_BYTES; i++)
        cr_assert_eq(dhcp_message_decode(&out, wire, i), -EBADMSG);
    /* Inside an option: an error; between two: a message without an end option. */
    cr_assert_eq(dhcp_message_decode(&out, wire, DHCP_HEADER_BYTES + 1), -EBADMSG);
    cr_assert_eq(dhcp_message_decode(&out, wire, DHCP_HEADER_BYTES + 2), -EBADMSG);
    cr_assert_eq(dhcp_message_decode(&out, wire, DHCP_HEADER_BYTES + 3), 0);
    cr_assert_eq(dhcp_message_decode(&out, wire, DHCP_HEADER_BYTES + 8), -EBADMSG);
    cr_assert_eq(dhcp_message_decode(&out, wire, size), 0);
}

Test(dhcp_message, wrong_header_is_refused) {
    uint8_t wire[DHCP_MAX_BYTES + 1] = {0};
    size_t size = valid_message(wire);
    struct dhcp_message out;

    wire[0] = 3;
    cr_assert_eq(dhcp_message_decode(&out, wire, size), -EBADMSG);
    wire[0] = 2;
    wire[2] = 17;
    cr_assert_eq(dhcp_message_decode(&out, wire, size), -EBADMSG);
    wire[2] = 6;
    wire[236] ^= 1;
    cr_assert_eq(dhcp_message_decode(&out, wire, size), -EBADMSG);
    wire[236] ^= 1;
    cr_assert_eq(dhcp_message_decode(&out, wire, DHCP_MAX_BYTES + 1), -EBADMSG);
    cr_assert_eq(dhcp_message_decode(&out, wire, size), 0);
}

Test(dhcp_message, values_of_a_wrong_size_are_not_there) {
    struct dhcp_message in;
    uint32_t addresses[2];
    uint32_t u32;
    uint16_t u16;
    uint8_t u8;
    char text[8];

    dhcp_message_init(&in, DHCP_OP_REPLY, 1, mac);
    dhcp_message_put(&in, DHCP_OPT_LEASE_TIME, "abc", 3);
    dhcp_message_put(&in, DHCP_OPT_MTU, "abc", 3);
    dhcp_message_put(&in, DHCP_OPT_TYPE, "ab", 2);
    dhcp_message_put(&in, DHCP_OPT_DNS, "abcde", 5);
    dhcp_message_put(&in, DHCP_OPT_HOSTNAME, "a\nb", 3);
    dhcp_message_put(&in, DHCP_OPT_DOMAIN, "longer than it", 14);
    dhcp_message_put(&in, DHCP_OPT_MESSAGE, "ok\0\0", 4);
    cr_assert_not(dhcp_message_get_u32(&in, DHCP_OPT_LEASE_TIME, &u32));
    cr_assert_not(dhcp_message_get_u16(&in, DHCP_OPT_MTU, &u16));
    cr_assert_not(dhcp_message_get_u8(&in, DHCP_OPT_TYPE, &u8));
    cr_assert_eq(dhcp_message_type(&in), 0);
    cr_assert_eq(dhcp_message_get_addresses(&in, DHCP_OPT_DNS, addresses, 2), 0);
    cr_assert_not(dhcp_message_get_text(&in, DHCP_OPT_HOSTNAME, text, sizeof text));
    cr_assert_not(dhcp_message_get_text(&in, DHCP_OPT_DOMAIN, text, sizeof text));
    cr_assert(dhcp_message_get_text(&in, DHCP_OPT_MESSAGE, text, sizeof text));
    cr_assert_str_eq(text, "ok");
}
