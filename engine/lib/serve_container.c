/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked for of containers.  Each method reads its parameters, calls the
 * library as any program would, and writes its result.
 */
#include "serve_private.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* --- containers -------------------------------------------------------------------- */

/* The container of that name with one more user, or NULL with an error. */
static struct served *take_served(struct request *request) {
    const char *name = serve_need_text(request, "container");
    struct server *server = request->server;
    struct served *found = NULL;

    if (!name)
        return NULL;
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->n_served; i++)
        if (str_eq(mayfly_name(server->served[i]->container), name))
            found = server->served[i];
    if (found)
        found->users++;
    pthread_mutex_unlock(&server->lock);
    if (!found)
        serve_fail(request, SERVE_FAILED, "there is no container %s here", name);
    return found;
}

static void free_served(struct served *served) {
    mayfly_destroy(served->container);
    free(served);
}

static void drop_served(struct server *server, struct served *served) {
    bool is_last;

    pthread_mutex_lock(&server->lock);
    is_last = --served->users == 0 && served->is_doomed;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    if (is_last)
        free_served(served);
}

void serve_destroy(struct server *server, struct served *served) {
    bool is_unused = false;

    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->n_served; i++)
        if (server->served[i] == served) {
            server->served[i] = server->served[--server->n_served];
            served->is_doomed = true;
            is_unused = served->users == 0;
            /* As if its owner had died: what runs in it ends, and with it who waits for that. */
            if (!is_unused)
                (void)shutdown(mayfly_wait_fd(served->container), SHUT_RDWR);
            break;
        }
    pthread_mutex_unlock(&server->lock);
    if (is_unused)
        free_served(served);
}

static int add_option(struct request *request, struct mayfly_plan *plan, const char *name,
                      const json_t *value) {
    const char *text = json_text(json_member(request->params, "options", JSON_OBJECT), name);

    if (text)
        return serve_check(request, mayfly_plan_option(plan, name, text, &request->error));
    if (json_is_true(value))
        return serve_check(request, mayfly_plan_option(plan, name, NULL, &request->error));
    if (json_is_false(value))
        return 0;
    if (json_is_array(value)) {
        _cleanup_strv_ struct strv texts = {0};
        struct err err = {0};
        int r = json_texts(value, &texts, &err);

        if (r < 0)
            return serve_fail(request, SERVE_INVALID_PARAMS, "option %s: %s", name, err.message);
        for (size_t i = 0; r == 0 && i < texts.n; i++)
            r = serve_check(request,
                            mayfly_plan_option(plan, name, texts.items[i], &request->error));
        return r;
    }
    return serve_fail(request, SERVE_INVALID_PARAMS,
                      "option %s: its value is a text, a list of texts, or true", name);
}

static struct mayfly_plan *make_plan(struct request *request) {
    const char *image = serve_need_text(request, "image");
    const json_t *options = json_member(request->params, "options", JSON_OBJECT);
    _cleanup_strv_ struct strv names = {0};
    struct mayfly_plan *plan = NULL;
    struct err err = {0};
    int r;

    if (!image)
        return NULL;
    r = serve_check(request, mayfly_plan_new(image, &plan, &request->error));
    if (r == 0 && options && json_keys(options, &names, &err) < 0)
        r = serve_fail(request, SERVE_FAILED, "%s", err.message);
    for (size_t i = 0; r == 0 && i < names.n; i++)
        r = add_option(request, plan, names.items[i], json_any_member(options, names.items[i]));
    if (r == 0)
        return plan;
    mayfly_plan_free(plan);
    return NULL;
}

static struct served *start_served(struct request *request) {
    struct mayfly_plan *plan = make_plan(request);
    struct served *served = plan ? calloc(1, sizeof *served) : NULL;

    if (plan && !served)
        serve_fail(request, SERVE_FAILED, "no memory");
    if (served &&
        serve_check(request, mayfly_start(plan, &served->container, &request->error)) < 0) {
        free(served);
        served = NULL;
    }
    mayfly_plan_free(plan);
    return served;
}

/* Makes a container known, with one user; it is destroyed where that fails. */
static int add_served(struct request *request, struct served *served) {
    struct server *server = request->server;
    struct served **more;

    pthread_mutex_lock(&server->lock);
    more = reallocarray(server->served, server->n_served + 1, sizeof *more);
    if (more) {
        server->served = more;
        server->served[server->n_served++] = served;
        served->users = 1;
    }
    pthread_mutex_unlock(&server->lock);
    if (more)
        return 0;
    free_served(served);
    return serve_fail(request, SERVE_FAILED, "no memory");
}

