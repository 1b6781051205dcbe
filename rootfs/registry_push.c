/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending to a registry.  A token lasts minutes and a layer may take longer, so
 * each blob begins with a small request, which asks for a new token when the
 * old one has expired; the large one follows at once.
 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "http_blob.h"
#include "registry.h"
#include "registry_login.h"

#include <string.h>

enum { STALL_SEC = 120 };

/* A request of the registry; @path begins with a slash, unless it is a whole address. */
static int ask_once(struct registry *registry, struct http_request *request, const char *path,
                    struct http **ret_http, struct err *err) {
    _cleanup_free_ char *url =
        *path == '/' ? str_printf("%s%s", registry->base, path) : strdup(path);
    int r;

    if (!url)
        return err_nomem(err);
    request->url = url;
    request->authorization = registry->authorization;
    request->ca_file = registry->ca_file;
    request->allow_plain = registry->allow_plain;
    request->stall_sec = STALL_SEC;
    r = http_open(ret_http, request, err);
    return r == HTTP_REFUSED ? -ECONNREFUSED : r;
}

/* A request without a body, sent again after a login when the first was answered with 401. */
static int ask(struct registry *registry, const char *method, const char *path,
               struct http **ret_http, struct err *err) {
    struct http_request request = {.method = method};
    int r = ask_once(registry, &request, path, ret_http, err);

    if (r < 0 || http_status(*ret_http) != 401)
        return r;
    r = registry_log_in(registry, http_header(*ret_http, "WWW-Authenticate"), err);
    http_close(*ret_http);
    *ret_http = NULL;
    return r < 0 ? r : ask_once(registry, &request, path, ret_http, err);
}

/* What a status that is none of the wanted means. */
static int refuse(const struct http *http, struct err *err) {
    int r = http_check_status(http_status(http), err);

    return r < 0 ? r : err_set(err, -EPROTO, "it answers with the status %d", http_status(http));
}

int registry_has_blob(struct registry *registry, const struct digest *digest, struct err *err) {
    char text[DIGEST_TEXT_BYTES];
    _cleanup_free_ char *path =
        str_printf("/v2/%s/blobs/%s", registry->repository, digest_format(digest, text));
    struct http *http = NULL;
    int r, status;

    if (!path)
        return err_nomem(err);
    r = ask(registry, "HEAD", path, &http, err);
    if (r < 0)
        return r;
    status = http_status(http);
    r = status == 200 ? 1 : status == 404 ? 0 : refuse(http, err);
    http_close(http);
    return r;
}

/* Where the registry wants to have a blob, with the digest as it has to be said; to free(3). */
static int upload_address(struct registry *registry, const struct http *http,
                          const struct digest *digest, char **ret_address, struct err *err) {
    const char *location = http_header(http, "Location");
    char text[DIGEST_TEXT_BYTES];

    if (http_status(http) != 202)
        return refuse(http, err);
    if (!location || !*location)
        return err_set(err, -EPROTO, "it does not say where to send it");
    /* To another host the password would go along. */
    if (*location != '/' && !str_after(location, registry->base))
        return err_set(err, -EPROTO, "it wants it to be sent elsewhere, to %.100s", location);
    *ret_address = str_printf("%s%sdigest=%s", location, strchr(location, '?') ? "&" : "?",
                              digest_format(digest, text));
    return *ret_address ? 0 : err_nomem(err);
}

/* Sends a body; @wanted is the status that says it is there. */
static int put(struct registry *registry, const char *path, const struct http_body *body,
               struct err *err) {
    struct http_request request = {.method = "PUT", .body = body};
    struct http *http = NULL;
    int r = ask_once(registry, &request, path, &http, err);

    if (r == 0 && http_status(http) != 201)
        r = refuse(http, err);
    http_close(http);
    return r;
}

int registry_put_blob(struct registry *registry, const struct digest *digest,
                      const struct http_body *body, struct err *err) {
    _cleanup_free_ char *path = str_printf("/v2/%s/blobs/uploads/", registry->repository);
    _cleanup_free_ char *address = NULL;
    struct http *http = NULL;
    int r;

    if (!path)
        return err_nomem(err);
    r = ask(registry, "POST", path, &http, err);
    if (r == 0)
        r = upload_address(registry, http, digest, &address, err);
    http_close(http);
    return r < 0 ? r : put(registry, address, body, err);
}

int registry_put_manifest(struct registry *registry, const char *what, const char *type,
                          const char *text, struct err *err) {
    _cleanup_free_ char *path = str_printf("/v2/%s/manifests/%s", registry->repository, what);
    struct http_text body_text = {.place = text, .left = strlen(text)};
    const struct http_body body = {
        .read = http_text_read, .context = &body_text, .bytes = strlen(text), .type = type};
    int r;

    if (!path)
        return err_nomem(err);
    r = put(registry, path, &body, err);
    if (r < 0)
        err_wrap(err, "manifest %.80s", what);
    return r;
}
