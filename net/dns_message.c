/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As much of DNS as a name server for one container needs: reading queries of
 * one question, writing answers of addresses and names, telling another
 * server's answer from what is none.  No compression is read, since nothing
 * before a question could be pointed to; what is written points to the
 * question's name.
 *
 * Spec: RFC 1035 section 4.1, RFC 3596 (AAAA).
 */
#include "dns_message.h"

#include "engine/base/str.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HEADER_BYTES 12
#define FLAG_RESPONSE 0x8000
#define FLAG_AUTHORITATIVE 0x0400
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080
#define CLASS_IN 1
#define POINTER_TO_QUESTION (0xc000 | HEADER_BYTES)
/* Names come and go with containers, so nobody may remember them. */
#define LIFE_SECONDS 0
#define MAX_LABEL 63

static uint16_t get_u16(const uint8_t *data) {
    return (uint16_t)(data[0] << 8 | data[1]);
}

static void put_u16(uint8_t *data, uint16_t value) {
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

/** decode_name() - Return: where it ends, or -EBADMSG. */
static ssize_t decode_name(const uint8_t *data, size_t size, size_t at, char ret[DNS_MAX_NAME]) {
    size_t used = 0;

    while (at < size && data[at] != 0) {
        size_t length = data[at++];

        if (length > MAX_LABEL || length > size - at || used + length + 2 > DNS_MAX_NAME)
            return -EBADMSG;
        if (used > 0)
            ret[used++] = '.';
        for (size_t i = 0; i < length; i++) {
            uint8_t c = data[at + i];

            /* A dot or a NUL within a label would make two names look alike. */
            ret[used++] = c == '.' || c <= ' ' || c > '~' ? '?' : (char)tolower(c);
        }
        at += length;
    }
    ret[used] = '\0';
    return at < size ? (ssize_t)at + 1 : -EBADMSG;
}

int dns_question_decode(const uint8_t *data, size_t size, struct dns_question *ret) {
    ssize_t end;

    if (size < HEADER_BYTES || get_u16(data + 2) & FLAG_RESPONSE || get_u16(data + 4) != 1)
        return -EBADMSG;
    end = decode_name(data, size, HEADER_BYTES, ret->name);
    if (end < 0 || size - (size_t)end < 4)
        return -EBADMSG;
    ret->id = get_u16(data);
    ret->opcode = (uint8_t)(data[2] >> 3 & 0xf);
    ret->type = get_u16(data + end);
    ret->class = get_u16(data + end + 2);
    ret->end = (size_t)end + 4;
    return 0;
}

/** encode_name() - Return: bytes, 0 when it does not fit or is none. */
static size_t encode_name(const char *name, uint8_t *ret, size_t max) {
    size_t used = 0;

    while (*name) {
        size_t length = strcspn(name, ".");

        if (length == 0 || length > MAX_LABEL || used + length + 2 > max)
            return 0;
        ret[used++] = (uint8_t)length;
        memcpy(ret + used, name, length);
        used += length;
        name += length + (name[length] == '.');
    }
    if (used == max)
        return 0;
    ret[used++] = 0;
    return used;
}

/** encode_record() - Return: bytes, 0 when it does not fit. */
static size_t encode_record(const struct dns_record *record, uint16_t type, uint8_t *ret,
                            size_t max) {
    const size_t fixed = 12;
    size_t size;

    if (max < fixed)
        return 0;
    put_u16(ret, POINTER_TO_QUESTION);
    put_u16(ret + 2, type);
    put_u16(ret + 4, CLASS_IN);
    put_u16(ret + 6, 0);
    put_u16(ret + 8, LIFE_SECONDS);
    if (record->size > 0) {
        size = record->size;
        if (size > max - fixed)
            return 0;
        memcpy(ret + fixed, record->address, size);
    } else {
        size = encode_name(record->name, ret + fixed, max - fixed);
        if (size == 0)
            return 0;
    }
    put_u16(ret + 10, (uint16_t)size);
    return fixed + size;
}

ssize_t dns_reply_encode(const uint8_t *query, const struct dns_question *question,
                         enum dns_code code, const struct dns_record *records, size_t n,
                         uint8_t *ret, size_t max) {
    uint16_t flags = FLAG_RESPONSE | FLAG_RECURSION_AVAILABLE | (uint16_t)code;
    size_t used = question->end, written = 0;

    if (max < used)
        return -EMSGSIZE;
    memcpy(ret, query, used);
    flags |= get_u16(query + 2) & (FLAG_RECURSION_DESIRED | 0x7800);
    if (code == DNS_NO_ERROR || code == DNS_NO_SUCH_NAME)
        flags |= FLAG_AUTHORITATIVE;
    for (; written < n; written++) {
        size_t size = encode_record(&records[written], question->type, ret + used, max - used);

        if (size == 0) {
            flags |= FLAG_TRUNCATED;
            break;
        }
        used += size;
    }
    put_u16(ret + 2, flags);
    put_u16(ret + 6, (uint16_t)written);
    put_u16(ret + 8, 0);
    put_u16(ret + 10, 0);
    return (ssize_t)used;
}

bool dns_is_answer(const uint8_t *data, size_t size, uint16_t id, const uint8_t *query,
                   size_t query_end) {
    if (size < HEADER_BYTES || get_u16(data) != id || !(get_u16(data + 2) & FLAG_RESPONSE))
        return false;
    /* A server that understood nothing may leave the question out. */
    if (get_u16(data + 4) == 0)
        return true;
    return get_u16(data + 4) == 1 && size >= query_end &&
           memcmp(data + HEADER_BYTES, query + HEADER_BYTES, query_end - HEADER_BYTES) == 0;
}

void dns_set_id(uint8_t *data, uint16_t id) {
    put_u16(data, id);
}

bool dns_reverse_address(const char *name, uint32_t *ret_address) {
    unsigned parts[4];
    int end = 0;

    if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &parts[0], &parts[1], &parts[2], &parts[3],
               &end) != 4 ||
        end == 0 || name[end])
        return false;
    *ret_address = 0;
    for (size_t i = 0; i < 4; i++) {
        if (parts[i] > 255)
            return false;
        *ret_address |= parts[i] << (8 * i);
    }
    return true;
}

bool dns_reverse_address6(const char *name, struct in6_addr *ret_address) {
    static const char digits[] = "0123456789abcdef";

    if (strlen(name) != 64 + strlen("ip6.arpa") || !str_eq(name + 64, "ip6.arpa"))
        return false;
    for (size_t i = 0; i < 32; i++) {
        const char *digit = name[2 * i] ? strchr(digits, name[2 * i]) : NULL;
        uint8_t *byte = &ret_address->s6_addr[15 - i / 2];

        if (!digit || name[2 * i + 1] != '.')
            return false;
        if (i % 2)
            *byte |= (uint8_t)((digit - digits) << 4);
        else
            *byte = (uint8_t)(digit - digits);
    }
    return true;
}
