/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be asked for.  Each method reads its parameters, calls the library
 * as any program would, and writes its result.
 */
#include "serve_private.h"

#include "base64.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define NSEC_PER_MSEC UINT64_C(1000000)

static int fail(struct request *request, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(struct request *request, int code, const char *format, ...) {
    va_list args;

    va_start(args, format);
    (void)vsnprintf(request->error.message, sizeof request->error.message, format, args);
    va_end(args);
    request->code = code;
    return -EINVAL;
}

/* What the library has said stands in request->error. */
static int check(struct request *request, int r) {
    if (r < 0)
        request->code = SERVE_FAILED;
    return r;
}

static const char *need_text(struct request *request, const char *name) {
    const char *text = json_text(request->params, name);

    if (!text)
        fail(request, SERVE_INVALID_PARAMS, "%s: the text '%s' is missing", request->method, name);
    return text;
}

static void put_member(struct json_writer *json, const char *name, const char *text) {
    json_writer_open_object(json);
    json_writer_key(json, name);
    json_writer_string(json, text);
    json_writer_close_object(json);
}

/* --- containers -------------------------------------------------------------------- */

/* The container of that name with one more user, or NULL with an error. */
static struct served *take_served(struct request *request) {
    const char *name = need_text(request, "container");
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
        fail(request, SERVE_FAILED, "there is no container %s here", name);
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
        return check(request, mayfly_plan_option(plan, name, text, &request->error));
    if (json_is_true(value))
        return check(request, mayfly_plan_option(plan, name, NULL, &request->error));
    if (json_is_false(value))
        return 0;
    if (json_is_array(value)) {
        _cleanup_strv_ struct strv texts = {0};
        struct err err = {0};
        int r = json_texts(value, &texts, &err);

        if (r < 0)
            return fail(request, SERVE_INVALID_PARAMS, "option %s: %s", name, err.message);
        for (size_t i = 0; r == 0 && i < texts.n; i++)
            r = check(request, mayfly_plan_option(plan, name, texts.items[i], &request->error));
        return r;
    }
    return fail(request, SERVE_INVALID_PARAMS,
                "option %s: its value is a text, a list of texts, or true", name);
}

static struct mayfly_plan *make_plan(struct request *request) {
    const char *image = need_text(request, "image");
    const json_t *options = json_member(request->params, "options", JSON_OBJECT);
    _cleanup_strv_ struct strv names = {0};
    struct mayfly_plan *plan = NULL;
    struct err err = {0};
    int r;

    if (!image)
        return NULL;
    r = check(request, mayfly_plan_new(image, &plan, &request->error));
    if (r == 0 && options && json_keys(options, &names, &err) < 0)
        r = fail(request, SERVE_FAILED, "%s", err.message);
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
        fail(request, SERVE_FAILED, "no memory");
    if (served && check(request, mayfly_start(plan, &served->container, &request->error)) < 0) {
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
    return fail(request, SERVE_FAILED, "no memory");
}

static void do_start(struct request *request) {
    struct served *served = start_served(request);

    if (!served || add_served(request, served) < 0)
        return;
    put_member(&request->answer, "container", mayfly_name(served->container));
    drop_served(request->server, served);
}

static void do_destroy(struct request *request) {
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

static void do_list(struct request *request) {
    struct server *server = request->server;

    json_writer_open_array(&request->answer);
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->n_served; i++)
        json_writer_string(&request->answer, mayfly_name(server->served[i]->container));
    pthread_mutex_unlock(&server->lock);
    json_writer_close_array(&request->answer);
}

static void do_signal(struct request *request) {
    struct served *served = take_served(request);
    int64_t number;

    if (!served)
        return;
    if (json_number(request->params, "signal", &number) < 0 || number < 0 || number > 64)
        fail(request, SERVE_INVALID_PARAMS, "signal: a number from 0 to 64 is needed");
    else
        check(request, mayfly_signal(served->container, (int)number, &request->error));
    drop_served(request->server, served);
}

static void do_wait(struct request *request) {
    struct served *served = take_served(request);

    if (!served)
        return;
    if (check(request, mayfly_wait(served->container, UINT64_MAX, &request->error)) == 0)
        put_member(&request->answer, "reason",
                   served->is_doomed ? "it was destroyed" : request->error.message);
    drop_served(request->server, served);
}

static void do_commit(struct request *request) {
    const char *name = need_text(request, "name");
    struct served *served = name ? take_served(request) : NULL;
    _cleanup_free_ char *id = NULL;

    if (!served)
        return;
    if (check(request, mayfly_commit(served->container, name, &id, &request->error)) == 0)
        put_member(&request->answer, "id", id);
    drop_served(request->server, served);
}

static void copy(struct request *request,
                 int (*function)(struct mayfly_container *container, const char *source,
                                 const char *target, struct mayfly_error *error)) {
    const char *source = need_text(request, "source");
    struct served *served = source ? take_served(request) : NULL;

    if (!served)
        return;
    check(request, function(served->container, source, json_text(request->params, "target"),
                            &request->error));
    drop_served(request->server, served);
}

static void do_copy_in(struct request *request) {
    copy(request, mayfly_copy_in);
}

static void do_copy_out(struct request *request) {
    copy(request, mayfly_copy_out);
}

/* --- programs ------------------------------------------------------------------------ */

/* The words of a command, kept as long as it is used. */
struct words {
    struct strv argv;
    struct strv env;
    struct buf input;
};

static void words_done(struct words *words) {
    strv_done(&words->argv);
    strv_done(&words->env);
    buf_done(&words->input);
}

struct outflow {
    struct request *request;
    const char *name;
};

static int stream_output(void *context, const void *data, size_t n_bytes) {
    const struct outflow *outflow = context;
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_object(&json);
    json_writer_key(&json, "id");
    buf_puts(&json.buf, outflow->request->id);
    json.need_comma = true;
    json_writer_key(&json, "stream");
    json_writer_string(&json, outflow->name);
    serve_put_bytes(&json, "data", data, n_bytes);
    json_writer_close_object(&json);
    serve_notify(outflow->request->server, "output", &json);
    json_writer_done(&json);
    return 0;
}

static int read_input(struct request *request, struct words *words,
                      struct mayfly_command *command) {
    const char *text = json_text(request->params, "input");
    const char *coded = json_text(request->params, "input_base64");

    if (text)
        buf_puts(&words->input, text);
    if (coded && base64_decode(coded, &words->input) < 0)
        return fail(request, SERVE_INVALID_PARAMS, "input_base64 is no base64");
    if (text || coded)
        command->input = (struct mayfly_stream){
            .kind = MAYFLY_DATA, .data = words->input.data, .n_bytes = words->input.size};
    return 0;
}

static int read_command(struct request *request, struct words *words,
                        struct mayfly_command *command) {
    const json_t *argv = json_member(request->params, "argv", JSON_ARRAY);
    const json_t *env = json_member(request->params, "env", JSON_ARRAY);
    struct err err = {0};
    int64_t timeout = 0;

    *command = (struct mayfly_command){
        .shell = json_text(request->params, "shell"),
        .workdir = json_text(request->params, "workdir"),
        .user = json_text(request->params, "user"),
    };
    if ((argv && json_texts(argv, &words->argv, &err) < 0) ||
        (env && json_texts(env, &words->env, &err) < 0))
        return fail(request, SERVE_INVALID_PARAMS, "argv and env: %s", err.message);
    if (words->argv.n > 0)
        command->argv = (const char *const *)words->argv.items;
    if (words->env.n > 0)
        command->env = (const char *const *)words->env.items;
    if (!command->argv && !command->shell)
        return fail(request, SERVE_INVALID_PARAMS, "%s: 'argv' or 'shell' is needed",
                    request->method);
    (void)json_number(request->params, "timeout_ms", &timeout);
    command->timeout_nsec = timeout > 0 ? (uint64_t)timeout * NSEC_PER_MSEC : 0;
    return read_input(request, words, command);
}

void serve_put_bytes(struct json_writer *json, const char *name, const char *data, size_t size) {
    _cleanup_buf_ struct buf text = BUF_INIT, key = BUF_INIT;

    buf_append(&text, data, size);
    buf_append(&text, "", 1);
    if (!buf_failed(&text) && json_writer_is_text(text.data, size)) {
        json_writer_key(json, name);
        json_writer_string(json, text.data);
        return;
    }
    text.size = 0;
    base64_encode(data, size, &text);
    buf_append(&text, "", 1);
    buf_printf(&key, "%s_base64", name);
    if (buf_failed(&text) || buf_failed(&key)) {
        json->buf.failed = true;
        return;
    }
    json_writer_key(json, key.data);
    json_writer_string(json, text.data);
}

static void put_result(struct json_writer *json, const struct mayfly_result *result) {
    static const char *const ends[] = {
        [MAYFLY_EXITED] = "exited",   [MAYFLY_KILLED] = "killed", [MAYFLY_TIMED_OUT] = "timed out",
        [MAYFLY_REFUSED] = "refused", [MAYFLY_LOST] = "lost",
    };

    json_writer_open_object(json);
    json_writer_key(json, "end");
    json_writer_string(json, ends[result->end]);
    json_writer_key(json, "status");
    json_writer_i64(json, result->status);
    json_writer_key(json, "signal");
    json_writer_i64(json, result->signal);
    if (result->output)
        serve_put_bytes(json, "output", result->output, result->n_output);
    if (result->errors)
        serve_put_bytes(json, "errors", result->errors, result->n_errors);
    json_writer_close_object(json);
}

static void exec_in(struct request *request, struct mayfly_container *container) {
    bool stream = json_is_true(json_any_member(request->params, "stream"));
    struct outflow output = {request, "output"}, errors = {request, "errors"};
    _cleanup_(words_done) struct words words = {0};
    struct mayfly_result result = {0};
    struct mayfly_command command;

    if (read_command(request, &words, &command) < 0)
        return;
    command.output = command.errors = (struct mayfly_stream){
        .kind = stream ? MAYFLY_CALLBACK : MAYFLY_DATA,
        .take = stream_output,
    };
    command.output.context = &output;
    command.errors.context = &errors;
    if (check(request, mayfly_exec(container, &command, &result, &request->error)) == 0)
        put_result(&request->answer, &result);
    mayfly_result_done(&result);
}

static void do_exec(struct request *request) {
    struct served *served = take_served(request);

    if (!served)
        return;
    exec_in(request, served->container);
    drop_served(request->server, served);
}

static void do_call(struct request *request) {
    struct served *served = start_served(request);

    /* Known to the others, so that it ends with them. */
    if (!served || add_served(request, served) < 0)
        return;
    exec_in(request, served->container);
    serve_destroy(request->server, served);
    drop_served(request->server, served);
}

/* --- the rest ------------------------------------------------------------------------ */

static void do_version(struct request *request) {
    put_member(&request->answer, "version", mayfly_version());
}

static void do_pull(struct request *request) {
    const char *image = need_text(request, "image");
    _cleanup_free_ char *id = NULL;

    if (image && check(request, mayfly_image_pull(NULL, image, &id, &request->error)) == 0)
        put_member(&request->answer, "id", id);
}

void serve_method(struct request *request) {
    static const struct {
        const char *name;
        void (*function)(struct request *request);
    } methods[] = {
        {"version", do_version}, {"start", do_start},     {"exec", do_exec},
        {"call", do_call},       {"copy_in", do_copy_in}, {"copy_out", do_copy_out},
        {"signal", do_signal},   {"wait", do_wait},       {"list", do_list},
        {"destroy", do_destroy}, {"pull", do_pull},       {"commit", do_commit},
    };

    for (size_t i = 0; i < N_ELEMENTS(methods); i++)
        if (str_eq(methods[i].name, request->method)) {
            methods[i].function(request);
            if (!request->code && buf_failed(&request->answer.buf))
                fail(request, SERVE_FAILED, "no memory");
            return;
        }
    fail(request, SERVE_UNKNOWN_METHOD, "there is no method '%s'", request->method);
}
