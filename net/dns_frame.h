/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DNS_FRAME_H
#define MAYFLY_DNS_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/** What stands before each message on a TCP connection: its length. */
#define DNS_FRAME_HEADER 2
/** The longest message that the length can tell of. */
#define DNS_FRAME_MAX 65535

/**
 * dns_frame_wants() - how many bytes of a message are still to come
 * @data, @used: its length and what has come of it
 * @max: the longest message that is taken
 *
 * Who reads no more than that has never a part of the message after it.
 * Spec: RFC 1035 section 4.2.2, RFC 7766 section 8.
 * Return: 0 when it is whole, -EMSGSIZE when it is longer than @max or too short for a message.
 */
ssize_t dns_frame_wants(const uint8_t *data, size_t used, size_t max);

/** dns_frame_begin() - write the length of a message before it; at most DNS_FRAME_MAX. */
void dns_frame_begin(uint8_t data[DNS_FRAME_HEADER], size_t size);

#endif
