/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A download that goes on after the connection failed: the next request asks
 * for the rest (a range), and with If-Range for the rest of the same thing
 * alone.  The waits between attempts double; progress starts them anew.
 */
#include "http_blob.h"

#include "engine/base/cleanup.h"

#include <poll.h>
#include <string.h>

enum {
    ATTEMPTS_MAX = 5,
    FIRST_WAIT_MSEC = 200,
};

struct http_blob {
    struct http *http;
    struct http_request request;
    char *url;
    char *authorization;
    char *accept;
    char *ca_file;
    char *etag;
    uint64_t offset;
    int n_failures; /* since the last byte */
};

int http_check_status(int status, struct err *err) {
    if (status == 200 || status == 206)
        return 0;
    if (status == 404)
        return err_set(err, -ENOENT, "not found there");
    if (status == 401 || status == 403)
        return err_set(err, -EACCES, "access denied; log in with 'podman login' or 'docker login'");
    if (status == 429)
        return err_set(err, -EBUSY, "it answers that it was asked too often (429)");
    return err_set(err, -EPROTO, "it answers with the status %d", status);
}

/* Whether it is worth asking again: the connection, or the server's own trouble. */
static bool is_passing(int r, int status) {
    return r == -EPIPE || r == HTTP_REFUSED || status >= 500 || status == 429;
}

/* Sends the request once.  Return: 0, -EPIPE for what may pass, or -errno. */
static int ask(struct http_blob *b, struct err *err) {
    int r, status;

    b->request.offset = b->offset;
    b->request.if_range = b->etag;
    r = http_open(&b->http, &b->request, err);
    if (r != 0)
        return is_passing(r, 0) ? -EPIPE : r;
    status = http_status(b->http);
    r = http_check_status(status, err);
    if (r == 0 && b->offset > 0 && status != 206)
        r = err_set(err, -ESTALE, "the connection broke, and it does not send the rest");
    if (r == 0 && !b->etag && http_header(b->http, "ETag"))
        b->etag = strdup(http_header(b->http, "ETag"));
    if (r < 0) {
        http_close(b->http);
        b->http = NULL;
    }
    return r < 0 && is_passing(0, status) ? -EPIPE : r;
}

/* Asks until there is an answer; @err has the last failure. */
static int connect_again(struct http_blob *b, struct err *err) {
    for (;;) {
        int r = ask(b, err);

        if (r != -EPIPE || ++b->n_failures >= ATTEMPTS_MAX)
            return r;
        (void)poll(NULL, 0, FIRST_WAIT_MSEC << (b->n_failures - 1));
    }
}

static ssize_t read_blob(void *context, void *data, size_t size, struct err *err) {
    struct http_blob *b = context;

    for (;;) {
        ssize_t n;
        int r;

        if (!b->http) {
            r = connect_again(b, err);
            if (r < 0)
                return r;
        }
        n = http_read(b->http, data, size, err);
        if (n > 0) {
            b->offset += (uint64_t)n;
            b->n_failures = 0;
        }
        if (n != -EPIPE || ++b->n_failures >= ATTEMPTS_MAX)
            return n;
        http_close(b->http);
        b->http = NULL;
        (void)poll(NULL, 0, FIRST_WAIT_MSEC << (b->n_failures - 1));
    }
}

static void close_blob(void *context) {
    struct http_blob *b = context;

    http_close(b->http);
    free(b->url);
    free(b->authorization);
    free(b->accept);
    free(b->ca_file);
    free(b->etag);
    free(b);
}

static char *copy(const char *text, bool *failed) {
    char *c = text ? strdup(text) : NULL;

    *failed |= text && !c;
    return c;
}

int http_blob_open(struct blob *ret_blob, const struct http_request *request, struct err *err) {
    static const struct blob_source source = {.read = read_blob, .close = close_blob};
    struct http_blob *b = calloc(1, sizeof *b);
    bool failed = false;
    int r;

    if (!b)
        return err_nomem(err);
    b->request = *request;
    b->request.url = b->url = copy(request->url, &failed);
    b->request.authorization = b->authorization = copy(request->authorization, &failed);
    b->request.accept = b->accept = copy(request->accept, &failed);
    b->request.ca_file = b->ca_file = copy(request->ca_file, &failed);
    r = failed ? err_nomem(err) : connect_again(b, err);
    if (r < 0) {
        close_blob(b);
        return r;
    }
    *ret_blob = (struct blob){.fd = -1, .source = &source, .context = b};
    return 0;
}
