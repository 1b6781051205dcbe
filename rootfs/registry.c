/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The registry's side of a pull: which address, over TLS or not, who we are,
 * and the two things to fetch: manifests, whole, and blobs, as streams.
 *
 * One request to /v2/ tells all that is needed: whether TLS is spoken, and
 * with its 401 what kind of login is wanted.
 */
#include "registry.h"

#include "auth.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "http.h"
#include "http_blob.h"
#include "manifest_json.h"
#include "registry_login.h"

#include <string.h>

#define ACCEPT_MANIFESTS                                                                           \
    "application/vnd.oci.image.index.v1+json, "                                                    \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.oci.image.manifest.v1+json, "                                                 \
    "application/vnd.docker.distribution.manifest.v2+json"

enum { TOKEN_BYTES_MAX = 1 << 20 };

/* Whether a comma-separated list has @item. */
static bool list_has(const char *list, const char *item) {
    size_t n_item = strlen(item);

    while (list && *list) {
        size_t n = strcspn(list, ",");

        if (n == n_item && memcmp(list, item, n) == 0)
            return true;
        list += n + (list[n] == ',');
    }
    return false;
}

static bool may_be_plain(const char *host, const char *insecure) {
    size_t n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");

    return (n == 9 && memcmp(host, "localhost", n) == 0) ||
           (str_after(host, "127.") && strspn(host, "0123456789.") == n) ||
           (n == 5 && memcmp(host, "[::1]", n) == 0) || list_has(insecure, host) ||
           list_has(getenv("MAYFLY_INSECURE_REGISTRIES"), host);
}

static struct http_request request_of(const struct registry *registry, const char *url) {
    return (struct http_request){
        .url = url,
        .authorization = registry->authorization,
        .ca_file = registry->ca_file,
        .allow_plain = registry->allow_plain,
    };
}

static int take_token(struct registry *registry, struct http *http, struct err *err) {
    _cleanup_json_document_ json_t *root = NULL;
    _cleanup_free_ char *text = NULL;
    const char *token;
    size_t size;
    int r = http_check_status(http_status(http), err);

    if (r == 0)
        r = http_read_all(http, TOKEN_BYTES_MAX, &text, &size, err);
    if (r == 0)
        r = json_parse(text, size, JSON_OBJECT, &root, err);
    if (r < 0)
        return r;
    token = json_text(root, "token");
    if (!token)
        token = json_text(root, "access_token");
    /* It goes into a header, where a line's end would begin another one. */
    if (!token || !*token || token[strcspn(token, "\r\n")])
        return err_set(err, -EBADMSG, "it gives no token");
    free(registry->authorization);
    registry->authorization = str_printf("Bearer %s", token);
    return registry->authorization ? 0 : err_nomem(err);
}

static int fetch_token(struct registry *registry, const struct auth_challenge *challenge,
                       const char *basic, struct err *err) {
    _cleanup_free_ char *scope =
        str_printf("repository:%s:%s", registry->repository,
                   registry->access == REGISTRY_PUSH ? "pull,push" : "pull");
    _cleanup_free_ char *url = scope ? auth_token_url(challenge, scope) : NULL;
    _cleanup_free_ char *authorization = basic ? str_printf("Basic %s", basic) : NULL;
    struct http *http = NULL;
    struct http_request request;
    int r;

    if (!url || (basic && !authorization))
        return err_nomem(err);
    request = request_of(registry, url);
    request.authorization = authorization;
    r = http_open(&http, &request, err);
    if (r == 0)
        r = take_token(registry, http, err);
    else if (r == HTTP_REFUSED)
        r = -ECONNREFUSED;
    http_close(http);
    if (r < 0)
        err_wrap(err, "asking %.100s for a token", challenge->realm);
    return r;
}

