/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_SERVER_H
#define MAYFLY_TEST_SERVER_H

#include <stddef.h>
#include <sys/types.h>

/**
 * struct route - what the server answers to a path
 * @path: with the query, if there is one
 * @status: 0: 200
 * @headers: more headers, each ended by "\r\n"; NULL: none
 * @body, @size: owned by the test; @size 0: strlen(@body)
 * @wants: the Authorization header that is needed; NULL: none may be sent; "*": any or none
 * @challenge: WWW-Authenticate of the 401 that is answered otherwise
 * @cut_bytes: the connection ends after so many bytes of the body, the first time
 * @fail_first: this status, the first time
 */
struct route {
    const char *path;
    int status;
    const char *headers;
    const char *body;
    size_t size;
    const char *wants;
    const char *challenge;
    size_t cut_bytes;
    int fail_first;
};

/**
 * struct server - an HTTP server in a process of its own, on 127.0.0.1
 * @host: "127.0.0.1:PORT"
 */
struct server {
    pid_t pid;
    int fd;
    char host[32];
};

/** server_listen() - choose the port; connections wait until server_serve(). */
void server_listen(struct server *server);

/** server_serve() - start to answer; the routes are those at this moment. */
void server_serve(struct server *server, const struct route *routes, size_t n);

/** server_stop() - end it. */
void server_stop(struct server *server);

#define _cleanup_server_ __attribute__((cleanup(server_stop)))

#endif
