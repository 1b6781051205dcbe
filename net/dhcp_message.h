/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DHCP_MESSAGE_H
#define MAYFLY_DHCP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DHCP_SERVER_PORT 67
#define DHCP_CLIENT_PORT 68

/** The header with its magic cookie; options follow it. */
#define DHCP_HEADER_BYTES 240
/** What every client must be able to receive as a DHCP message (RFC 2131 section 2: 576 of IP). */
#define DHCP_MIN_MAX_BYTES 548
/** The largest message that is read or written: an Ethernet frame's worth. */
#define DHCP_MAX_BYTES 1472
/** Room for all options of one message once they are joined. */
#define DHCP_OPTIONS_BYTES 1536

enum dhcp_op {
    DHCP_OP_REQUEST = 1, /* from a client */
    DHCP_OP_REPLY = 2,   /* from a server */
};

/* Spec: RFC 2132 section 9.6 */
enum dhcp_type {
    DHCP_DISCOVER = 1,
    DHCP_OFFER,
    DHCP_REQUEST,
    DHCP_DECLINE,
    DHCP_ACK,
    DHCP_NAK,
    DHCP_RELEASE,
    DHCP_INFORM,
};

/* Spec: RFC 2132, RFC 3397 (119), RFC 3442 (121), RFC 4039 (80), RFC 4702 (81), RFC 3046 (82) */
enum dhcp_option {
    DHCP_OPT_PAD = 0,
    DHCP_OPT_SUBNET_MASK = 1,
    DHCP_OPT_ROUTER = 3,
    DHCP_OPT_DNS = 6,
    DHCP_OPT_HOSTNAME = 12,
    DHCP_OPT_DOMAIN = 15,
    DHCP_OPT_MTU = 26,
    DHCP_OPT_BROADCAST = 28,
    DHCP_OPT_NTP = 42,
    DHCP_OPT_REQUESTED_ADDRESS = 50,
    DHCP_OPT_LEASE_TIME = 51,
    DHCP_OPT_OVERLOAD = 52,
    DHCP_OPT_TYPE = 53,
    DHCP_OPT_SERVER_ID = 54,
    DHCP_OPT_PARAMETERS = 55,
    DHCP_OPT_MESSAGE = 56,
    DHCP_OPT_MAX_SIZE = 57,
    DHCP_OPT_T1 = 58,
    DHCP_OPT_T2 = 59,
    DHCP_OPT_CLIENT_ID = 61,
    DHCP_OPT_RAPID_COMMIT = 80,
    DHCP_OPT_FQDN = 81,
    DHCP_OPT_RELAY_AGENT = 82,
    DHCP_OPT_SEARCH = 119,
    DHCP_OPT_ROUTES = 121,
    DHCP_OPT_END = 255,
};

#define DHCP_FLAG_BROADCAST 0x8000

/**
 * struct dhcp_message - a message, taken apart
 * @op: enum dhcp_op
 * @secs, @flags, @xid: host byte order
 * @ciaddr_be, @yiaddr_be, @siaddr_be, @giaddr_be: as on the wire
 * @chaddr: @hlen bytes of it count, the rest is zero
 * @n_bytes: how much of @bytes is used
 * @options: where in @bytes each option's value stands, its parts joined
 *
 * The fields sname and file are used for overloaded options alone; what else
 * stands in them is neither kept nor written.
 */
struct dhcp_message {
    uint8_t op;
    uint8_t htype;
    uint8_t hlen;
    uint8_t hops;
    uint32_t xid;
    uint16_t secs;
    uint16_t flags;
    uint32_t ciaddr_be;
    uint32_t yiaddr_be;
    uint32_t siaddr_be;
    uint32_t giaddr_be;
    uint8_t chaddr[16];
    size_t n_bytes;
    struct {
        uint16_t offset;
        uint16_t size;
        bool present;
    } options[256];
    uint8_t bytes[DHCP_OPTIONS_BYTES];
};

/** dhcp_message_init() - an empty message for an Ethernet address, without a type. */
void dhcp_message_init(struct dhcp_message *message, enum dhcp_op op, uint32_t xid,
                       const uint8_t mac[6]);

/**
 * dhcp_message_decode() - take a message from the wire apart
 * @data: a UDP datagram's payload, from anyone
 *
 * Options that end in the middle are an error; a missing end option is not.  Several options of
 * one code are joined in the order: options field, file, sname.
 * Spec: RFC 2131 section 2 and 4.1, RFC 3396.
 * Return: 0, or -EBADMSG.
 */
int dhcp_message_decode(struct dhcp_message *ret_message, const void *data, size_t size);

/**
 * dhcp_message_encode() - put a message on the wire
 * @max_bytes: what the receiver takes, at most DHCP_MAX_BYTES; less than DHCP_MIN_MAX_BYTES is
 *             raised to it
 * @data: room for DHCP_MAX_BYTES
 *
 * The type comes first, long options are split, and what does not fit the options field goes into
 * file and sname.  Padded to 300 bytes, which old relays want.
 * Spec: RFC 2131 section 4.1, RFC 3396.
 * Return: bytes written, or -EMSGSIZE.
 */
ssize_t dhcp_message_encode(const struct dhcp_message *message, void *data, size_t max_bytes);

/** dhcp_message_has() - whether an option is there. */
bool dhcp_message_has(const struct dhcp_message *message, uint8_t code);

/** dhcp_message_get() - an option's value; NULL when it is not there; not NUL-terminated. */
const uint8_t *dhcp_message_get(const struct dhcp_message *message, uint8_t code, size_t *ret_size);

/** dhcp_message_get_u8(), _u16(), _u32() - a value of exactly that size, in host byte order.
 * Return: whether it is there. */
bool dhcp_message_get_u8(const struct dhcp_message *message, uint8_t code, uint8_t *ret);
bool dhcp_message_get_u16(const struct dhcp_message *message, uint8_t code, uint16_t *ret);
bool dhcp_message_get_u32(const struct dhcp_message *message, uint8_t code, uint32_t *ret);

/** dhcp_message_get_addresses() - the IPv4 addresses of an option, at most @max.
 * Return: how many; 0 when it is not there or its size is no multiple of four. */
size_t dhcp_message_get_addresses(const struct dhcp_message *message, uint8_t code,
                                  uint32_t *ret_be, size_t max);

/**
 * dhcp_message_get_text() - an option that is a text
 * @ret: room for @size bytes, NUL-terminated
 *
 * Trailing NULs are dropped.  Return: whether it is there, fits, and holds printable ASCII alone.
 */
bool dhcp_message_get_text(const struct dhcp_message *message, uint8_t code, char *ret,
                           size_t size);

/** dhcp_message_type() - enum dhcp_type, or 0 without one that is known. */
int dhcp_message_type(const struct dhcp_message *message);

/** dhcp_message_put() - set an option.  Return: 0, or -EMSGSIZE when there is no room left. */
int dhcp_message_put(struct dhcp_message *message, uint8_t code, const void *data, size_t size);
int dhcp_message_put_u8(struct dhcp_message *message, uint8_t code, uint8_t value);
int dhcp_message_put_u16(struct dhcp_message *message, uint8_t code, uint16_t value);
int dhcp_message_put_u32(struct dhcp_message *message, uint8_t code, uint32_t value);
int dhcp_message_put_text(struct dhcp_message *message, uint8_t code, const char *text);

#endif
