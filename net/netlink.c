/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Just enough netlink: requests are put together in one buffer, sent by one
 * call, and answered one by one.  A library does this too, at the price of
 * 0.2 ms for loading it into each run that wants a network; what is needed
 * here is a header, aligned attributes and the reading of acknowledgements.
 *
 * Everything that is sent asks for an acknowledgement, except the markers
 * around an nf_tables transaction, which have none.  The kernel has answered
 * by the time send(2) returns, so that waiting is only reading.
 *
 * Spec: netlink(7), rtnetlink(7).
 */
#include "netlink.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define RECEIVE_BYTES 32768
#define SOCKET_BYTES (1 << 20)

void netlink_batch_done(struct netlink_batch *batch) {
    buf_done(&batch->buf);
    *batch = NETLINK_BATCH_INIT;
}

static void pad(struct buf *buf) {
    static const char zeros[NLA_ALIGNTO];

    if (buf->size % NLA_ALIGNTO != 0)
        buf_append(buf, zeros, NLA_ALIGNTO - buf->size % NLA_ALIGNTO);
}

/** end_message() - write the length of the request that is being put together. */
static void end_message(struct netlink_batch *batch) {
    uint32_t size = (uint32_t)(batch->buf.size - batch->message);

    if (!buf_failed(&batch->buf) && size > 0)
        memcpy(batch->buf.data + batch->message + offsetof(struct nlmsghdr, nlmsg_len), &size,
               sizeof size);
}

void netlink_begin(struct netlink_batch *batch, uint16_t type, uint16_t flags, const void *header,
                   size_t size) {
    struct nlmsghdr message = {.nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST};

    end_message(batch);
    batch->message = batch->buf.size;
    batch->depth = 0;
    if (flags & NLM_F_ACK)
        message.nlmsg_seq = ++batch->n_acks;
    buf_append(&batch->buf, &message, sizeof message);
    buf_append(&batch->buf, header, size);
    pad(&batch->buf);
}

void netlink_put(struct netlink_batch *batch, uint16_t type, const void *data, size_t size) {
    struct nlattr attribute = {.nla_len = (uint16_t)(sizeof attribute + size), .nla_type = type};

    if (size > UINT16_MAX - sizeof attribute) {
        batch->buf.failed = 1;
        return;
    }
    buf_append(&batch->buf, &attribute, sizeof attribute);
    if (size > 0)
        buf_append(&batch->buf, data, size);
    pad(&batch->buf);
}

void netlink_put_u8(struct netlink_batch *batch, uint16_t type, uint8_t value) {
    netlink_put(batch, type, &value, sizeof value);
}

void netlink_put_u16(struct netlink_batch *batch, uint16_t type, uint16_t value) {
    netlink_put(batch, type, &value, sizeof value);
}

void netlink_put_u32(struct netlink_batch *batch, uint16_t type, uint32_t value) {
    netlink_put(batch, type, &value, sizeof value);
}

void netlink_put_be32(struct netlink_batch *batch, uint16_t type, uint32_t value) {
    netlink_put_u32(batch, type, htonl(value));
}

void netlink_put_string(struct netlink_batch *batch, uint16_t type, const char *text) {
    netlink_put(batch, type, text, strlen(text) + 1);
}

void netlink_nest_begin(struct netlink_batch *batch, uint16_t type, const void *data, size_t size) {
    if (batch->depth == NETLINK_MAX_DEPTH) {
        batch->buf.failed = 1;
        return;
    }
    batch->nests[batch->depth++] = batch->buf.size;
    netlink_put(batch, type | NLA_F_NESTED, data, size);
}

void netlink_nest_end(struct netlink_batch *batch) {
    size_t begin = batch->depth > 0 ? batch->nests[--batch->depth] : 0;
    uint16_t size = (uint16_t)(batch->buf.size - begin);

    if (batch->buf.size - begin > UINT16_MAX)
        batch->buf.failed = 1;
    if (!buf_failed(&batch->buf))
        memcpy(batch->buf.data + begin + offsetof(struct nlattr, nla_len), &size, sizeof size);
}

int netlink_open(int protocol, struct err *err) {
    _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
    int on = 1;
    int bytes = SOCKET_BYTES;

    if (fd < 0)
        return err_errno(err, "netlink socket");
    /* Without these two the kernel's answers say less; nothing else depends on them. */
    setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
    setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes) < 0)
        return err_errno(err, "netlink socket");
    return take_fd(fd);
}

