/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_HTTP_H
#define MAYFLY_HTTP_H

#include "engine/base/err.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/**
 * struct http_body - what a request carries
 * @read: fills @data: number of bytes, 0 at the end, or -errno with a text
 * @bytes: how many there will be
 * @type: value of Content-Type, or NULL
 */
struct http_body {
    ssize_t (*read)(void *context, void *data, size_t size, struct err *err);
    void *context;
    uint64_t bytes;
    const char *type;
};

/** struct http_text - a text to send; its place moves on */
struct http_text {
    const char *place;
    size_t left;
};

/** http_text_read() - for struct http_body: reads a struct http_text. */
ssize_t http_text_read(void *context, void *data, size_t size, struct err *err);

/**
 * struct http_request - what is asked for; everything is lent
 * @method: "GET" when NULL; "HEAD", "POST", "PUT"
 * @body: of POST and PUT; NULL: none
 * @authorization: value of that header; goes to no other host that a redirect names; NULL: none
 * @accept: value of that header, or NULL
 * @ca_file: certificates to trust; NULL: the system's
 * @allow_plain: http: is fine, in @url and in redirects
 * @stall_sec: how long nothing may come before that is an error; 0: $MAYFLY_REGISTRY_TIMEOUT or 30
 * @offset: the first byte that is wanted
 * @if_range: with @offset: only if the thing still has this ETag, else all of it; may be NULL
 */
struct http_request {
    const char *method;
    const struct http_body *body;
    const char *url;
    const char *authorization;
    const char *accept;
    const char *ca_file;
    bool allow_plain;
    unsigned stall_sec;
    uint64_t offset;
    const char *if_range;
};

struct http;

/** struct http_guard - how SIGPIPE stood before */
struct http_guard {
    sigset_t before;
};

/**
 * http_guard_begin() - keep SIGPIPE away until http_guard_end()
 *
 * TLS writes to sockets without MSG_NOSIGNAL.
 */
void http_guard_begin(struct http_guard *guard);
void http_guard_end(struct http_guard *guard);

/** HTTP_REFUSED - http_open(): no connection, or none with TLS, could be made. */
#define HTTP_REFUSED 1

/**
 * http_open() - send a request and wait for the answer's head
 *
 * Redirects of GET and HEAD are followed, to http: (where allowed) and https: alone.  Loads
 * libcurl.
 * Context: any thread, with SIGPIPE blocked.
 * Return: 0 (whatever the status), HTTP_REFUSED with a text, or -errno with a text.
 */
int http_open(struct http **ret_http, const struct http_request *request, struct err *err);

/** http_status() - 200 and such. */
int http_status(const struct http *http);

/** http_header() - a header of the answer; lent; NULL when there is none. */
const char *http_header(const struct http *http, const char *name);

/**
 * http_read() - the next bytes of the answer
 * Return: their number, 0 at the end, -EPIPE with a text when the connection failed, or another
 * -errno with a text.
 */
ssize_t http_read(struct http *http, void *data, size_t size, struct err *err);

void http_close(struct http *http);

/** http_read_all() - read an answer of at most @max_bytes; as fd_read_all(), with a text. */
int http_read_all(struct http *http, size_t max_bytes, char **ret_data, size_t *ret_size,
                  struct err *err);

#endif
