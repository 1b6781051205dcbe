/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which methods there are; those that are about no container, and what all of
 * them read and write with.
 */
#include "serve_private.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int serve_fail(struct request *request, int code, const char *format, ...) {
    va_list args;

    va_start(args, format);
    (void)vsnprintf(request->error.message, sizeof request->error.message, format, args);
    va_end(args);
    request->code = code;
    return -EINVAL;
}

int serve_check(struct request *request, int r) {
    if (r < 0)
        request->code = SERVE_FAILED;
    return r;
}

const char *serve_need_text(struct request *request, const char *name) {
    const char *text = json_text(request->params, name);

    if (!text)
        serve_fail(request, SERVE_INVALID_PARAMS, "%s: the text '%s' is missing", request->method,
                   name);
    return text;
}

void serve_put_member(struct json_writer *json, const char *name, const char *text) {
    json_writer_open_object(json);
    json_writer_key(json, name);
    json_writer_string(json, text);
    json_writer_close_object(json);
}

static void put_text(struct json_writer *json, const char *name, const char *text) {
    json_writer_key(json, name);
    json_writer_string(json, text ? text : "");
}

static void put_bool(struct json_writer *json, const char *name, bool value) {
    json_writer_key(json, name);
    json_writer_bool(json, value);
}

/* --- images and networks ------------------------------------------------------------- */

static void do_version(struct request *request) {
    serve_put_member(&request->answer, "version", mayfly_version());
}

static void do_pull(struct request *request) {
    const char *image = serve_need_text(request, "image");
    _cleanup_free_ char *id = NULL;

    if (image && serve_check(request, mayfly_image_pull(NULL, image, &id, &request->error)) == 0)
        serve_put_member(&request->answer, "id", id);
}

static void put_network(struct json_writer *json, const struct mayfly_network *network) {
    json_writer_open_object(json);
    put_text(json, "name", network->name);
    put_text(json, "subnet", network->subnet);
    put_text(json, "gateway", network->gateway);
    put_bool(json, "leads_out", network->leads_out);
    put_bool(json, "host_access", network->host_access);
    put_bool(json, "built_in", network->is_built_in);
    json_writer_key(json, "members");
    json_writer_open_array(json);
    for (size_t i = 0; i < network->n_members; i++) {
        json_writer_open_object(json);
        put_text(json, "container", network->members[i].container);
        put_text(json, "address", network->members[i].address);
        put_text(json, "mac", network->members[i].mac);
        json_writer_close_object(json);
    }
    json_writer_close_array(json);
    json_writer_close_object(json);
}

static void do_networks(struct request *request) {
    struct mayfly_network *networks = NULL;
    size_t n = 0;

    if (serve_check(request, mayfly_network_list(NULL, &networks, &n, &request->error)) < 0)
        return;
    json_writer_open_array(&request->answer);
    for (size_t i = 0; i < n; i++)
        put_network(&request->answer, &networks[i]);
    json_writer_close_array(&request->answer);
    mayfly_network_list_free(networks, n);
}

static void do_network_create(struct request *request) {
    const struct mayfly_network network = {
        .name = (char *)serve_need_text(request, "name"),
        .subnet = (char *)json_text(request->params, "subnet"),
        .gateway = (char *)json_text(request->params, "gateway"),
        .leads_out = json_is_true(json_any_member(request->params, "leads_out")),
        .host_access = json_is_true(json_any_member(request->params, "host_access")),
    };

    if (network.name)
        serve_check(request, mayfly_network_create(NULL, &network, &request->error));
}

static void do_network_remove(struct request *request) {
    const char *name = serve_need_text(request, "name");

    if (name)
        serve_check(request, mayfly_network_remove(NULL, name, &request->error));
}

/* --- all of them ---------------------------------------------------------------------- */

void serve_method(struct request *request) {
    static const struct {
        const char *name;
        void (*function)(struct request *request);
    } methods[] = {
        {"version", do_version},
        {"start", serve_start},
        {"exec", serve_exec_method},
        {"call", serve_call},
        {"copy_in", serve_copy_in},
        {"copy_out", serve_copy_out},
        {"commit", serve_commit},
        {"signal", serve_signal},
        {"freeze", serve_freeze},
        {"thaw", serve_thaw},
        {"ports", serve_ports},
        {"wait", serve_wait},
        {"list", serve_list},
        {"destroy", serve_destroy_method},
        {"pull", do_pull},
        {"networks", do_networks},
        {"network_create", do_network_create},
        {"network_remove", do_network_remove},
    };

    for (size_t i = 0; i < N_ELEMENTS(methods); i++)
        if (str_eq(methods[i].name, request->method)) {
            methods[i].function(request);
            if (!request->code && buf_failed(&request->answer.buf))
                serve_fail(request, SERVE_FAILED, "no memory");
            return;
        }
    serve_fail(request, SERVE_UNKNOWN_METHOD, "there is no method '%s'", request->method);
}
