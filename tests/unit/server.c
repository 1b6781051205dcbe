/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A server that answers what a test tells it, right or wrong: one connection
 * after the other, one request in each.  It speaks no TLS and hangs up on
 * whoever begins it.
 */
#include "server.h"

#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    REQUEST_BYTES = 16384,
    ROUTES_MAX = 64,
};

void server_listen(struct server *server) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;

    server->pid = 0;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(server->fd, 0);
    cr_assert_eq(bind(server->fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(server->fd, 16), 0);
    cr_assert_eq(getsockname(server->fd, (struct sockaddr *)&address, &size), 0);
    snprintf(server->host, sizeof server->host, "127.0.0.1:%d", ntohs(address.sin_port));
}

/* The value of a header in a request, cut off in place; NULL when it is not there. */
static char *header_of(char *request, const char *name) {
    for (char *line = strstr(request, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
        size_t n = strlen(name);

        if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':') {
            char *value = strndup(line + 2 + n + 2, strcspn(line + 2 + n + 2, "\r"));

            return value;
        }
    }
    return NULL;
}

static void answer(int fd, int status, const char *headers, const char *body, size_t size,
                   size_t sent) {
    char head[2048];
    int n = snprintf(head, sizeof head,
                     "HTTP/1.1 %d X\r\nContent-Length: %zu\r\nConnection: close\r\n%s\r\n", status,
                     size, headers ? headers : "");

    if (fd_write_all(fd, head, (size_t)n) == 0)
        (void)fd_write_all(fd, body, sent);
}

static void answer_route(int fd, const struct route *route, char *request, int *n_asked) {
    size_t size = route->size ? route->size : route->body ? strlen(route->body) : 0, from = 0;
    char *authorization = header_of(request, "Authorization");
    char *range = header_of(request, "Range"), headers[1024];
    bool first = (*n_asked)++ == 0;
    bool may =
        (route->wants && str_eq(route->wants, "*")) ||
        (route->wants ? authorization && str_eq(authorization, route->wants) : !authorization);

    if (!may && route->challenge) {
        snprintf(headers, sizeof headers, "WWW-Authenticate: %s\r\n", route->challenge);
        answer(fd, 401, headers, "", 0, 0);
    } else if (!may)
        answer(fd, 500, NULL, "wrong authorization", 0, 0);
    else if (route->fail_first && first)
        answer(fd, route->fail_first, NULL, "", 0, 0);
    else {
        if (range && str_after(range, "bytes="))
            from = strtoul(str_after(range, "bytes="), NULL, 10);
        if (from > 0 && from < size)
            answer(fd, 206, route->headers, route->body + from, size - from, size - from);
        else
            answer(fd, route->status ? route->status : 200, route->headers, route->body, size,
                   route->cut_bytes && first ? route->cut_bytes : size);
    }
    free(authorization);
    free(range);
}

static void serve_one(int fd, const struct route *routes, size_t n, int *n_asked) {
    char request[REQUEST_BYTES], path[1024];
    size_t used = 0;

    for (;;) {
        ssize_t got = read(fd, request + used, sizeof request - used - 1);

        if (got <= 0 || request[0] == 0x16)
            return;
        used += (size_t)got;
        request[used] = '\0';
        if (strstr(request, "\r\n\r\n"))
            break;
    }
    if (sscanf(request, "GET %1023s", path) != 1)
        return;
    for (size_t i = 0; i < n; i++)
        if (str_eq(routes[i].path, path)) {
            answer_route(fd, &routes[i], request, &n_asked[i]);
            return;
        }
    answer(fd, 404, NULL, "", 0, 0);
}

void server_serve(struct server *server, const struct route *routes, size_t n) {
    static int n_asked[ROUTES_MAX];

    cr_assert_leq(n, ROUTES_MAX);
    server->pid = fork();
    cr_assert_geq(server->pid, 0);
    if (server->pid > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    for (;;) {
        int fd = accept4(server->fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0)
            _exit(1);
        serve_one(fd, routes, n, n_asked);
        shutdown(fd, SHUT_WR);
        /* Until the other side has seen all: closing with unread bytes would reset. */
        while (read(fd, (char[512]){0}, 512) > 0)
            ;
        close(fd);
    }
}

void server_stop(struct server *server) {
    if (server->pid > 0) {
        kill(server->pid, SIGKILL);
        waitpid(server->pid, NULL, 0);
    }
    close(server->fd);
}