const void *netlink_find(const void *attributes, size_t size, uint16_t type, size_t *ret_size) {
    const char *data = attributes;

    for (size_t at = 0; at + sizeof(struct nlattr) <= size;) {
        struct nlattr attribute;

        memcpy(&attribute, data + at, sizeof attribute);
        if (attribute.nla_len < sizeof attribute || attribute.nla_len > size - at)
            break;
        if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
            if (ret_size)
                *ret_size = attribute.nla_len - sizeof attribute;
            return data + at + sizeof attribute;
        }
        at += NLA_ALIGN(attribute.nla_len);
    }
    return NULL;
}

const void *netlink_attribute(const struct nlmsghdr *message, size_t header_bytes, uint16_t type,
                              size_t *ret_size) {
    size_t begin = NLMSG_HDRLEN + NLMSG_ALIGN(header_bytes);

    if (message->nlmsg_len < begin)
        return NULL;
    return netlink_find((const char *)message + begin, message->nlmsg_len - begin, type, ret_size);
}

/** take_error() - the outcome that an error message tells. */
static int take_error(const struct nlmsghdr *message, struct err *err) {
    const struct nlmsgerr *error = NLMSG_DATA(message);
    const char *text = NULL;
    size_t size = 0;

    if (message->nlmsg_len < NLMSG_LENGTH(sizeof *error))
        return err_set(err, -EBADMSG, "netlink: answer cut short");
    if (error->error == 0)
        return 0;
    if (message->nlmsg_flags & NLM_F_ACK_TLVS && message->nlmsg_flags & NLM_F_CAPPED)
        text = netlink_attribute(message, sizeof *error, NLMSGERR_ATTR_MSG, &size);
    if (text && size > 1)
        return err_set(err, error->error, "%s (%.*s)", strerror(-error->error), (int)size - 1,
                       text);
    return err_set(err, error->error, "%s", strerror(-error->error));
}

/** struct answers - what is expected, and what to do with it */
struct answers {
    unsigned n_acks; /* acknowledgements still to come */
    bool is_dump;    /* ends with NLMSG_DONE instead */
    int (*each)(const struct nlmsghdr *message, void *context);
    void *context;
    int result; /* of the first failure */
};

static void take_message(struct answers *answers, const struct nlmsghdr *message, struct err *err) {
    struct err *where = answers->result == 0 ? err : NULL;
    int r = 0;

    if (message->nlmsg_type == NLMSG_ERROR) {
        r = take_error(message, where);
        answers->n_acks--;
        if (answers->is_dump)
            answers->n_acks = 0;
    } else if (message->nlmsg_type == NLMSG_DONE) {
        answers->n_acks = 0;
    } else if (answers->each && answers->result == 0) {
        r = answers->each(message, answers->context);
    }
    if (answers->result == 0)
        answers->result = r;
}

static int take_answers(int fd, struct answers *answers, struct err *err) {
    _cleanup_free_ char *data = malloc(RECEIVE_BYTES);

    if (!data)
        return err_nomem(err);
    while (answers->n_acks > 0) {
        ssize_t n = recv(fd, data, RECEIVE_BYTES, MSG_TRUNC);
        struct nlmsghdr *message = (struct nlmsghdr *)data;

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "netlink answer");
        if (n > RECEIVE_BYTES)
            return err_set(err, -EMSGSIZE, "netlink: answer too long");
        for (; answers->n_acks > 0 && NLMSG_OK(message, (size_t)n);
             message = NLMSG_NEXT(message, n))
            take_message(answers, message, err);
    }
    return answers->result;
}

static int send_batch(int fd, struct netlink_batch *batch, struct err *err) {
    static const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
    ssize_t n;

    end_message(batch);
    if (buf_failed(&batch->buf))
        return err_nomem(err);
    do
        n = sendto(fd, batch->buf.data, batch->buf.size, MSG_NOSIGNAL,
                   (const struct sockaddr *)&kernel, sizeof kernel);
    while (n < 0 && errno == EINTR);
    return n < 0 ? err_errno(err, "netlink request") : 0;
}

int netlink_send(int fd, struct netlink_batch *batch, struct err *err) {
    struct answers answers = {.n_acks = batch->n_acks};
    int r = send_batch(fd, batch, err);

    if (r == 0)
        r = take_answers(fd, &answers, err);
    netlink_batch_done(batch);
    return r;
}

int netlink_dump(int fd, struct netlink_batch *batch,
                 int (*each)(const struct nlmsghdr *message, void *context), void *context,
                 struct err *err) {
    struct answers answers = {.n_acks = 1, .is_dump = true, .each = each, .context = context};
    int r = send_batch(fd, batch, err);

    if (r == 0)
        r = take_answers(fd, &answers, err);
    netlink_batch_done(batch);
    return r;
}
