/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DNS_TCP_H
#define MAYFLY_DNS_TCP_H

#include "dns_frame.h"
#include "dns_message.h"

#include <stdbool.h>
#include <stdint.h>

/** Connections that one container may have at a time. */
#define DNS_MAX_CONNECTIONS 16

/** enum dns_tcp_state - what is being waited for */
enum dns_tcp_state {
    DNS_TCP_LISTENING, /* the client's question, or its end */
    DNS_TCP_ASKING,    /* one of the host's name servers */
    DNS_TCP_TELLING,   /* the client, so that the rest of the answer can go */
};

/**
 * struct dns_connection - a client's
 * @fd: -1: the place is free
 * @upstream_fd: to the name server that is being asked, else -1
 * @server: how many of the host's name servers have been tried before this one
 * @deadline_nsec: when the next name server is tried, or the connection closed
 * @query, @n_query: what has come of the question, with its length
 * @sent: how much of the question has gone to the name server, or of the answer to the client
 * @answer, @n_answer: what there is of the answer, with its length
 */
struct dns_connection {
    int fd;
    int upstream_fd;
    enum dns_tcp_state state;
    unsigned server;
    uint64_t deadline_nsec;
    uint8_t query[DNS_FRAME_HEADER + DNS_MAX_BYTES];
    size_t n_query;
    size_t sent;
    uint8_t *answer;
    size_t n_answer;
};

/**
 * struct dns_tcp - the connections of one container's name server
 * @fd: where they come from; lent
 * @epoll_fd: readable when there is something to do; -1 until the first connection
 * @is_full: no connection is taken for the moment
 * @connections: NULL until the first one
 */
struct dns_tcp {
    int fd;
    int epoll_fd;
    bool is_full;
    unsigned n_connections;
    struct dns_connection *connections;
};

struct dns_server;

/** dns_tcp_init() - no connection and no socket. */
void dns_tcp_init(struct dns_tcp *tcp);

/** dns_tcp_done() - close what it has opened. */
void dns_tcp_done(struct dns_tcp *tcp);

/** dns_tcp_poll_fd() - what to poll(2) for; -1: nothing. */
int dns_tcp_poll_fd(const struct dns_tcp *tcp);

/** dns_tcp_deadline() - when to call dns_tcp_dispatch() although nothing came. */
uint64_t dns_tcp_deadline(const struct dns_tcp *tcp);

/**
 * dns_tcp_dispatch() - take connections, answer questions, pass them on, hand answers back
 *
 * Never blocks, and does a bounded amount of work at a time.
 * Context: host; the host's network namespace.
 * Spec: RFC 7766.  The questions of a connection are answered one after the other.
 */
void dns_tcp_dispatch(struct dns_server *server, uint64_t now_nsec);

#endif
