/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where messages begin and end on a TCP connection.  Whoever is at the other
 * end decides in how many pieces they come.
 */
#include "dns_frame.h"

#include <errno.h>

/* A message of less has no header. */
#define MIN_MESSAGE 12

ssize_t dns_frame_wants(const uint8_t *data, size_t used, size_t max) {
    size_t size;

    if (used < DNS_FRAME_HEADER)
        return (ssize_t)(DNS_FRAME_HEADER - used);
    size = (size_t)(data[0] << 8 | data[1]);
    if (size < MIN_MESSAGE || size > max)
        return -EMSGSIZE;
    return used < DNS_FRAME_HEADER + size ? (ssize_t)(DNS_FRAME_HEADER + size - used) : 0;
}

void dns_frame_begin(uint8_t data[DNS_FRAME_HEADER], size_t size) {
    data[0] = (uint8_t)(size >> 8);
    data[1] = (uint8_t)size;
}
