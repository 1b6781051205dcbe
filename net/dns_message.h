/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DNS_MESSAGE_H
#define MAYFLY_DNS_MESSAGE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** The longest message that is answered or passed on. */
#define DNS_MAX_BYTES 4096
#define DNS_MAX_NAME 256

enum dns_type {
    DNS_TYPE_A = 1,
    DNS_TYPE_PTR = 12,
    DNS_TYPE_AAAA = 28,
    DNS_TYPE_ANY = 255,
};

enum dns_code {
    DNS_NO_ERROR = 0,
    DNS_SERVER_FAILURE = 2,
    DNS_NO_SUCH_NAME = 3,
    DNS_NOT_IMPLEMENTED = 4,
    DNS_REFUSED = 5,
};

/**
 * struct dns_question - what a query asks
 * @opcode: 0 is a plain question
 * @name: in lower case, without the last dot; empty: the root
 * @end: where in the message the question ends
 */
struct dns_question {
    uint16_t id;
    uint8_t opcode;
    char name[DNS_MAX_NAME];
    uint16_t type;
    uint16_t class;
    size_t end;
};

/**
 * struct dns_record - one answer
 * @size: 4 with @address (A), 16 with @address (AAAA), 0 with @name (PTR)
 */
struct dns_record {
    uint8_t address[16];
    size_t size;
    const char *name;
};

/**
 * dns_question_decode() - read a query of one question
 *
 * Spec: RFC 1035 section 4.1.
 * Return: 0, or -EBADMSG for what is no such query.
 */
int dns_question_decode(const uint8_t *data, size_t size, struct dns_question *ret);

/**
 * dns_reply_encode() - answer a query
 * @query: the message that @question was read from
 * @records: of the question's type
 * @ret: room for @max bytes; records that do not fit are left out, and that is said (TC)
 *
 * Return: the reply's size, or -EMSGSIZE when not even the question fits.
 */
ssize_t dns_reply_encode(const uint8_t *query, const struct dns_question *question,
                         enum dns_code code, const struct dns_record *records, size_t n,
                         uint8_t *ret, size_t max);

/** dns_is_answer() - whether a message can be the answer to a query of that number and length. */
bool dns_is_answer(const uint8_t *data, size_t size, uint16_t id, const uint8_t *query,
                   size_t query_end);

/** dns_set_id() - give a message another number. */
void dns_set_id(uint8_t *data, uint16_t id);

/**
 * dns_reverse_address() - the IPv4 address that "4.3.2.1.in-addr.arpa" asks about
 * Return: whether the name is such a one; host byte order.
 */
bool dns_reverse_address(const char *name, uint32_t *ret_address);

/** dns_reverse_address6() - the same of "1.0. ... .d.f.ip6.arpa", RFC 3596. */
bool dns_reverse_address6(const char *name, struct in6_addr *ret_address);

#endif
