/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions by TCP, as a container's resolver asks again when an answer was
 * too long for UDP, or all the time where it is told to.
 *
 *     LISTENING ── own name ──────────────────────► TELLING ──┐
 *         │ ▲                                          ▲      │
 *         │ └────────────── answered ──────────────────┼──────┘
 *         └── any other ──► ASKING ── answer, failure ─┘
 *
 * A connection reads a whole question, answers it, and reads the next, so that
 * a client which does not take its answers is asked nothing more.  Each state
 * has a time by which it has to be over; when all places are taken, one that
 * waits for its client's next question makes room (RFC 7766 section 6.2.3), and
 * if there is none, newcomers wait with the kernel.  All of that is one
 * container's: others have name servers of their own.
 *
 * A question goes to a name server of the host under the client's own number:
 * nobody but that server is at the other end of a connection.
 */
#include "dns_server.h"

#include "dns_socket.h"
#include "resolv.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define MAX_EVENTS 16
/* For a client, to ask, to ask once more, or to take its answer. */
#define CLIENT_NSEC (10 * NSEC_PER_SEC)
/* For a name server, to say everything. */
#define SERVER_NSEC (4 * NSEC_PER_SEC)
/* What an event is about: a connection's place, and whether it is its name server's socket. */
#define LISTENER UINT32_MAX
#define UPSTREAM 0x100u

void dns_tcp_init(struct dns_tcp *tcp) {
    *tcp = (struct dns_tcp){.fd = -1, .epoll_fd = -1};
}

int dns_tcp_poll_fd(const struct dns_tcp *tcp) {
    return tcp->epoll_fd >= 0 ? tcp->epoll_fd : tcp->fd;
}

uint64_t dns_tcp_deadline(const struct dns_tcp *tcp) {
    uint64_t deadline_nsec = CLOCK_NEVER;

    for (size_t i = 0; tcp->n_connections > 0 && i < DNS_MAX_CONNECTIONS; i++)
        if (tcp->connections[i].fd >= 0 && tcp->connections[i].deadline_nsec < deadline_nsec)
            deadline_nsec = tcp->connections[i].deadline_nsec;
    return deadline_nsec;
}

/** await() - hear of a socket from now on, or (@how is EPOLL_CTL_MOD) of something else of it. */
static int await(const struct dns_tcp *tcp, int how, int fd, uint32_t events, uint32_t which) {
    struct epoll_event event = {.events = events, .data.u32 = which};

    return epoll_ctl(tcp->epoll_fd, how, fd, &event);
}

static uint32_t index_of(const struct dns_tcp *tcp, const struct dns_connection *connection) {
    return (uint32_t)(connection - tcp->connections);
}

static void stop_asking(struct dns_connection *connection) {
    if (connection->upstream_fd >= 0)
        close(take_fd(connection->upstream_fd));
}

static void hang_up(struct dns_tcp *tcp, struct dns_connection *connection) {
    stop_asking(connection);
    close(take_fd(connection->fd));
    free(take_ptr(connection->answer));
    tcp->n_connections--;
    /* There is room again. */
    if (tcp->is_full && await(tcp, EPOLL_CTL_MOD, tcp->fd, EPOLLIN, LISTENER) == 0)
        tcp->is_full = false;
}

void dns_tcp_done(struct dns_tcp *tcp) {
    for (size_t i = 0; tcp->connections && i < DNS_MAX_CONNECTIONS; i++)
        if (tcp->connections[i].fd >= 0)
            hang_up(tcp, &tcp->connections[i]);
    cleanup_close_p(&tcp->epoll_fd);
    free(tcp->connections);
    dns_tcp_init(tcp);
}

/* What a connection does next.  Each of these returns -EPIPE when the connection is to be closed,
 * -EAGAIN when there is something to wait for, and 0 when it is in another state. */

/** receive() - as much of a message as there is.  Return: 0 when it is whole. */
static int receive(int fd, uint8_t *data, size_t *used, size_t max) {
    for (;;) {
        ssize_t wants = dns_frame_wants(data, *used, max);
        ssize_t n = wants > 0 ? recv(fd, data + *used, (size_t)wants, 0) : 0;

        if (wants == 0)
            return 0;
        if (wants < 0 || n == 0)
            return -EPIPE;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? -EAGAIN : -EPIPE;
        *used += (size_t)n;
    }
}

/** transmit() - as much of a message as can go.  Return: 0 when all of it has gone. */
static int transmit(int fd, const uint8_t *data, size_t size, size_t *sent) {
    while (*sent < size) {
        ssize_t n = send(fd, data + *sent, size - *sent, MSG_NOSIGNAL);

        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? -EAGAIN : -EPIPE;
        *sent += (size_t)n;
    }
    return 0;
}

