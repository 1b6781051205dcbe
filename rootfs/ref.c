/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References.  What begins with a transport's name, a slash or a dot and a
 * slash is a place on this machine; "http" is a place elsewhere; the rest is
 * a name, in the grammar that docker, podman and skopeo share.  A bare name
 * that ends as tarballs do (busybox.tar, alpine.tar.gz) is a file: nobody
 * calls a repository so, and it is what people type.
 *
 * In a transport's path the first colon ends the path, as in
 * containers-transports(5), so that such a path holds no colon.
 */
#include "ref.h"

#include "digest.h"
#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The grammar's limits: on a registry and on a repository each, and on a tag. */
enum {
    NAME_BYTES_MAX = 255,
    TAG_BYTES_MAX = 128,
};

static const struct {
    const char *prefix;
    enum ref_kind kind;
    bool has_selector;
} transports[] = {
    {"rootfs:", REF_ROOTFS, false},
    {"tar:", REF_TAR, false},
    {"oci:", REF_OCI, true},
    {"oci-archive:", REF_OCI_ARCHIVE, true},
    {"docker-archive:", REF_DOCKER_ARCHIVE, true},
};

static const char *const tar_suffixes[] = {
    ".tar",     ".tgz",    ".txz",     ".tbz",     ".tbz2",     ".tzst",   ".tar.gz",
    ".tar.bz2", ".tar.xz", ".tar.zst", ".tar.lz4", ".tar.lzma", ".tar.lz", ".tar.Z",
};

static bool looks_like_tarball(const char *text) {
    size_t n = strlen(text);

    for (size_t i = 0; i < N_ELEMENTS(tar_suffixes); i++) {
        size_t n_suffix = strlen(tar_suffixes[i]);

        if (n > n_suffix && str_eq(text + n - n_suffix, tar_suffixes[i]))
            return true;
    }
    return false;
}

static int set(char **place, const char *text, size_t n, struct err *err) {
    *place = strndup(text, n);
    return *place ? 0 : err_nomem(err);
}

static int parse_place(const char *text, bool has_selector, struct ref *ref, struct err *err) {
    size_t n = has_selector ? strcspn(text, ":") : strlen(text);

    if (n == 0)
        return err_set(err, -EINVAL, "a path has to follow the colon");
    if (text[n] && !text[n + 1])
        return err_set(err, -EINVAL, "a tag has to follow the last colon");
    if (text[n] && set(&ref->selector, text + n + 1, strlen(text + n + 1), err) < 0)
        return -ENOMEM;
    return set(&ref->path, text, n, err);
}

