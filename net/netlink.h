/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETLINK_H
#define MAYFLY_NETLINK_H

#include "engine/base/buf.h"
#include "engine/base/err.h"

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#define NETLINK_MAX_DEPTH 8

/**
 * struct netlink_batch - requests that are sent together
 * @message: where the current request begins
 * @nests: where the open nested attributes begin
 * @n_acks: how many answers the kernel will give
 */
struct netlink_batch {
    struct buf buf;
    size_t message;
    size_t nests[NETLINK_MAX_DEPTH];
    unsigned depth;
    unsigned n_acks;
};

#define NETLINK_BATCH_INIT ((struct netlink_batch){0})

/** netlink_batch_done() - free it and return to the empty state. */
void netlink_batch_done(struct netlink_batch *batch);

#define _cleanup_netlink_batch_ __attribute__((cleanup(netlink_batch_done)))

/**
 * netlink_begin() - begin a request; the one before it ends
 * @flags: NLM_F_REQUEST is added
 * @header: the family's own header, such as struct ifinfomsg
 */
void netlink_begin(struct netlink_batch *batch, uint16_t type, uint16_t flags, const void *header,
                   size_t size);

/** netlink_put() and its kin - add an attribute to the request or the nested attribute. */
void netlink_put(struct netlink_batch *batch, uint16_t type, const void *data, size_t size);
void netlink_put_u8(struct netlink_batch *batch, uint16_t type, uint8_t value);
void netlink_put_u16(struct netlink_batch *batch, uint16_t type, uint16_t value);
void netlink_put_u32(struct netlink_batch *batch, uint16_t type, uint32_t value);
void netlink_put_be32(struct netlink_batch *batch, uint16_t type, uint32_t value);
/** netlink_put_string() - with its NUL. */
void netlink_put_string(struct netlink_batch *batch, uint16_t type, const char *text);

/** netlink_nest_begin(), netlink_nest_end() - attributes within an attribute.
 * @data: what stands before them (a header such as struct ifinfomsg), or NULL */
void netlink_nest_begin(struct netlink_batch *batch, uint16_t type, const void *data, size_t size);
void netlink_nest_end(struct netlink_batch *batch);

/**
 * netlink_open() - a socket to the kernel, in the calling thread's network namespace
 * @protocol: NETLINK_ROUTE, NETLINK_NETFILTER
 *
 * Return: a descriptor, or -errno with a text.
 */
int netlink_open(int protocol, struct err *err);

/**
 * netlink_send() - send a batch and wait for every answer
 *
 * The batch is empty afterwards.  Requests after one that failed have been carried out as well.
 * Return: 0, or the -errno of the first request that failed; with a text that ends in the kernel's
 * own where it gives one.
 */
int netlink_send(int fd, struct netlink_batch *batch, struct err *err);

/**
 * netlink_dump() - send one request and take all that comes back
 * @each: called for every message; negative ends it and is returned
 *
 * Return: 0 or negative with a text (of @each: without).
 */
int netlink_dump(int fd, struct netlink_batch *batch,
                 int (*each)(const struct nlmsghdr *message, void *context), void *context,
                 struct err *err);

/** netlink_find() - find an attribute among those of @size bytes.  Return: as below. */
const void *netlink_find(const void *attributes, size_t size, uint16_t type, size_t *ret_size);

/**
 * netlink_attribute() - find an attribute of a message that came in
 * @header_bytes: the size of the family's own header
 *
 * Return: its value, or NULL; @ret_size may be NULL.
 */
const void *netlink_attribute(const struct nlmsghdr *message, size_t header_bytes, uint16_t type,
                              size_t *ret_size);

#endif