/** enter() - wait for the client's part of a state. */
static int enter(struct dns_tcp *tcp, struct dns_connection *connection, enum dns_tcp_state state,
                 uint64_t now_nsec) {
    static const uint32_t events[] = {[DNS_TCP_LISTENING] = EPOLLIN, [DNS_TCP_TELLING] = EPOLLOUT};

    connection->state = state;
    connection->sent = 0;
    connection->deadline_nsec = clock_add(now_nsec, CLIENT_NSEC);
    return await(tcp, EPOLL_CTL_MOD, connection->fd, events[state], index_of(tcp, connection)) < 0
               ? -EPIPE
               : 0;
}

/** begin_asking() - turn to the next name server that can be.  Return: whether there is one. */
static bool begin_asking(struct dns_tcp *tcp, struct dns_connection *connection,
                         uint64_t now_nsec) {
    struct resolv resolv;

    stop_asking(connection);
    connection->n_answer = connection->sent = 0;
    resolv_of_host(&resolv, true);
    for (; connection->server < resolv.n_servers; connection->server++) {
        _cleanup_close_ int fd =
            dns_socket_open_upstream(&resolv.servers[connection->server], SOCK_STREAM);

        if (fd < 0 ||
            await(tcp, EPOLL_CTL_ADD, fd, EPOLLOUT, UPSTREAM | index_of(tcp, connection)) < 0)
            continue;
        connection->upstream_fd = take_fd(fd);
        connection->deadline_nsec = clock_add(now_nsec, SERVER_NSEC);
        return true;
    }
    return false;
}

/** tell() - @size bytes of answer are there; none is a failure. */
static int tell(struct dns_server *server, struct dns_connection *connection, ssize_t size,
                uint64_t now_nsec) {
    stop_asking(connection);
    if (size <= 0)
        size = dns_server_fail(connection->query + DNS_FRAME_HEADER,
                               connection->n_query - DNS_FRAME_HEADER,
                               connection->answer + DNS_FRAME_HEADER, DNS_FRAME_MAX);
    if (size <= 0)
        return -EPIPE;
    dns_frame_begin(connection->answer, (size_t)size);
    connection->n_answer = DNS_FRAME_HEADER + (size_t)size;
    return enter(&server->tcp, connection, DNS_TCP_TELLING, now_nsec);
}

static int listen_to(struct dns_server *server, struct dns_connection *connection,
                     uint64_t now_nsec) {
    struct dns_tcp *tcp = &server->tcp;
    ssize_t size;
    int r = receive(connection->fd, connection->query, &connection->n_query, DNS_MAX_BYTES);

    if (r < 0)
        return r;
    connection->answer = malloc(DNS_FRAME_HEADER + DNS_FRAME_MAX);
    if (!connection->answer)
        return -EPIPE;
    size = dns_server_answer(server, connection->query + DNS_FRAME_HEADER,
                             connection->n_query - DNS_FRAME_HEADER,
                             connection->answer + DNS_FRAME_HEADER, DNS_FRAME_MAX);
    if (size < 0)
        return -EPIPE;
    connection->server = 0;
    if (size > 0 || !begin_asking(tcp, connection, now_nsec))
        return tell(server, connection, size, now_nsec);
    connection->state = DNS_TCP_ASKING;
    /* Of the client nothing is to be heard meanwhile but that it is gone. */
    return await(tcp, EPOLL_CTL_MOD, connection->fd, 0, index_of(tcp, connection)) < 0 ? -EPIPE : 0;
}

/** is_answer() - whether a name server's message belongs to the question. */
static bool is_answer(const struct dns_connection *connection) {
    const uint8_t *query = connection->query + DNS_FRAME_HEADER;
    struct dns_question question;

    return dns_question_decode(query, connection->n_query - DNS_FRAME_HEADER, &question) == 0 &&
           dns_is_answer(connection->answer + DNS_FRAME_HEADER,
                         connection->n_answer - DNS_FRAME_HEADER, question.id, query, question.end);
}

static int ask(struct dns_server *server, struct dns_connection *connection, uint64_t now_nsec) {
    bool was_sent = connection->sent == connection->n_query;
    int r = transmit(connection->upstream_fd, connection->query, connection->n_query,
                     &connection->sent);

    if (r == 0 && !was_sent)
        (void)await(&server->tcp, EPOLL_CTL_MOD, connection->upstream_fd, EPOLLIN,
                    UPSTREAM | index_of(&server->tcp, connection));
    if (r == 0)
        r = receive(connection->upstream_fd, connection->answer, &connection->n_answer,
                    DNS_FRAME_MAX);
    if (r == 0 && is_answer(connection))
        return tell(server, connection, (ssize_t)(connection->n_answer - DNS_FRAME_HEADER),
                    now_nsec);
    if (r == -EAGAIN && now_nsec < connection->deadline_nsec)
        return r;
    connection->server++;
    return begin_asking(&server->tcp, connection, now_nsec) ? -EAGAIN
                                                            : tell(server, connection, 0, now_nsec);
}

