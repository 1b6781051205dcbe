/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who we are to a registry.  A registry that wants to know answers 401 and
 * says how: "Basic", name and password with each request; or "Bearer", a token
 * that another address gives for name and password, or for nothing where the
 * image is public.
 */
#include "auth.h"

#include "auth_helper.h"
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "manifest_json.h"

#include <ctype.h>
#include <fcntl.h>
#include <strings.h>

enum { AUTH_FILE_BYTES_MAX = 1 << 20 };

void auth_challenge_done(struct auth_challenge *challenge) {
    free(challenge->realm);
    free(challenge->service);
    free(challenge->scope);
    *challenge = (struct auth_challenge){0};
}

/* Reads name=value or name="value" at @p; where it ends, or NULL. */
static const char *read_parameter(const char *p, char name[32], struct buf *value) {
    size_t n = strcspn(p, "= ,\"");

    if (n == 0 || n >= 32 || p[n] != '=')
        return NULL;
    memcpy(name, p, n);
    name[n] = '\0';
    p += n + 1;
    if (*p != '"') {
        n = strcspn(p, ", ");
        buf_append(value, p, n);
        return p + n;
    }
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
        buf_append(value, p, 1);
    }
    return *p == '"' ? p + 1 : NULL;
}

int auth_parse_challenge(const char *header, struct auth_challenge *ret_challenge,
                         struct err *err) {
    struct auth_challenge c = {0};
    const char *p = header + strspn(header, " ");

    if (strncasecmp(p, "Basic", 5) == 0 && (p[5] == ' ' || !p[5])) {
        *ret_challenge = c;
        return 0;
    }
    if (strncasecmp(p, "Bearer ", 7) != 0)
        return err_set(err, -EBADMSG, "it wants a kind of login that is not known: %.100s", header);
    c.is_bearer = 1;
    for (p += 7; p && *(p += strspn(p, " ,"));) {
        struct buf value = BUF_INIT;
        char name[32], **place = NULL;

        buf_puts(&value, "");
        p = read_parameter(p, name, &value);
        if (p && strcasecmp(name, "realm") == 0)
            place = &c.realm;
        else if (p && strcasecmp(name, "service") == 0)
            place = &c.service;
        else if (p && strcasecmp(name, "scope") == 0)
            place = &c.scope;
        if (place && !*place)
            *place = buf_take(&value);
        buf_done(&value);
    }
    if (!p || !c.realm) {
        auth_challenge_done(&c);
        return err_set(err, -EBADMSG, "its answer says no way to log in: %.100s", header);
    }
    *ret_challenge = c;
    return 0;
}

/* Spec: RFC 3986, section 2.3. */
static void put_escaped(struct buf *buf, const char *text) {
    for (; *text; text++)
        if (isalnum((unsigned char)*text) || strchr("-._~", *text))
            buf_append(buf, text, 1);
        else
            buf_printf(buf, "%%%02X", (unsigned char)*text);
}

char *auth_token_url(const struct auth_challenge *challenge, const char *scope) {
    struct buf url = BUF_INIT;

    buf_printf(&url, "%s%s", challenge->realm, strchr(challenge->realm, '?') ? "&" : "?");
    if (challenge->service) {
        buf_puts(&url, "service=");
        put_escaped(&url, challenge->service);
        buf_puts(&url, "&");
    }
    buf_puts(&url, "scope=");
    put_escaped(&url, challenge->scope ? challenge->scope : scope);
    return buf_take(&url);
}

/* The entry's name and password, where it has some. */
static const char *entry_auth(const json_t *auths, const char *key) {
    const char *auth = json_text(json_member(auths, key, JSON_OBJECT), "auth");

    return auth && *auth ? auth : NULL;
}

static const char *find_entry(const json_t *auths, const char *registry, const char *repository) {
    _cleanup_free_ char *name = str_printf("%s/%s", registry, repository);
    _cleanup_free_ char *https = str_printf("https://%s", registry);
    const char *auth = NULL;

    if (!name || !https)
        return NULL;
    /* The most special first: host/a/b, host/a, host. */
    for (char *slash = name + strlen(name); slash && !auth; slash = strrchr(name, '/')) {
        *slash = '\0';
        auth = entry_auth(auths, name);
    }
    if (!auth)
        auth = entry_auth(auths, https);
    if (!auth && str_eq(registry, "docker.io"))
        auth = entry_auth(auths, "https://index.docker.io/v1/");
    if (!auth && str_eq(registry, "docker.io"))
        auth = entry_auth(auths, "index.docker.io");
    return auth;
}

int auth_parse_file(const char *text, const char *registry, const char *repository,
                    char **ret_basic, struct err *err) {
    _cleanup_json_document_ json_t *root = NULL;
    const char *auth;
    int r = json_parse(text, strlen(text), JSON_OBJECT, &root, err);

    if (r < 0)
        return r;
    auth = find_entry(json_member(root, "auths", JSON_OBJECT), registry, repository);
    if (!auth)
        return -ENOENT;
    if (auth[strspn(auth, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")])
        return err_set(err, -EBADMSG, "the entry for %s is no base64", registry);
    *ret_basic = strdup(auth);
    return *ret_basic ? 0 : err_nomem(err);
}

/* Asks the program that the file names, if it names one. */
static int ask_helper(const char *text, const char *registry, char **ret_basic, struct err *err) {
    _cleanup_free_ char *helper = NULL, *server = NULL;
    int r = auth_helper_of(text, registry, &helper, &server, err);

    return r < 0 ? r : auth_helper_get(helper, server, ret_basic, err);
}

static int try_file(char *path, const char *registry, const char *repository, char **ret_basic,
                    struct err *err) {
    _cleanup_free_ char *own = path, *text = NULL;
    int r;

    if (!own)
        return -ENOENT;
    r = fd_read_file(AT_FDCWD, own, AUTH_FILE_BYTES_MAX, &text, NULL);
    if (r < 0)
        return -ENOENT;
    r = ask_helper(text, registry, ret_basic, err);
    if (r == -ENOENT)
        r = auth_parse_file(text, registry, repository, ret_basic, err);
    if (r < 0 && r != -ENOENT)
        err_wrap(err, "%s", own);
    return r;
}

int auth_find(const char *registry, const char *repository, char **ret_basic, struct err *err) {
    const char *explicit = getenv("REGISTRY_AUTH_FILE"), *runtime = getenv("XDG_RUNTIME_DIR");
    const char *home = getenv("HOME"), *docker = getenv("DOCKER_CONFIG");
    char *paths[] = {
        explicit ? strdup(explicit) : NULL,
        runtime ? str_printf("%s/containers/auth.json", runtime) : NULL,
        geteuid() == 0 ? strdup("/run/containers/0/auth.json") : NULL,
        home ? str_printf("%s/.config/containers/auth.json", home) : NULL,
        docker ? str_printf("%s/config.json", docker) : NULL,
        home ? str_printf("%s/.docker/config.json", home) : NULL,
    };
    int r = -ENOENT;

    for (size_t i = 0; i < N_ELEMENTS(paths); i++)
        if (r == -ENOENT)
            r = try_file(paths[i], registry, repository, ret_basic, err);
        else
            free(paths[i]);
    return r;
}
