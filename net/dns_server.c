/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a container asks about names is answered by its own supervisor: about
 * others on its bridge out of the network's state, so that those that come
 * later are found too; about anything else not at all on a bridge that leads
 * nowhere, which is said at once, and otherwise with what the host's own name
 * servers say.  Those are asked from the host, as the host's programs do, so
 * that one on 127.0.0.53 is as good as any.
 *
 * A question that is passed on gets a socket and a number of its own, both
 * chosen at random by the kernel and by getrandom(2): whoever wants to forge an
 * answer has to guess both.
 */
#include "dns_server.h"

#include "dns_socket.h"
#include "resolv.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#define CLASS_IN 1
/* More than go into a reply by UDP, which is then marked as cut short. */
#define MAX_RECORDS 64
/* A reply that any resolver takes, RFC 1035 section 4.2.1. */
#define PLAIN_BYTES 512
#define MAX_MESSAGES 16
#define ANSWER_NSEC (3 * NSEC_PER_SEC)

void dns_server_init(struct dns_server *server) {
    *server = (struct dns_server){.fd = -1, .epoll_fd = -1};
    dns_tcp_init(&server->tcp);
    for (size_t i = 0; i < DNS_MAX_PENDING; i++)
        server->pending[i].fd = -1;
}

static void forget(struct dns_server *server, struct dns_pending *pending) {
    close(pending->fd);
    free(pending->query);
    pending->fd = -1;
    pending->query = NULL;
    server->n_pending--;
}

void dns_server_done(struct dns_server *server) {
    for (size_t i = 0; i < DNS_MAX_PENDING; i++)
        if (server->pending[i].fd >= 0)
            forget(server, &server->pending[i]);
    dns_tcp_done(&server->tcp);
    cleanup_close_p(&server->epoll_fd);
    server->epoll_fd = -1;
}

uint64_t dns_server_deadline(const struct dns_server *server) {
    uint64_t deadline_nsec = dns_tcp_deadline(&server->tcp);

    for (size_t i = 0; server->n_pending > 0 && i < DNS_MAX_PENDING; i++)
        if (server->pending[i].fd >= 0 && server->pending[i].deadline_nsec < deadline_nsec)
            deadline_nsec = server->pending[i].deadline_nsec;
    return deadline_nsec;
}

static void send_to(const struct dns_server *server, const struct sockaddr_in *client,
                    const uint8_t *data, size_t size) {
    /* A queue that is full loses it, as the network would. */
    if (sendto(server->fd, data, size, MSG_NOSIGNAL, (const struct sockaddr *)client,
               sizeof *client) < 0)
        return;
}

ssize_t dns_server_fail(const uint8_t *query, size_t size, uint8_t *ret_reply, size_t max) {
    struct dns_question question;

    if (dns_question_decode(query, size, &question) < 0)
        return -EBADMSG;
    return dns_reply_encode(query, &question, DNS_SERVER_FAILURE, NULL, 0, ret_reply, max);
}

ssize_t dns_server_answer(const struct dns_server *server, const uint8_t *query, size_t size,
                          uint8_t *ret_reply, size_t max) {
    struct dns_record records[MAX_RECORDS];
    struct dns_question question;
    int n = -ENOENT;

    if (dns_question_decode(query, size, &question) < 0)
        return -EBADMSG;
    if (question.opcode != 0)
        return dns_reply_encode(query, &question, DNS_NOT_IMPLEMENTED, NULL, 0, ret_reply, max);
    if (question.class == CLASS_IN)
        n = server->lookup(server->context, &question, records, MAX_RECORDS);
    if (n >= 0)
        return dns_reply_encode(query, &question, DNS_NO_ERROR, records, (size_t)n, ret_reply, max);
    if (server->forwards)
        return 0;
    return dns_reply_encode(query, &question, DNS_NO_SUCH_NAME, NULL, 0, ret_reply, max);
}

/** ask() - pass a question on to the next name server that can be.  Return: whether there was one.
 */
static bool ask(struct dns_server *server, struct dns_pending *pending, uint64_t now_nsec) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = pending};
    struct resolv resolv;

    resolv_of_host(&resolv, true);
    for (; pending->server < resolv.n_servers; pending->server++) {
        _cleanup_close_ int fd =
            dns_socket_open_upstream(&resolv.servers[pending->server], SOCK_DGRAM);

        if (fd < 0 || getrandom(&pending->id, sizeof pending->id, 0) != sizeof pending->id)
            continue;
        dns_set_id(pending->query, pending->id);
        if (send(fd, pending->query, pending->size, MSG_NOSIGNAL) < 0 ||
            epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
            continue;
        if (pending->fd >= 0)
            close(pending->fd);
        pending->fd = take_fd(fd);
        pending->deadline_nsec = clock_add(now_nsec, ANSWER_NSEC);
        return true;
    }
    return false;
}

