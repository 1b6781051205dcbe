/* SPDX-License-Identifier: Apache-2.0 */
#include "net/dns_message.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

/* "Web.example", type A, as a resolver sends it, with an OPT record behind. */
static const uint8_t query[] = {
    0x12, 0x34, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 1,  3,    'W',  'e', 'b', 7, 'e', 'x', 'a',
    'm',  'p',  'l',  'e',  0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0,   0,   0, 0,   0,   0};

/* Questions. */

Test(dns_message, a_question) {
    struct dns_question question;

    cr_assert_eq(dns_question_decode(query, sizeof query, &question), 0);
    cr_assert_eq(question.id, 0x1234);
    cr_assert_eq(question.opcode, 0);
    cr_assert_str_eq(question.name, "web.example");
    cr_assert_eq(question.type, DNS_TYPE_A);
    cr_assert_eq(question.class, 1);
    cr_assert_eq(question.end, sizeof query - 11);
}

Test(dns_message, no_part_of_a_question_is_one) {
    for (size_t i = 0; i < sizeof query - 11; i++) {
        struct dns_question question;

        cr_assert_eq(dns_question_decode(query, i, &question), -EBADMSG, "%zu bytes", i);
    }
}

Test(dns_message, what_is_no_question) {
    uint8_t bad[sizeof query];
    struct dns_question question;

    memcpy(bad, query, sizeof bad);
    bad[2] |= 0x80;
    cr_expect_eq(dns_question_decode(bad, sizeof bad, &question), -EBADMSG, "an answer");
    memcpy(bad, query, sizeof bad);
    bad[5] = 2;
    cr_expect_eq(dns_question_decode(bad, sizeof bad, &question), -EBADMSG, "two questions");
    memcpy(bad, query, sizeof bad);
    bad[12] = 0xc0;
    cr_expect_eq(dns_question_decode(bad, sizeof bad, &question), -EBADMSG, "a pointer");
    memcpy(bad, query, sizeof bad);
    bad[13] = '.';
    cr_expect_eq(dns_question_decode(bad, sizeof bad, &question), 0);
    cr_expect_str_eq(question.name, "?eb.example", "two names must not look alike");
}

/* Answers. */

Test(dns_message, addresses) {
    const struct dns_record records[] = {{.address = {10, 64, 0, 2}, .size = 4},
                                         {.address = {10, 64, 0, 3}, .size = 4}};
    struct dns_question question;
    uint8_t reply[512];
    ssize_t size;

    cr_assert_eq(dns_question_decode(query, sizeof query, &question), 0);
    size = dns_reply_encode(query, &question, DNS_NO_ERROR, records, 2, reply, sizeof reply);
    cr_assert_eq((size_t)size, question.end + 2 * 16);
    cr_expect(dns_is_answer(reply, (size_t)size, 0x1234, query, question.end));
    cr_expect_not(dns_is_answer(reply, (size_t)size, 0x1235, query, question.end));
    cr_expect_not(dns_is_answer(query, sizeof query, 0x1234, query, question.end));
    cr_expect_eq(reply[2] & 0x81, 0x81, "an answer, the question's wish repeated");
    cr_expect_eq(reply[7], 2);
    cr_expect_eq(reply[11], 0, "no record of the question's is repeated");
    cr_expect_arr_eq(reply + size - 4, records[1].address, 4);
    /* As many as fit, and that it is not all. */
    size = dns_reply_encode(query, &question, DNS_NO_ERROR, records, 2, reply, question.end + 20);
    cr_expect_eq((size_t)size, question.end + 16);
    cr_expect(reply[2] & 2);
    cr_expect_eq(dns_reply_encode(query, &question, DNS_NO_ERROR, records, 2, reply, 20),
                 -EMSGSIZE);
}

Test(dns_message, a_name) {
    const struct dns_record record = {.name = "web"};
    struct dns_question question;
    uint8_t reply[512];
    ssize_t size;

    cr_assert_eq(dns_question_decode(query, sizeof query, &question), 0);
    size = dns_reply_encode(query, &question, DNS_NO_ERROR, &record, 1, reply, sizeof reply);
    cr_assert_eq((size_t)size, question.end + 12 + 5);
    cr_expect_arr_eq(reply + size - 5, "\3web", 5);
}

Test(dns_message, errors_are_answers_without_records) {
    struct dns_question question;
    uint8_t reply[512];

    cr_assert_eq(dns_question_decode(query, sizeof query, &question), 0);
    cr_assert_eq(
        (size_t)dns_reply_encode(query, &question, DNS_NO_SUCH_NAME, NULL, 0, reply, sizeof reply),
        question.end);
    cr_expect_eq(reply[3] & 0xf, DNS_NO_SUCH_NAME);
}

Test(dns_message, names_of_addresses) {
    uint32_t address;

    cr_assert(dns_reverse_address("2.0.64.10.in-addr.arpa", &address));
    cr_expect_eq(address, 0x0a400002);
    cr_expect_not(dns_reverse_address("2.0.64.10.in-addr.arpa.x", &address));
    cr_expect_not(dns_reverse_address("2.0.64.in-addr.arpa", &address));
    cr_expect_not(dns_reverse_address("2.0.64.300.in-addr.arpa", &address));
    cr_expect_not(dns_reverse_address("web", &address));
}