static bool is_alnum_lower(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One component: [a-z0-9]+ with "." or "_" or "__" or "-"s between. */
static bool is_component(const char *p, size_t n) {
    size_t i = 0;

    for (;;) {
        size_t start = i;

        while (i < n && is_alnum_lower(p[i]))
            i++;
        if (i == start)
            return false;
        if (i == n)
            return true;
        if (p[i] == '.')
            i++;
        else if (p[i] == '_')
            i += i + 1 < n && p[i + 1] == '_' ? 2 : 1;
        else if (p[i] == '-')
            while (i < n && p[i] == '-')
                i++;
        else
            return false;
    }
}

static bool is_repository(const char *text) {
    for (;;) {
        size_t n = strcspn(text, "/");

        if (!is_component(text, n))
            return false;
        if (!text[n])
            return true;
        text += n + 1;
    }
}

/* host, host:port, [IPv6]:port; what a URL is made from later, so nothing else may be in it. */
static bool is_registry(const char *text) {
    const char *p = text;
    uint64_t port;

    if (*p == '[') {
        p += 1 + strspn(p + 1, "0123456789abcdefABCDEF:.");
        if (*p++ != ']' || p - text < 4)
            return false;
    } else {
        while (isalnum((unsigned char)*p) || *p == '.' || *p == '-')
            p++;
        if (p == text || *text == '.' || *text == '-')
            return false;
    }
    return !*p || (*p == ':' && str_to_u64(p + 1, 65535, &port) == 0 && port > 0);
}

static bool is_tag(const char *text) {
    size_t n = strlen(text);

    if (n == 0 || n > TAG_BYTES_MAX || *text == '.' || *text == '-')
        return false;
    for (; *text; text++)
        if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
            return false;
    return true;
}

/* Whether the first @n bytes, which a slash follows, name a registry and no part of a path. */
static bool begins_with_registry(const char *text, size_t n) {
    return memchr(text, '.', n) || memchr(text, ':', n) ||
           (n == strlen("localhost") && memcmp(text, "localhost", n) == 0);
}

/* Splits the tag off the end of @name: a colon after the last slash. */
static int take_tag(char *name, struct ref *ref, struct err *err) {
    char *slash = strrchr(name, '/'), *colon = strrchr(name, ':');

    if (!colon || (slash && colon < slash))
        return 0;
    *colon = '\0';
    if (!is_tag(colon + 1))
        return err_set(err, -EINVAL, "'%s' is no tag (letters, digits, '_', '.', '-'; at most 128)",
                       colon + 1);
    return set(&ref->tag, colon + 1, strlen(colon + 1), err);
}

static int parse_name(char *name, struct ref *ref, struct err *err) {
    const char *repository, *slash;
    char *at;
    int r;

    at = strchr(name, '@');
    if (at) {
        struct digest digest;

        *at++ = '\0';
        if (digest_parse(at, &digest) < 0)
            return err_set(err, -EINVAL, "'%s' is no digest (sha256: and 64 digits 0-9a-f)", at);
        if (set(&ref->digest, at, strlen(at), err) < 0)
            return -ENOMEM;
    }
    r = take_tag(name, ref, err);
    if (r < 0)
        return r;
    slash = strchr(name, '/');
    repository = name;
    if (slash && begins_with_registry(name, (size_t)(slash - name))) {
        if (set(&ref->registry, name, (size_t)(slash - name), err) < 0)
            return -ENOMEM;
        if (!is_registry(ref->registry))
            return err_set(err, -EINVAL, "'%s' is no registry (HOST or HOST:PORT)", ref->registry);
        repository = slash + 1;
    }
    if (!is_repository(repository))
        return err_set(err, -EINVAL,
                       "'%s' is no image name (lower-case letters, digits, single '.', '_', '-' "
                       "and '/' between); a file or a directory is written ./NAME or /NAME",
                       repository);
    if (!ref->registry || str_eq(ref->registry, "index.docker.io")) {
        free(ref->registry);
        if (set(&ref->registry, "docker.io", strlen("docker.io"), err) < 0)
            return -ENOMEM;
    }
    ref->repository = str_printf(
        "%s%s", str_eq(ref->registry, "docker.io") && !strchr(repository, '/') ? "library/" : "",
        repository);
    if (!ref->repository)
        return err_nomem(err);
    if (strlen(ref->registry) > NAME_BYTES_MAX || strlen(ref->repository) > NAME_BYTES_MAX)
        return err_set(err, -EINVAL, "the name is longer than %d bytes", NAME_BYTES_MAX);
    if (!ref->tag && !ref->digest)
        return set(&ref->tag, "latest", strlen("latest"), err);
    return 0;
}

static int parse(const char *text, struct ref *ref, struct err *err) {
    if (!*text)
        return err_set(err, -EINVAL, "the image reference is empty");
    if (str_eq(text, "host:")) {
        ref->kind = REF_HOST;
        return 0;
    }
    for (size_t i = 0; i < N_ELEMENTS(transports); i++) {
        const char *rest = str_after(text, transports[i].prefix);

        if (!rest)
            continue;
        ref->kind = transports[i].kind;
        return parse_place(rest, transports[i].has_selector, ref, err);
    }
    if (str_after(text, "http://") || str_after(text, "https://"))
        ref->kind = REF_URL;
    else if (*text == '/' || str_after(text, "./") || str_after(text, "../") || str_eq(text, ".") ||
             str_eq(text, ".."))
        ref->kind = REF_PATH;
    else if (looks_like_tarball(text))
        ref->kind = REF_TAR;
    else {
        char *name = strdup(text);
        int r;

        ref->kind = REF_NAME;
        r = name ? parse_name(name, ref, err) : err_nomem(err);
        free(name);
        return r;
    }
    return set(&ref->path, text, strlen(text), err);
}

int ref_parse(const char *text, struct ref *ret_ref, struct err *err) {
    _cleanup_ref_ struct ref ref = REF_INIT;
    int r = parse(text, &ref, err);

    if (r < 0) {
        err_wrap(err, "image %s", text);
        return r;
    }
    *ret_ref = ref;
    ref = REF_INIT;
    return 0;
}

char *ref_format(const struct ref *ref) {
    return str_printf("%s/%s%s%s%s%s", ref->registry, ref->repository, ref->tag ? ":" : "",
                      ref->tag ? ref->tag : "", ref->digest ? "@" : "",
                      ref->digest ? ref->digest : "");
}

bool ref_is_remote(const char *text) {
    _cleanup_ref_ struct ref ref = REF_INIT;

    return ref_parse(text, &ref, NULL) == 0 && ref_kind_is_remote(ref.kind);
}

void ref_done(struct ref *ref) {
    free(ref->path);
    free(ref->selector);
    free(ref->registry);
    free(ref->repository);
    free(ref->tag);
    free(ref->digest);
    *ref = REF_INIT;
}
