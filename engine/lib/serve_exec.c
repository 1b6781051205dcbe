/* SPDX-License-Identifier: Apache-2.0 */
/* "exec" and "call": what is to run, its input, and what it has written. */
#include "serve_private.h"

#include "base64.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#define NSEC_PER_MSEC UINT64_C(1000000)

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
        return serve_fail(request, SERVE_INVALID_PARAMS, "input_base64 is no base64");
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
        return serve_fail(request, SERVE_INVALID_PARAMS, "argv and env: %s", err.message);
    if (words->argv.n > 0)
        command->argv = (const char *const *)words->argv.items;
    if (words->env.n > 0)
        command->env = (const char *const *)words->env.items;
    if (!command->argv && !command->shell)
        return serve_fail(request, SERVE_INVALID_PARAMS, "%s: 'argv' or 'shell' is needed",
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

void serve_exec(struct request *request, struct mayfly_container *container) {
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
    if (serve_check(request, mayfly_exec(container, &command, &result, &request->error)) == 0)
        put_result(&request->answer, &result);
    mayfly_result_done(&result);
}