static int finish_telling(struct dns_server *server, struct dns_connection *connection,
                          uint64_t now_nsec) {
    int r = transmit(connection->fd, connection->answer, connection->n_answer, &connection->sent);

    if (r < 0)
        return r;
    free(take_ptr(connection->answer));
    connection->n_answer = connection->n_query = 0;
    return enter(&server->tcp, connection, DNS_TCP_LISTENING, now_nsec);
}

/** go_on() - one question and its answer at most, so that other connections have their turn. */
static void go_on(struct dns_server *server, struct dns_connection *connection, uint64_t now_nsec) {
    int r = -EAGAIN;

    if (connection->state == DNS_TCP_LISTENING)
        r = listen_to(server, connection, now_nsec);
    else if (connection->state == DNS_TCP_ASKING)
        r = ask(server, connection, now_nsec);
    if ((r == 0 || r == -EAGAIN) && connection->state == DNS_TCP_TELLING)
        r = finish_telling(server, connection, now_nsec);
    if (r == -EPIPE || (r == -EAGAIN && now_nsec >= connection->deadline_nsec))
        hang_up(&server->tcp, connection);
}

/* Connections. */

/** make_room() - a free place, if need be that of a client that has nothing to ask; NULL: none. */
static struct dns_connection *make_room(struct dns_tcp *tcp) {
    struct dns_connection *idle = NULL;

    for (size_t i = 0; i < DNS_MAX_CONNECTIONS; i++) {
        struct dns_connection *connection = &tcp->connections[i];

        if (connection->fd < 0)
            return connection;
        if (connection->state == DNS_TCP_LISTENING && connection->n_query == 0 &&
            (!idle || connection->deadline_nsec < idle->deadline_nsec))
            idle = connection;
    }
    if (idle)
        hang_up(tcp, idle);
    return idle;
}

/** begin() - what the first connection needs.  Return: whether it is there. */
static bool begin(struct dns_tcp *tcp) {
    if (tcp->connections)
        return true;
    tcp->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    tcp->connections = calloc(DNS_MAX_CONNECTIONS, sizeof *tcp->connections);
    if (tcp->epoll_fd < 0 || !tcp->connections ||
        await(tcp, EPOLL_CTL_ADD, tcp->fd, EPOLLIN, LISTENER) < 0) {
        cleanup_close_p(&tcp->epoll_fd);
        tcp->epoll_fd = -1;
        free(take_ptr(tcp->connections));
        return false;
    }
    for (size_t i = 0; i < DNS_MAX_CONNECTIONS; i++)
        tcp->connections[i] = (struct dns_connection){.fd = -1, .upstream_fd = -1};
    return true;
}

/** take_connection() - one that is there. */
static void take_connection(struct dns_tcp *tcp, uint64_t now_nsec) {
    struct dns_connection *connection = begin(tcp) ? make_room(tcp) : NULL;
    _cleanup_close_ int fd = -1;

    if (!connection && tcp->connections) {
        tcp->is_full = await(tcp, EPOLL_CTL_MOD, tcp->fd, 0, LISTENER) == 0;
        return;
    }
    fd = accept4(tcp->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 || !connection)
        return;
    connection->fd = take_fd(fd);
    connection->n_query = 0;
    tcp->n_connections++;
    if (await(tcp, EPOLL_CTL_ADD, connection->fd, 0, index_of(tcp, connection)) < 0 ||
        enter(tcp, connection, DNS_TCP_LISTENING, now_nsec) < 0)
        hang_up(tcp, connection);
}

/** take_event() - Return: whether somebody wants a connection. */
static bool take_event(struct dns_server *server, const struct epoll_event *event,
                       uint64_t now_nsec) {
    struct dns_connection *connection;

    if (event->data.u32 == LISTENER)
        return true;
    connection = &server->tcp.connections[event->data.u32 & ~UPSTREAM];
    if (connection->fd < 0)
        return false;
    if (!(event->data.u32 & UPSTREAM) && event->events & (EPOLLHUP | EPOLLERR))
        hang_up(&server->tcp, connection);
    else
        go_on(server, connection, now_nsec);
    return false;
}

void dns_tcp_dispatch(struct dns_server *server, uint64_t now_nsec) {
    struct dns_tcp *tcp = &server->tcp;
    struct epoll_event events[MAX_EVENTS];
    /* Before the first one there is nothing to be told by. */
    bool has_newcomer = tcp->fd >= 0 && tcp->epoll_fd < 0;
    int n = tcp->epoll_fd >= 0 ? epoll_wait(tcp->epoll_fd, events, MAX_EVENTS, 0) : 0;

    for (int i = 0; i < n; i++)
        has_newcomer |= take_event(server, &events[i], now_nsec);
    for (size_t i = 0; tcp->n_connections > 0 && i < DNS_MAX_CONNECTIONS; i++)
        if (tcp->connections[i].fd >= 0 && now_nsec >= tcp->connections[i].deadline_nsec)
            go_on(server, &tcp->connections[i], now_nsec);
    if (has_newcomer)
        take_connection(tcp, now_nsec);
}
