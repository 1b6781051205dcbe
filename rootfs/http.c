/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests whose answers are read as one reads a file.  libcurl pushes; its multi interface
 * with one transfer in it is driven just far enough for the next read, and the
 * transfer paused while enough bytes wait.  So a layer's thread is its own
 * download's thread as well, and the kernel's socket buffer is the pipeline.
 */
#include "http.h"

#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "lazy_curl.h"

#include <string.h>
#include <time.h>

enum {
    PAUSE_BYTES = 1 << 20,
    REDIRECTS_MAX = 5,
    STALL_SEC = 30,
    STALL_SEC_MAX = 86400,
};

struct http {
    const struct lazy_curl *curl;
    CURL *easy;
    CURLM *multi;
    struct curl_slist *headers;
    struct buf ready; /* arrived and not read yet, from @start on */
    size_t start;
    bool paused;
    bool has_head;
    bool ended;
    CURLcode result; /* when @ended */
    const struct http_body *body;
    struct err body_err; /* what reading it has said */
    char message[CURL_ERROR_SIZE];
};

static size_t write_callback(char *data, size_t one, size_t size, void *context) {
    struct http *http = context;

    (void)one;
    http->has_head = true;
    if (http->ready.size - http->start >= PAUSE_BYTES) {
        http->paused = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (http->start == http->ready.size)
        http->start = http->ready.size = 0;
    buf_append(&http->ready, data, size);
    return buf_failed(&http->ready) ? CURL_WRITEFUNC_ERROR : size;
}

static size_t read_callback(char *data, size_t one, size_t size, void *context) {
    struct http *http = context;
    ssize_t n = http->body->read(http->body->context, data, one * size, &http->body_err);

    return n < 0 ? CURL_READFUNC_ABORT : (size_t)n;
}

/* Lets the transfer go on until something arrived or it ended. */
static int drive(struct http *http, struct err *err) {
    int n_running, n_messages;
    const CURLMsg *message;

    if (http->curl->curl_multi_perform(http->multi, &n_running) != CURLM_OK)
        return err_set(err, -EIO, "libcurl failed");
    while ((message = http->curl->curl_multi_info_read(http->multi, &n_messages)))
        if (message->msg == CURLMSG_DONE) {
            http->ended = true;
            http->result = message->data.result;
        }
    if (!http->ended && http->ready.size == http->start &&
        http->curl->curl_multi_poll(http->multi, NULL, 0, 1000, NULL) != CURLM_OK)
        return err_set(err, -EIO, "libcurl failed");
    return 0;
}

static int describe(const struct http *http, int code, struct err *err) {
    if (http->body_err.code < 0)
        return err_set(err, http->body_err.code, "%s", http->body_err.message);
    return err_set(err, code, "%s",
                   http->message[0] ? http->message : http->curl->curl_easy_strerror(http->result));
}

static void add_header(struct http *http, const char *name, const char *value) {
    _cleanup_free_ char *line = value ? str_printf("%s: %s", name, value) : NULL;
    struct curl_slist *list;

    if (!line)
        return;
    list = http->curl->curl_slist_append(http->headers, line);
    if (list)
        http->headers = list;
}

/* What else than GET is wanted. */
static void set_method(struct http *http, const struct http_request *request) {
    const struct lazy_curl *c = http->curl;
    bool is_head = request->method && str_eq(request->method, "HEAD");

    if (!request->method)
        return;
    if (is_head)
        c->curl_easy_setopt(http->easy, CURLOPT_NOBODY, 1L);
    else if (request->body) {
        http->body = request->body;
        add_header(http, "Content-Type", request->body->type);
        /* It is sent without asking first. */
        add_header(http, "Expect", "");
        c->curl_easy_setopt(http->easy, CURLOPT_UPLOAD, 1L);
        c->curl_easy_setopt(http->easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L << 10);
        c->curl_easy_setopt(http->easy, CURLOPT_READFUNCTION, read_callback);
        c->curl_easy_setopt(http->easy, CURLOPT_READDATA, http);
        c->curl_easy_setopt(http->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body->bytes);
    } else
        c->curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, "");
    if (!is_head) {
        c->curl_easy_setopt(http->easy, CURLOPT_CUSTOMREQUEST, request->method);
        c->curl_easy_setopt(http->easy, CURLOPT_FOLLOWLOCATION, 0L);
    }
}

/* How long a server may say nothing. */
static long choose_stall_sec(void) {
    const char *text = getenv("MAYFLY_REGISTRY_TIMEOUT");
    uint64_t sec;

    return text && str_to_u64(text, STALL_SEC_MAX, &sec) == 0 && sec > 0 ? (long)sec : STALL_SEC;
}

