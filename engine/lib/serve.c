/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation: messages behind their lengths, a thread for each request.
 * The thread that reads ends last: it ends the containers, which ends the
 * programs in them, which ends the requests.
 */
#include "serve.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "serve_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- out ------------------------------------------------------------------------- */

/* A reader that is gone ends the requests' side too, so that nothing is done about it here. */
static void send_message(struct server *server, const struct json_writer *json) {
    uint32_t length = htonl((uint32_t)json->buf.size);

    if (buf_failed(&json->buf))
        return;
    pthread_mutex_lock(&server->lock);
    if (fd_write_all(server->out_fd, &length, sizeof length) == 0)
        (void)fd_write_all(server->out_fd, json->buf.data, json->buf.size);
    pthread_mutex_unlock(&server->lock);
}

/* Text that is JSON already. */
static void put_raw(struct json_writer *json, const char *text) {
    buf_puts(&json->buf, text);
    json->need_comma = true;
}

static void begin(struct json_writer *json) {
    json_writer_open_object(json);
    json_writer_key(json, "jsonrpc");
    json_writer_string(json, "2.0");
}

static void send_answer(struct request *request) {
    struct json_writer json = JSON_WRITER_INIT;

    begin(&json);
    json_writer_key(&json, "id");
    put_raw(&json, request->id);
    if (request->code) {
        json_writer_key(&json, "error");
        json_writer_open_object(&json);
        json_writer_key(&json, "code");
        json_writer_i64(&json, request->code);
        json_writer_key(&json, "message");
        json_writer_string(&json, request->error.message);
        json_writer_close_object(&json);
    } else {
        json_writer_key(&json, "result");
        put_raw(&json, request->answer.buf.data ? request->answer.buf.data : "true");
    }
    json_writer_close_object(&json);
    send_message(request->server, &json);
    json_writer_done(&json);
}

void serve_notify(struct server *server, const char *method, const struct json_writer *params) {
    struct json_writer json = JSON_WRITER_INIT;

    begin(&json);
    json_writer_key(&json, "method");
    json_writer_string(&json, method);
    json_writer_key(&json, "params");
    put_raw(&json, params->buf.data ? params->buf.data : "null");
    json_writer_close_object(&json);
    send_message(server, &json);
    json_writer_done(&json);
}

/* --- requests ---------------------------------------------------------------------- */

static void free_request(struct request *request) {
    json_document_free(&request->document);
    json_writer_done(&request->answer);
    free(request);
}

static void *work(void *argument) {
    struct request *request = argument;
    struct server *server = request->server;

    serve_method(request);
    if (*request->id)
        send_answer(request);
    free_request(request);
    pthread_mutex_lock(&server->lock);
    server->n_requests--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    return NULL;
}

/* A string's or a number's text; nothing for a notification. */
static void take_id(struct request *request) {
    const json_t *text = json_member(request->document, "id", JSON_STRING);
    struct json_writer json = JSON_WRITER_INIT;
    int64_t number;

    if (text)
        json_writer_string(&json, json_text(request->document, "id"));
    else if (json_number(request->document, "id", &number) == 0)
        json_writer_i64(&json, number);
    if (json.buf.data && json.buf.size < sizeof request->id)
        strcpy(request->id, json.buf.data);
    json_writer_done(&json);
}

static void refuse(struct request *request, int code, const char *text) {
    request->code = code;
    snprintf(request->error.message, sizeof request->error.message, "%s", text);
    if (!*request->id)
        strcpy(request->id, "null");
    send_answer(request);
    free_request(request);
}

static int start_thread(struct request *request) {
    pthread_attr_t attributes;
    pthread_t thread;
    int r;

    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    r = pthread_create(&thread, &attributes, work, request);
    pthread_attr_destroy(&attributes);
    return -r;
}

static int take_message(struct server *server, const char *text, size_t size, struct err *err) {
    struct request *request = calloc(1, sizeof *request);
    struct err why = {0};
    int r;

    if (!request)
        return err_nomem(err);
    request->server = server;
    r = json_parse(text, size, JSON_OBJECT, &request->document, &why);
    if (r == -ENOENT) {
        free_request(request);
        *err = why;
        return r;
    }
    if (r < 0) {
        refuse(request, SERVE_PARSE_ERROR, why.message);
        return 0;
    }
    take_id(request);
    request->method = json_text(request->document, "method");
    request->params = json_member(request->document, "params", JSON_OBJECT);
    if (!request->method) {
        refuse(request, SERVE_INVALID_REQUEST, "a request needs a method");
        return 0;
    }
    pthread_mutex_lock(&server->lock);
    server->n_requests++;
    pthread_mutex_unlock(&server->lock);
    if (start_thread(request) < 0) {
        pthread_mutex_lock(&server->lock);
        server->n_requests--;
        pthread_mutex_unlock(&server->lock);
        refuse(request, SERVE_FAILED, "no more threads can be made");
    }
    return 0;
}

/* Fills @data.  Return: 0, 1 at the end, or -errno. */
static int read_whole(int fd, void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)data + done, size - done);

        if (n == 0)
            return done == 0 ? 1 : -EPIPE;
        if (n < 0 && errno != EINTR)
            return -errno;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* One message after the other.  Return: as serve(). */
static int converse(struct server *server, int in_fd, struct err *err) {
    int r = 0;

    while (r == 0) {
        _cleanup_free_ char *text = NULL;
        uint32_t length;

        r = read_whole(in_fd, &length, sizeof length);
        if (r != 0)
            break;
        length = ntohl(length);
        if (length > SERVE_MESSAGE_BYTES)
            return err_set(err, -EMSGSIZE,
                           "a message of %" PRIu32
                           " bytes is too long: each begins with its length "
                           "in four bytes",
                           length);
        text = malloc(length + 1);
        if (!text)
            return err_nomem(err);
        r = read_whole(in_fd, text, length);
        if (r == 1)
            r = -EPIPE;
        if (r == 0)
            r = take_message(server, text, length, err);
        else
            err_set(err, r, "the requests ended within one");
    }
    return r > 0 ? 0 : r;
}

static void end_all(struct server *server) {
    pthread_mutex_lock(&server->lock);
    while (server->n_requests > 0 || server->n_served > 0) {
        if (server->n_served > 0) {
            struct served *served = server->served[0];

            pthread_mutex_unlock(&server->lock);
            serve_destroy(server, served);
            pthread_mutex_lock(&server->lock);
        } else {
            pthread_cond_wait(&server->changed, &server->lock);
        }
    }
    pthread_mutex_unlock(&server->lock);
    free(server->served);
}

int serve(int in_fd, int out_fd, struct err *err) {
    struct server server = {
        .out_fd = out_fd,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .changed = PTHREAD_COND_INITIALIZER,
    };
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    int r;

    sigaction(SIGPIPE, &ignore, &before);
    r = converse(&server, in_fd, err);
    end_all(&server);
    sigaction(SIGPIPE, &before, NULL);
    return r;
}
