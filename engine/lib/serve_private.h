/* SPDX-License-Identifier: Apache-2.0 */
/* What the files serve*.c share; for no one else. */
#ifndef MAYFLY_SERVE_PRIVATE_H
#define MAYFLY_SERVE_PRIVATE_H

#include "engine/base/json_writer.h"
#include "mayfly.h"
#include "rootfs/manifest_json.h"

#include <pthread.h>

/* Error codes.  Spec: JSON-RPC 2.0, section 5.1. */
#define SERVE_PARSE_ERROR (-32700)
#define SERVE_INVALID_REQUEST (-32600)
#define SERVE_UNKNOWN_METHOD (-32601)
#define SERVE_INVALID_PARAMS (-32602)
#define SERVE_FAILED (-32000)

/**
 * struct served - a container that was asked for
 * @users: requests that are at work in it; it is freed by the last, once it is @is_doomed
 */
struct served {
    struct mayfly_container *container;
    unsigned users;
    bool is_doomed;
};

/**
 * struct server - a conversation
 * @lock: of all that follows
 * @changed: a request has ended
 */
struct server {
    int out_fd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct served **served;
    size_t n_served;
    unsigned n_requests;
};

/**
 * struct request - one request, in a thread of its own
 * @id: JSON text to be given back
 * @answer: the result, as JSON
 * @code, @error: in place of a result
 */
struct request {
    struct server *server;
    json_t *document;
    const char *method;
    const json_t *params;
    char id[80];
    struct json_writer answer;
    int code;
    struct mayfly_error error;
};

/** serve_method() - carry out a request: fills in @answer, or @code and @error. */
void serve_method(struct request *request);

/** serve_notify() - send a notification with these parameters, a JSON object. */
void serve_notify(struct server *server, const char *method, const struct json_writer *params);

/** serve_put_bytes() - write a member @name, as text or as base64 with "_base64" behind its name.
 */
void serve_put_bytes(struct json_writer *json, const char *name, const char *data, size_t size);

/* The methods about containers; each fills in request->answer, or calls serve_fail(). */
void serve_start(struct request *request);
void serve_exec_method(struct request *request);
void serve_call(struct request *request);
void serve_copy_in(struct request *request);
void serve_copy_out(struct request *request);
void serve_commit(struct request *request);
void serve_signal(struct request *request);
void serve_freeze(struct request *request);
void serve_thaw(struct request *request);
void serve_ports(struct request *request);
void serve_wait(struct request *request);
void serve_list(struct request *request);
void serve_destroy_method(struct request *request);

/** serve_exec() - run what the parameters say in a container, and answer with what came of it. */
void serve_exec(struct request *request, struct mayfly_container *container);

/** serve_fail() - answer with an error: a code of the above and a text.  Return: -EINVAL. */
int serve_fail(struct request *request, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** serve_check() - answer with request->error when the library has refused.  Return: @r. */
int serve_check(struct request *request, int r);

/** serve_need_text() - a parameter that is a text; NULL with an error when it is missing. */
const char *serve_need_text(struct request *request, const char *name);

/** serve_put_member() - an object with one member. */
void serve_put_member(struct json_writer *json, const char *name, const char *text);

/** serve_destroy() - end a container, whatever runs in it, and wait for the end. */
void serve_destroy(struct server *server, struct served *served);

#endif