static void set_options(struct http *http, const struct http_request *request) {
    const char *protocols = request->allow_plain ? "http,https" : "https";
    const struct lazy_curl *c = http->curl;
    long stall_sec = request->stall_sec ? (long)request->stall_sec : choose_stall_sec();
    char range[32];

    add_header(http, "Authorization", request->authorization);
    add_header(http, "Accept", request->accept);
    if (request->offset > 0) {
        snprintf(range, sizeof range, "%llu-", (unsigned long long)request->offset);
        c->curl_easy_setopt(http->easy, CURLOPT_RANGE, range);
        add_header(http, "If-Range", request->if_range);
    }
    c->curl_easy_setopt(http->easy, CURLOPT_URL, request->url);
    c->curl_easy_setopt(http->easy, CURLOPT_PROTOCOLS_STR, protocols);
    c->curl_easy_setopt(http->easy, CURLOPT_REDIR_PROTOCOLS_STR, protocols);
    c->curl_easy_setopt(http->easy, CURLOPT_FOLLOWLOCATION, 1L);
    c->curl_easy_setopt(http->easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    c->curl_easy_setopt(http->easy, CURLOPT_CONNECTTIMEOUT, stall_sec);
    c->curl_easy_setopt(http->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    c->curl_easy_setopt(http->easy, CURLOPT_LOW_SPEED_TIME, stall_sec);
    c->curl_easy_setopt(http->easy, CURLOPT_BUFFERSIZE, 256L << 10);
    c->curl_easy_setopt(http->easy, CURLOPT_NOSIGNAL, 1L);
    c->curl_easy_setopt(http->easy, CURLOPT_USERAGENT, "mayfly");
    c->curl_easy_setopt(http->easy, CURLOPT_ERRORBUFFER, http->message);
    c->curl_easy_setopt(http->easy, CURLOPT_WRITEFUNCTION, write_callback);
    c->curl_easy_setopt(http->easy, CURLOPT_WRITEDATA, http);
    if (request->ca_file)
        c->curl_easy_setopt(http->easy, CURLOPT_CAINFO, request->ca_file);
    set_method(http, request);
    c->curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, http->headers);
}

/* Whether a failure says that nobody speaks (this protocol) there. */
static bool is_refusal(CURLcode result) {
    return result == CURLE_COULDNT_CONNECT || result == CURLE_SSL_CONNECT_ERROR;
}

/* What asking once more would change; a redirect that leads nowhere good stays one. */
static int failure_of(CURLcode result) {
    if (is_refusal(result))
        return HTTP_REFUSED;
    return result == CURLE_UNSUPPORTED_PROTOCOL || result == CURLE_TOO_MANY_REDIRECTS ? -EPROTO
                                                                                      : -EPIPE;
}

static int start(struct http *http, const struct http_request *request, struct err *err) {
    http->easy = http->curl->curl_easy_init();
    http->multi = http->curl->curl_multi_init();
    if (!http->easy || !http->multi)
        return err_nomem(err);
    set_options(http, request);
    if (http->curl->curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
        return err_set(err, -EIO, "libcurl failed");
    while (!http->has_head && !http->ended) {
        int r = drive(http, err);

        if (r < 0)
            return r;
    }
    if (http->ended && http->result != CURLE_OK && !http->has_head)
        return describe(http, failure_of(http->result), err);
    return 0;
}

int http_open(struct http **ret_http, const struct http_request *request, struct err *err) {
    struct http *http = calloc(1, sizeof *http);
    int r;

    if (!http)
        return err_nomem(err);
    http->curl = lazy_curl(err);
    if (!http->curl) {
        free(http);
        return -ENOENT;
    }
    r = start(http, request, err);
    if (r != 0) {
        http_close(http);
        return r;
    }
    *ret_http = http;
    return 0;
}

int http_status(const struct http *http) {
    long status = 0;

    http->curl->curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

const char *http_header(const struct http *http, const char *name) {
    struct curl_header *header;

    if (http->curl->curl_easy_header(http->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}

ssize_t http_read(struct http *http, void *data, size_t size, struct err *err) {
    size_t n;

    while (http->ready.size == http->start && !http->ended) {
        int r;

        if (http->paused) {
            /* Unpausing delivers what was held back; see curl_easy_pause(3). */
            http->paused = false;
            http->curl->curl_easy_pause(http->easy, CURLPAUSE_CONT);
        }
        r = drive(http, err);
        if (r < 0)
            return r;
    }
    n = http->ready.size - http->start;
    if (n == 0)
        return http->result == CURLE_OK ? 0 : describe(http, -EPIPE, err);
    if (n > size)
        n = size;
    memcpy(data, http->ready.data + http->start, n);
    http->start += n;
    return (ssize_t)n;
}

void http_close(struct http *http) {
    if (!http)
        return;
    if (http->multi && http->easy)
        http->curl->curl_multi_remove_handle(http->multi, http->easy);
    if (http->easy)
        http->curl->curl_easy_cleanup(http->easy);
    if (http->multi)
        http->curl->curl_multi_cleanup(http->multi);
    http->curl->curl_slist_free_all(http->headers);
    buf_done(&http->ready);
    free(http);
}

int http_read_all(struct http *http, size_t max_bytes, char **ret_data, size_t *ret_size,
                  struct err *err) {
    _cleanup_buf_ struct buf all = BUF_INIT;
    char part[16384];
    ssize_t n;

    buf_puts(&all, "");
    while ((n = http_read(http, part, sizeof part, err)) > 0) {
        buf_append(&all, part, (size_t)n);
        if (all.size > max_bytes)
            return err_set(err, -EFBIG, "the answer is larger than %zu MiB", max_bytes >> 20);
    }
    if (n < 0)
        return (int)n;
    if (buf_failed(&all))
        return err_nomem(err);
    if (ret_size)
        *ret_size = all.size;
    *ret_data = buf_take(&all);
    return 0;
}

static void only_sigpipe(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGPIPE);
}

void http_guard_begin(struct http_guard *guard) {
    sigset_t pipe;

    only_sigpipe(&pipe);
    pthread_sigmask(SIG_BLOCK, &pipe, &guard->before);
}

void http_guard_end(struct http_guard *guard) {
    const struct timespec now = {0};
    sigset_t pipe;

    only_sigpipe(&pipe);
    if (!sigismember(&guard->before, SIGPIPE))
        while (sigtimedwait(&pipe, NULL, &now) == SIGPIPE)
            ;
    pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}

ssize_t http_text_read(void *context, void *data, size_t size, struct err *err) {
    struct http_text *text = context;
    size_t n = text->left < size ? text->left : size;

    (void)err;
    memcpy(data, text->place, n);
    text->place += n;
    text->left -= n;
    return (ssize_t)n;
}