void serve_start(struct request *request) {
    struct served *served = start_served(request);

    if (!served || add_served(request, served) < 0)
        return;
    serve_put_member(&request->answer, "container", mayfly_name(served->container));
    drop_served(request->server, served);
}

void serve_destroy_method(struct request *request) {
    struct served *served = take_served(request);

    if (!served)
        return;
    serve_destroy(request->server, served);
    /* The others in it are about to end; it is gone when this answer is given. */
    pthread_mutex_lock(&request->server->lock);
    while (served->users > 1)
        pthread_cond_wait(&request->server->changed, &request->server->lock);
    pthread_mutex_unlock(&request->server->lock);
    drop_served(request->server, served);
}

void serve_list(struct request *request) {
    struct server *server = request->server;

    json_writer_open_array(&request->answer);
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->n_served; i++)
        json_writer_string(&request->answer, mayfly_name(server->served[i]->container));
    pthread_mutex_unlock(&server->lock);
    json_writer_close_array(&request->answer);
}

void serve_signal(struct request *request) {
    struct served *served = take_served(request);
    int64_t number;

    if (!served)
        return;
    if (json_number(request->params, "signal", &number) < 0 || number < 0 || number > 64)
        serve_fail(request, SERVE_INVALID_PARAMS, "signal: a number from 0 to 64 is needed");
    else
        serve_check(request, mayfly_signal(served->container, (int)number, &request->error));
    drop_served(request->server, served);
}

static void freeze(struct request *request, int (*function)(struct mayfly_container *container,
                                                            struct mayfly_error *error)) {
    struct served *served = take_served(request);

    if (!served)
        return;
    serve_check(request, function(served->container, &request->error));
    drop_served(request->server, served);
}

void serve_freeze(struct request *request) {
    freeze(request, mayfly_freeze);
}

void serve_thaw(struct request *request) {
    freeze(request, mayfly_thaw);
}

void serve_ports(struct request *request) {
    struct served *served = take_served(request);
    struct json_writer *json = &request->answer;
    struct mayfly_port *ports = NULL;
    size_t n = 0;

    if (!served)
        return;
    if (serve_check(request, mayfly_ports(served->container, &ports, &n, &request->error)) == 0) {
        json_writer_open_array(json);
        for (size_t i = 0; i < n; i++) {
            json_writer_open_object(json);
            json_writer_key(json, "address");
            json_writer_string(json, ports[i].address);
            json_writer_key(json, "host_port");
            json_writer_i64(json, ports[i].host_port);
            json_writer_key(json, "container_port");
            json_writer_i64(json, ports[i].container_port);
            json_writer_key(json, "protocol");
            json_writer_string(json, ports[i].is_udp ? "udp" : "tcp");
            json_writer_close_object(json);
        }
        json_writer_close_array(json);
    }
    free(ports);
    drop_served(request->server, served);
}

void serve_wait(struct request *request) {
    struct served *served = take_served(request);

    if (!served)
        return;
    if (serve_check(request, mayfly_wait(served->container, UINT64_MAX, &request->error)) == 0)
        serve_put_member(&request->answer, "reason",
                         served->is_doomed ? "it was destroyed" : request->error.message);
    drop_served(request->server, served);
}

void serve_commit(struct request *request) {
    const char *name = serve_need_text(request, "name");
    struct served *served = name ? take_served(request) : NULL;
    _cleanup_free_ char *id = NULL;

    if (!served)
        return;
    if (serve_check(request, mayfly_commit(served->container, name, &id, &request->error)) == 0)
        serve_put_member(&request->answer, "id", id);
    drop_served(request->server, served);
}

static void copy(struct request *request,
                 int (*function)(struct mayfly_container *container, const char *source,
                                 const char *target, struct mayfly_error *error)) {
    const char *source = serve_need_text(request, "source");
    struct served *served = source ? take_served(request) : NULL;

    if (!served)
        return;
    serve_check(request, function(served->container, source, json_text(request->params, "target"),
                                  &request->error));
    drop_served(request->server, served);
}

void serve_copy_in(struct request *request) {
    copy(request, mayfly_copy_in);
}

void serve_copy_out(struct request *request) {
    copy(request, mayfly_copy_out);
}

/* --- programs ------------------------------------------------------------------------ */

void serve_exec_method(struct request *request) {
    struct served *served = take_served(request);

    if (!served)
        return;
    serve_exec(request, served->container);
    drop_served(request->server, served);
}

void serve_call(struct request *request) {
    struct served *served = start_served(request);

    /* Known to the others, so that it ends with them. */
    if (!served || add_served(request, served) < 0)
        return;
    serve_exec(request, served->container);
    serve_destroy(request->server, served);
    drop_served(request->server, served);
}
