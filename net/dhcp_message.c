/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A DHCP message is BOOTP's fixed header, a cookie, and options: code, length,
 * value.  An option that needs more than 255 bytes comes in several pieces of
 * one code, which count as one value once joined (RFC 3396), and option 52
 * says that the header's file and sname fields hold further options.
 *
 * Decoding goes over the three fields twice: first to add up how long each
 * option is, then to copy its pieces to one place.  Nothing that was read is
 * believed before it has been checked against the field's end.
 */
#include "dhcp_message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define OFFSET_CHADDR 28
#define OFFSET_SNAME 44
#define SNAME_BYTES 64
#define OFFSET_FILE 108
#define FILE_BYTES 128
#define OFFSET_COOKIE 236
#define BOOTP_MIN_BYTES 300

#define OVERLOAD_FILE 1
#define OVERLOAD_SNAME 2

static const uint8_t cookie[4] = {99, 130, 83, 99};

static uint16_t get_u16(const uint8_t *data) {
    return (uint16_t)(data[0] << 8 | data[1]);
}

static uint32_t get_u32(const uint8_t *data) {
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

static void set_u16(uint8_t *data, uint16_t value) {
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

static void set_u32(uint8_t *data, uint32_t value) {
    set_u16(data, (uint16_t)(value >> 16));
    set_u16(data + 2, (uint16_t)value);
}

void dhcp_message_init(struct dhcp_message *message, enum dhcp_op op, uint32_t xid,
                       const uint8_t mac[6]) {
    memset(message, 0, offsetof(struct dhcp_message, bytes));
    message->op = (uint8_t)op;
    message->htype = 1;
    message->hlen = 6;
    message->xid = xid;
    memcpy(message->chaddr, mac, 6);
}

/** next_option() - 1 with the option at *@position, 0 at the field's end, -EBADMSG when cut off. */
static int next_option(const uint8_t *field, size_t size, size_t *position, const uint8_t **ret) {
    while (*position < size && field[*position] == DHCP_OPT_PAD)
        (*position)++;
    if (*position >= size || field[*position] == DHCP_OPT_END)
        return 0;
    if (size - *position < 2 || size - *position - 2 < field[*position + 1])
        return -EBADMSG;
    *ret = field + *position;
    *position += 2u + field[*position + 1];
    return 1;
}

static int measure_field(struct dhcp_message *message, const uint8_t *field, size_t size,
                         uint8_t *overload) {
    const uint8_t *option;
    size_t position = 0;
    int r;

    while ((r = next_option(field, size, &position, &option)) > 0) {
        message->options[option[0]].present = true;
        message->options[option[0]].size += option[1];
        if (overload && option[0] == DHCP_OPT_OVERLOAD && option[1] == 1)
            *overload = option[2];
    }
    return r;
}

static void copy_field(struct dhcp_message *message, const uint8_t *field, size_t size) {
    const uint8_t *option;
    size_t position = 0;

    while (next_option(field, size, &position, &option) > 0) {
        memcpy(message->bytes + message->options[option[0]].offset +
                   message->options[option[0]].size,
               option + 2, option[1]);
        message->options[option[0]].size += option[1];
    }
}

/** place_options() - give every option its room in bytes; the sizes start again from 0. */
static int place_options(struct dhcp_message *message) {
    for (size_t i = 0; i < 256; i++) {
        if (message->n_bytes + message->options[i].size > sizeof message->bytes)
            return -EBADMSG;
        message->options[i].offset = (uint16_t)message->n_bytes;
        message->n_bytes += message->options[i].size;
        message->options[i].size = 0;
    }
    return 0;
}

static int decode_options(struct dhcp_message *message, const uint8_t *data, size_t size) {
    const uint8_t *options = data + DHCP_HEADER_BYTES;
    uint8_t overload = 0;
    int r;

    r = measure_field(message, options, size - DHCP_HEADER_BYTES, &overload);
    if (r == 0 && overload & OVERLOAD_FILE)
        r = measure_field(message, data + OFFSET_FILE, FILE_BYTES, NULL);
    if (r == 0 && overload & OVERLOAD_SNAME)
        r = measure_field(message, data + OFFSET_SNAME, SNAME_BYTES, NULL);
    if (r == 0)
        r = place_options(message);
    if (r < 0)
        return r;
    copy_field(message, options, size - DHCP_HEADER_BYTES);
    if (overload & OVERLOAD_FILE)
        copy_field(message, data + OFFSET_FILE, FILE_BYTES);
    if (overload & OVERLOAD_SNAME)
        copy_field(message, data + OFFSET_SNAME, SNAME_BYTES);
    return 0;
}

int dhcp_message_decode(struct dhcp_message *ret_message, const void *data, size_t size) {
    const uint8_t *bytes = data;

    memset(ret_message, 0, offsetof(struct dhcp_message, bytes));
    if (size < DHCP_HEADER_BYTES || size > DHCP_MAX_BYTES ||
        memcmp(bytes + OFFSET_COOKIE, cookie, sizeof cookie) != 0)
        return -EBADMSG;
    if (bytes[0] != DHCP_OP_REQUEST && bytes[0] != DHCP_OP_REPLY)
        return -EBADMSG;
    if (bytes[2] > sizeof ret_message->chaddr)
        return -EBADMSG;
    ret_message->op = bytes[0];
    ret_message->htype = bytes[1];
    ret_message->hlen = bytes[2];
    ret_message->hops = bytes[3];
    ret_message->xid = get_u32(bytes + 4);
    ret_message->secs = get_u16(bytes + 8);
    ret_message->flags = get_u16(bytes + 10);
    memcpy(&ret_message->ciaddr_be, bytes + 12, 4);
    memcpy(&ret_message->yiaddr_be, bytes + 16, 4);
    memcpy(&ret_message->siaddr_be, bytes + 20, 4);
    memcpy(&ret_message->giaddr_be, bytes + 24, 4);
    memcpy(ret_message->chaddr, bytes + OFFSET_CHADDR, ret_message->hlen);
    return decode_options(ret_message, bytes, size);
}

/** struct field - one of the three places for options while a message is written */
struct field {
    uint8_t *data;
    size_t size;
    size_t used;
};

/** put_pieces() - write as much of a value as a field holds, in pieces; returns how much that was.
 */
static size_t put_pieces(struct field *field, uint8_t code, const uint8_t *value, size_t size) {
    size_t done = 0;

    /* One byte stays free for the end option. */
    do {
        size_t room = field->size - field->used;
        size_t piece;

        if (room < 3 || (size > 0 && room < 4))
            break;
        piece = size - done < 255 ? size - done : 255;
        if (piece > room - 3)
            piece = room - 3;
        field->data[field->used] = code;
        field->data[field->used + 1] = (uint8_t)piece;
        if (piece > 0)
            memcpy(field->data + field->used + 2, value + done, piece);
        field->used += 2 + piece;
        done += piece;
        if (size == 0)
            return 1; /* an empty value counts as one piece written */
    } while (done < size);
    return done;
}

/** put_option() - write an option, the fields after the first only when it needs them. */
static int put_option(const struct dhcp_message *message, uint8_t code, struct field *fields,
                      size_t n_fields) {
    size_t size = message->options[code].size;
    const uint8_t *value = message->bytes + message->options[code].offset;

    for (size_t i = 0; i < n_fields; i++) {
        size_t done = put_pieces(&fields[i], code, value, size);

        if (done >= size && done > 0)
            return 0;
        value += done;
        size -= done;
    }
    return -EMSGSIZE;
}

static int put_options(const struct dhcp_message *message, struct field *fields, size_t n_fields) {
    int r = 0;

    /* The type has to be found first, and the overload option in the options field. */
    if (message->options[DHCP_OPT_TYPE].present)
        r = put_option(message, DHCP_OPT_TYPE, fields, 1);
    if (r == 0 && n_fields > 1) {
        fields[0].data[fields[0].used++] = DHCP_OPT_OVERLOAD;
        fields[0].data[fields[0].used++] = 1;
        fields[0].data[fields[0].used++] = OVERLOAD_FILE | OVERLOAD_SNAME;
    }
    for (unsigned code = 1; code < DHCP_OPT_END && r == 0; code++)
        if (message->options[code].present && code != DHCP_OPT_TYPE && code != DHCP_OPT_OVERLOAD &&
            code != DHCP_OPT_RELAY_AGENT)
            r = put_option(message, (uint8_t)code, fields, n_fields);
    /* RFC 3046 section 2.1: the relay agent's option is the last. */
    if (r == 0 && message->options[DHCP_OPT_RELAY_AGENT].present)
        r = put_option(message, DHCP_OPT_RELAY_AGENT, fields, n_fields);
    return r;
}

static void encode_header(const struct dhcp_message *message, uint8_t *bytes) {
    bytes[0] = message->op;
    bytes[1] = message->htype;
    bytes[2] = message->hlen;
    bytes[3] = message->hops;
    set_u32(bytes + 4, message->xid);
    set_u16(bytes + 8, message->secs);
    set_u16(bytes + 10, message->flags);
    memcpy(bytes + 12, &message->ciaddr_be, 4);
    memcpy(bytes + 16, &message->yiaddr_be, 4);
    memcpy(bytes + 20, &message->siaddr_be, 4);
    memcpy(bytes + 24, &message->giaddr_be, 4);
    memcpy(bytes + OFFSET_CHADDR, message->chaddr, sizeof message->chaddr);
    memcpy(bytes + OFFSET_COOKIE, cookie, sizeof cookie);
}

ssize_t dhcp_message_encode(const struct dhcp_message *message, void *data, size_t max_bytes) {
    uint8_t *bytes = data;
    size_t n_fields = 1;

    if (max_bytes < DHCP_MIN_MAX_BYTES)
        max_bytes = DHCP_MIN_MAX_BYTES;
    if (max_bytes > DHCP_MAX_BYTES)
        max_bytes = DHCP_MAX_BYTES;
    for (;;) {
        struct field fields[3] = {
            {.data = bytes + DHCP_HEADER_BYTES, .size = max_bytes - DHCP_HEADER_BYTES},
            {.data = bytes + OFFSET_FILE, .size = FILE_BYTES},
            {.data = bytes + OFFSET_SNAME, .size = SNAME_BYTES},
        };

        memset(bytes, 0, max_bytes);
        encode_header(message, bytes);
        if (put_options(message, fields, n_fields) == 0) {
            size_t size = DHCP_HEADER_BYTES + fields[0].used + 1;

            for (size_t i = 0; i < n_fields; i++)
                fields[i].data[fields[i].used] = DHCP_OPT_END;
            return (ssize_t)(size < BOOTP_MIN_BYTES ? BOOTP_MIN_BYTES : size);
        }
        if (n_fields > 1)
            return -EMSGSIZE;
        n_fields = 3;
    }
}

bool dhcp_message_has(const struct dhcp_message *message, uint8_t code) {
    return message->options[code].present;
}

const uint8_t *dhcp_message_get(const struct dhcp_message *message, uint8_t code,
                                size_t *ret_size) {
    *ret_size = message->options[code].size;
    return message->options[code].present ? message->bytes + message->options[code].offset : NULL;
}

/** get_exact() - an option's value when it has that size, else NULL. */
static const uint8_t *get_exact(const struct dhcp_message *message, uint8_t code, size_t size) {
    size_t actual;
    const uint8_t *value = dhcp_message_get(message, code, &actual);

    return actual == size ? value : NULL;
}

bool dhcp_message_get_u8(const struct dhcp_message *message, uint8_t code, uint8_t *ret) {
    const uint8_t *value = get_exact(message, code, 1);

    *ret = value ? *value : 0;
    return value != NULL;
}

bool dhcp_message_get_u16(const struct dhcp_message *message, uint8_t code, uint16_t *ret) {
    const uint8_t *value = get_exact(message, code, 2);

    *ret = value ? get_u16(value) : 0;
    return value != NULL;
}

bool dhcp_message_get_u32(const struct dhcp_message *message, uint8_t code, uint32_t *ret) {
    const uint8_t *value = get_exact(message, code, 4);

    *ret = value ? get_u32(value) : 0;
    return value != NULL;
}

size_t dhcp_message_get_addresses(const struct dhcp_message *message, uint8_t code,
                                  uint32_t *ret_be, size_t max) {
    size_t size;
    const uint8_t *value = dhcp_message_get(message, code, &size);
    size_t n = size / 4 < max ? size / 4 : max;

    if (!value || size % 4 != 0)
        return 0;
    memcpy(ret_be, value, n * 4);
    return n;
}

bool dhcp_message_get_text(const struct dhcp_message *message, uint8_t code, char *ret,
                           size_t size) {
    size_t length;
    const uint8_t *value = dhcp_message_get(message, code, &length);

    *ret = '\0';
    while (value && length > 0 && value[length - 1] == '\0')
        length--;
    if (!value || length == 0 || length >= size)
        return false;
    for (size_t i = 0; i < length; i++)
        if (value[i] < 0x20 || value[i] > 0x7e)
            return false;
    memcpy(ret, value, length);
    ret[length] = '\0';
    return true;
}

int dhcp_message_type(const struct dhcp_message *message) {
    uint8_t type;

    if (!dhcp_message_get_u8(message, DHCP_OPT_TYPE, &type) || type > DHCP_INFORM)
        return 0;
    return type;
}

int dhcp_message_put(struct dhcp_message *message, uint8_t code, const void *data, size_t size) {
    if (size > sizeof message->bytes - message->n_bytes)
        return -EMSGSIZE;
    message->options[code].present = true;
    message->options[code].offset = (uint16_t)message->n_bytes;
    message->options[code].size = (uint16_t)size;
    if (size > 0)
        memcpy(message->bytes + message->n_bytes, data, size);
    message->n_bytes += size;
    return 0;
}

int dhcp_message_put_u8(struct dhcp_message *message, uint8_t code, uint8_t value) {
    return dhcp_message_put(message, code, &value, 1);
}

int dhcp_message_put_u16(struct dhcp_message *message, uint8_t code, uint16_t value) {
    uint8_t bytes[2];

    set_u16(bytes, value);
    return dhcp_message_put(message, code, bytes, sizeof bytes);
}

int dhcp_message_put_u32(struct dhcp_message *message, uint8_t code, uint32_t value) {
    uint8_t bytes[4];

    set_u32(bytes, value);
    return dhcp_message_put(message, code, bytes, sizeof bytes);
}

int dhcp_message_put_text(struct dhcp_message *message, uint8_t code, const char *text) {
    return dhcp_message_put(message, code, text, strlen(text));
}