int registry_log_in(struct registry *registry, const char *header, struct err *err) {
    struct auth_challenge challenge = {0};
    _cleanup_free_ char *basic = NULL;
    int r;

    if (!header)
        return err_set(err, -EACCES, "it wants a login and does not say which");
    r = auth_parse_challenge(header, &challenge, err);
    if (r < 0)
        return r;
    r = auth_find(registry->name, registry->repository, &basic, err);
    if (r == -ENOENT && !challenge.is_bearer)
        r = err_set(err, -EACCES,
                    "it wants name and password; log in with 'podman login' or 'docker login'");
    else if (r == 0 || r == -ENOENT)
        r = 0;
    if (r == 0 && challenge.is_bearer)
        r = fetch_token(registry, &challenge, basic, err);
    else if (r == 0) {
        free(registry->authorization);
        registry->authorization = str_printf("Basic %s", basic);
        if (!registry->authorization)
            r = err_nomem(err);
    }
    auth_challenge_done(&challenge);
    return r;
}

/* Speaks to /v2/ at @scheme.  Return: 0, HTTP_REFUSED, or -errno. */
static int greet(struct registry *registry, const char *scheme, const char *host, struct err *err) {
    _cleanup_free_ char *url = NULL;
    struct http *http = NULL;
    struct http_request request;
    int r;

    free(registry->base);
    registry->base = str_printf("%s://%s", scheme, host);
    url = registry->base ? str_printf("%s/v2/", registry->base) : NULL;
    if (!url)
        return err_nomem(err);
    request = request_of(registry, url);
    r = http_open(&http, &request, err);
    if (r == 0 && http_status(http) == 401)
        r = registry_log_in(registry, http_header(http, "WWW-Authenticate"), err);
    else if (r == 0 && http_status(http) != 200)
        r = err_set(err, -EPROTO, "it is no registry (status %d)", http_status(http));
    http_close(http);
    return r;
}

static int open_at(struct registry *registry, const struct ref *ref, const char *host,
                   const char *insecure, struct err *err) {
    const char *ca = getenv("REGISTRY_CA");
    int r;

    registry->name = strdup(ref->registry);
    registry->repository = strdup(ref->repository);
    registry->ca_file = ca && *ca ? strdup(ca) : NULL;
    if (!registry->name || !registry->repository || (ca && *ca && !registry->ca_file))
        return err_nomem(err);
    if (str_eq(host, "docker.io"))
        host = "registry-1.docker.io";
    r = greet(registry, "https", host, err);
    if (r == HTTP_REFUSED && may_be_plain(host, insecure)) {
        registry->allow_plain = true;
        r = greet(registry, "http", host, err);
    }
    return r == HTTP_REFUSED ? -ECONNREFUSED : r;
}

int registry_open(struct registry *ret_registry, const struct ref *ref, const char *host,
                  enum registry_access access, const char *insecure, struct err *err) {
    struct registry registry = {.access = access};
    int r = open_at(&registry, ref, host, insecure, err);

    if (r < 0) {
        registry_close(&registry);
        err_wrap(err, "registry %s", host);
        return r;
    }
    *ret_registry = registry;
    return 0;
}

void registry_close(struct registry *registry) {
    free(registry->name);
    free(registry->repository);
    free(registry->base);
    free(registry->ca_file);
    free(registry->authorization);
    *registry = (struct registry){0};
}

int registry_manifest(struct registry *registry, const char *what, const struct digest *expected,
                      char **ret_text, size_t *ret_size, struct err *err) {
    _cleanup_free_ char *url =
        str_printf("%s/v2/%s/manifests/%s", registry->base, registry->repository, what);
    _cleanup_blob_ struct blob blob = BLOB_INIT;
    struct http_request request;
    int r;

    if (!url)
        return err_nomem(err);
    request = request_of(registry, url);
    request.accept = ACCEPT_MANIFESTS;
    r = http_blob_open(&blob, &request, err);
    if (r == 0)
        r = blob_read_document(&blob, expected, -1, ret_text, ret_size, err);
    if (r < 0)
        err_wrap(err, "manifest %.80s", what);
    return r;
}

int registry_blob(const struct registry *registry, const struct digest *digest,
                  struct blob *ret_blob, struct err *err) {
    char text[DIGEST_TEXT_BYTES];
    _cleanup_free_ char *url = str_printf("%s/v2/%s/blobs/%s", registry->base, registry->repository,
                                          digest_format(digest, text));
    struct http_request request;

    if (!url)
        return err_nomem(err);
    request = request_of(registry, url);
    return http_blob_open(ret_blob, &request, err);
}
