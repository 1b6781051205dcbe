/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DNS_SERVER_H
#define MAYFLY_DNS_SERVER_H

#include "dns_message.h"
#include "dns_tcp.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/** Questions of one container that are on their way to the host's name servers. */
#define DNS_MAX_PENDING 32

/**
 * struct dns_pending - a question that was passed on
 * @fd: the socket that the answer comes to; -1: the place is free
 * @server: how many of the host's name servers have been tried before this one
 */
struct dns_pending {
    int fd;
    unsigned server;
    uint16_t id;
    uint64_t deadline_nsec;
    struct sockaddr_in client;
    size_t size;
    size_t question_end;
    uint8_t *query;
};

/**
 * struct dns_server - one container's name server
 * @fd: where its questions come by UDP; lent
 * @tcp: those that come by TCP
 * @epoll_fd: readable when an answer has come; -1 until a question was passed on
 * @forwards: what is not known here is asked of the host's name servers; else it is not there
 * @lookup: the records of a name (in lower case) or an address; how many of @max were set, or
 *          negative for a name that is not known here
 */
struct dns_server {
    int fd;
    int epoll_fd;
    bool forwards;
    int (*lookup)(void *context, const struct dns_question *question, struct dns_record *ret,
                  size_t max);
    void *context;
    unsigned n_pending;
    struct dns_pending pending[DNS_MAX_PENDING];
    struct dns_tcp tcp;
};

/** dns_server_init() - a server that knows nothing and has no socket. */
void dns_server_init(struct dns_server *server);

/** dns_server_done() - close what it has opened. */
void dns_server_done(struct dns_server *server);

/** dns_server_deadline() - when to call dns_server_dispatch() although nothing came. */
uint64_t dns_server_deadline(const struct dns_server *server);

/**
 * dns_server_answer() - what is to be said to a message, as far as it is known here
 * @query: the message
 * @ret_reply: room for @max bytes
 *
 * Return: the reply's size, 0 when the host's name servers have to be asked, or -EBADMSG for what
 * is no question.
 */
ssize_t dns_server_answer(const struct dns_server *server, const uint8_t *query, size_t size,
                          uint8_t *ret_reply, size_t max);

/** dns_server_fail() - that none of them has answered.  Return: as dns_server_answer(). */
ssize_t dns_server_fail(const uint8_t *query, size_t size, uint8_t *ret_reply, size_t max);

/**
 * dns_server_dispatch() - answer questions, pass them on, hand answers back
 *
 * Never blocks, and takes a bounded number of messages at a time.
 * Context: host; the host's network namespace.
 */
void dns_server_dispatch(struct dns_server *server, uint64_t now_nsec);

#endif