static struct dns_pending *find_place(struct dns_server *server) {
    for (size_t i = 0; i < DNS_MAX_PENDING; i++)
        if (server->pending[i].fd < 0)
            return &server->pending[i];
    return NULL;
}

/** pass_on() - Return: whether an answer is to be expected. */
static bool pass_on(struct dns_server *server, const struct sockaddr_in *client,
                    const uint8_t *query, size_t size, uint64_t now_nsec) {
    struct dns_pending *pending = find_place(server);
    struct dns_question question;

    if (server->epoll_fd < 0)
        server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll_fd < 0 || !pending || dns_question_decode(query, size, &question) < 0)
        return false;
    *pending = (struct dns_pending){.fd = -1,
                                    .client = *client,
                                    .size = size,
                                    .question_end = question.end,
                                    .query = malloc(size + 2)};
    if (!pending->query)
        return false;
    memcpy(pending->query, query, size);
    /* The client's own number, kept behind the message. */
    memcpy(pending->query + size, query, 2);
    if (!ask(server, pending, now_nsec)) {
        free(take_ptr(pending->query));
        return false;
    }
    server->n_pending++;
    return true;
}

static void take_question(struct dns_server *server, const struct sockaddr_in *client,
                          const uint8_t *query, size_t size, uint64_t now_nsec) {
    uint8_t reply[PLAIN_BYTES];
    ssize_t n = dns_server_answer(server, query, size, reply, sizeof reply);

    if (n == 0 && !pass_on(server, client, query, size, now_nsec))
        n = dns_server_fail(query, size, reply, sizeof reply);
    if (n > 0)
        send_to(server, client, reply, (size_t)n);
}

static void take_questions(struct dns_server *server, uint64_t now_nsec) {
    for (int i = 0; server->fd >= 0 && i < MAX_MESSAGES; i++) {
        uint8_t data[DNS_MAX_BYTES];
        struct sockaddr_in client;
        socklen_t length = sizeof client;
        ssize_t n = recvfrom(server->fd, data, sizeof data, 0, (struct sockaddr *)&client, &length);

        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0 && length == sizeof client)
            take_question(server, &client, data, (size_t)n, now_nsec);
    }
}

/** give_up() - none of the name servers has answered. */
static void give_up(struct dns_server *server, struct dns_pending *pending) {
    uint8_t reply[PLAIN_BYTES];
    ssize_t n;

    memcpy(pending->query, pending->query + pending->size, 2);
    n = dns_server_fail(pending->query, pending->size, reply, sizeof reply);
    if (n > 0)
        send_to(server, &pending->client, reply, (size_t)n);
    forget(server, pending);
}

static void try_next(struct dns_server *server, struct dns_pending *pending, uint64_t now_nsec) {
    pending->server++;
    if (!ask(server, pending, now_nsec))
        give_up(server, pending);
}

static void take_answer(struct dns_server *server, struct dns_pending *pending, uint64_t now_nsec) {
    uint8_t data[DNS_MAX_BYTES];
    ssize_t n = pending->fd < 0 ? 0 : recv(pending->fd, data, sizeof data, 0);

    if (pending->fd < 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    if (n < 0) {
        try_next(server, pending, now_nsec);
        return;
    }
    if (!dns_is_answer(data, (size_t)n, pending->id, pending->query, pending->question_end))
        return;
    memcpy(data, pending->query + pending->size, 2);
    send_to(server, &pending->client, data, (size_t)n);
    forget(server, pending);
}

void dns_server_dispatch(struct dns_server *server, uint64_t now_nsec) {
    struct epoll_event events[MAX_MESSAGES];
    int n;

    take_questions(server, now_nsec);
    dns_tcp_dispatch(server, now_nsec);
    if (server->n_pending == 0)
        return;
    n = epoll_wait(server->epoll_fd, events, MAX_MESSAGES, 0);
    for (int i = 0; i < n; i++)
        take_answer(server, events[i].data.ptr, now_nsec);
    for (size_t i = 0; i < DNS_MAX_PENDING; i++)
        if (server->pending[i].fd >= 0 && now_nsec >= server->pending[i].deadline_nsec)
            try_next(server, &server->pending[i], now_nsec);
}
