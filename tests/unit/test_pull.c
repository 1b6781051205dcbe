/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "rootfs/digest.h"
#include "rootfs/http.h"
#include "rootfs/image.h"
#include "rootfs/platform.h"
#include "scratch.h"
#include "server.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { TEXT_BYTES = 2048 };

/*
 * struct remote - an image as a registry offers it: an index, a manifest, a
 * configuration and two layers; every text and route can be changed before
 * remote_serve()
 */
struct remote {
    struct server server;
    struct buf tars[2];
    struct buf blobs[2];
    char config[TEXT_BYTES], manifest[TEXT_BYTES], index[TEXT_BYTES];
    char paths[6][256];
    char digests[5][80]; /* two layers, configuration, manifest, index */
    struct route routes[16];
    size_t n_routes;
};

enum { LAYER0, LAYER1, CONFIG, MANIFEST, INDEX };

static void take_digest(char text[80], const void *data, size_t size) {
    struct digest digest;
    char full[DIGEST_TEXT_BYTES];

    cr_assert_eq(digest_bytes(DIGEST_SHA256, data, size, &digest, NULL), 0);
    snprintf(text, 80, "%.79s", digest_format(&digest, full));
}

static void remote_init(struct remote *r) {
    struct platform host;
    char diffs[2][80];

    memset(r, 0, sizeof *r);
    server_listen(&r->server);
    platform_host(&host);
    for (int i = 0; i < 2; i++) {
        char name[16];

        snprintf(name, sizeof name, "file%d", i);
        tarball_file(&r->tars[i], name, name);
        {
            struct buf noise = BUF_INIT;
            unsigned x = 7;

            for (int k = 0; k < 60000; k++) {
                x = x * 1103515245 + 12345;
                buf_append(&noise, (char[]){(char)('a' + (x >> 16) % 26)}, 1);
            }
            tarball_file(&r->tars[i], "noise", noise.data);
            buf_done(&noise);
        }
        tarball_end(&r->tars[i]);
        tarball_compress("gzip", r->tars[i].data, r->tars[i].size, &r->blobs[i]);
        take_digest(diffs[i], r->tars[i].data, r->tars[i].size);
        take_digest(r->digests[i], r->blobs[i].data, r->blobs[i].size);
    }
    snprintf(r->config, sizeof r->config,
             "{\"os\":\"linux\",\"config\":{\"Env\":[\"A=b\"]},\"rootfs\":{\"diff_ids\":[\"%s\","
             "\"%s\"]}}",
             diffs[0], diffs[1]);
    take_digest(r->digests[CONFIG], r->config, strlen(r->config));
    snprintf(r->manifest, sizeof r->manifest,
             "{\"config\":{\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
             "\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\",\"size\":%zu},{"
             "\"mediaType\":\"application/vnd.oci.image.layer.v1.tar+gzip\",\"digest\":\"%s\","
             "\"size\":%zu}]}",
             r->digests[CONFIG], strlen(r->config), r->digests[LAYER0], r->blobs[0].size,
             r->digests[LAYER1], r->blobs[1].size);
    take_digest(r->digests[MANIFEST], r->manifest, strlen(r->manifest));
    snprintf(
        r->index, sizeof r->index,
        "{\"manifests\":[{\"digest\":\"sha256:%064d\",\"size\":7,\"platform\":{\"os\":\"plan9\""
        ",\"architecture\":\"mips\"}},{\"digest\":\"%s\",\"size\":%zu,\"platform\":{\"os\":"
        "\"linux\",\"architecture\":\"%s\"}}]}",
        0, r->digests[MANIFEST], strlen(r->manifest), host.architecture);
    take_digest(r->digests[INDEX], r->index, strlen(r->index));
    snprintf(r->paths[0], sizeof *r->paths, "/v2/a/b/manifests/1");
    for (int i = 0; i < 5; i++)
        snprintf(r->paths[i + 1], sizeof *r->paths, "/v2/a/b/%s/%s",
                 i >= MANIFEST ? "manifests" : "blobs", r->digests[i]);
    r->routes[0] = (struct route){.path = r->paths[0], .body = r->index};
    r->routes[1] = (struct route){.path = r->paths[1 + MANIFEST], .body = r->manifest};
    r->routes[2] = (struct route){.path = r->paths[1 + CONFIG], .body = r->config};
    for (size_t i = 0; i < 2; i++)
        r->routes[3 + i] = (struct route){
            .path = r->paths[1 + i], .body = r->blobs[i].data, .size = r->blobs[i].size};
    r->routes[5] = (struct route){.path = "/v2/", .body = "{}"};
    r->routes[6] = (struct route){.path = r->paths[1 + INDEX], .body = r->index};
    r->n_routes = 7;
}

static void remote_serve(struct remote *r) {
    server_serve(&r->server, r->routes, r->n_routes);
}

static void remote_done(struct remote *r) {
    server_stop(&r->server);
    for (int i = 0; i < 2; i++) {
        buf_done(&r->tars[i]);
        buf_done(&r->blobs[i]);
    }
}

#define _cleanup_remote_ __attribute__((cleanup(remote_done)))

static const char *refer(const struct remote *r, const char *rest) {
    static char text[512];

    snprintf(text, sizeof text, "%s/a/b%s", r->server.host, rest);
    return text;
}

static void pull_fine(const struct scratch *scratch, const char *reference) {
    struct image image = IMAGE_INIT;
    _cleanup_free_ char *text = NULL;
    struct err err = {0};
    char path[256];

    cr_assert_eq(image_find(&image, &scratch->store, reference, &err), IMAGE_MISSING);
    cr_assert_eq(image_import(&scratch->store, reference, NULL, &err), 0, "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch->store, reference, &err), 0, "%s", err.message);
    cr_assert_eq(image.layers.n, 2);
    snprintf(path, sizeof path, "%s/file1", image.layers.items[1]);
    cr_assert_eq(fd_read_file(scratch->store.fd, path, 100, &text, NULL), 0);
    cr_assert_str_eq(text, "file1");
    cr_assert_str_eq(image.config.env.items[0], "A=b");
    cr_assert_eq(scratch_count(scratch, "tmp"), 0);
    image_done(&image);
}

static void pull_refused(const struct scratch *scratch, const char *reference, const char *says) {
    struct err err = {0};

    cr_assert_lt(image_import(&scratch->store, reference, NULL, &err), 0);
    cr_assert_not_null(strstr(err.message, says), "'%s' does not say '%s'", err.message, says);
    cr_assert_not_null(strstr(err.message, reference), "%s", err.message);
    cr_assert_eq(scratch_count(scratch, "tmp"), 0);
    cr_assert_eq(scratch_count(scratch, "layers"), 0);
    cr_assert_eq(scratch_count(scratch, "images"), 0);
    cr_assert_eq(scratch_count(scratch, "index"), 0);
}

Test(pull, by_tag_and_by_digest) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    char rest[100];

    scratch_init(&scratch);
    remote_init(&remote);
    remote_serve(&remote);
    pull_fine(&scratch, refer(&remote, ":1"));
    snprintf(rest, sizeof rest, "@%s", remote.digests[MANIFEST]);
    pull_fine(&scratch, refer(&remote, rest));
    snprintf(rest, sizeof rest, ":1@%s", remote.digests[INDEX]);
    pull_fine(&scratch, refer(&remote, rest));
    cr_assert_eq(scratch_count(&scratch, "layers"), 2);
    cr_assert_eq(scratch_count(&scratch, "images"), 1);
}

Test(pull, what_is_here_is_not_asked_for) {
    _cleanup_scratch_ struct scratch scratch;
    struct image image = IMAGE_INIT;
    struct remote remote;
    char reference[512];

    scratch_init(&scratch);
    remote_init(&remote);
    remote_serve(&remote);
    snprintf(reference, sizeof reference, "%s", refer(&remote, ":1"));
    pull_fine(&scratch, reference);
    remote_done(&remote);
    cr_assert_eq(image_find(&image, &scratch.store, reference, NULL), 0);
    image_done(&image);
}

Test(pull, with_a_token) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    char challenge[256];

    scratch_init(&scratch);
    remote_init(&remote);
    snprintf(challenge, sizeof challenge, "Bearer realm=\"http://%s/token\",service=\"s\"",
             remote.server.host);
    for (size_t i = 0; i < remote.n_routes; i++) {
        remote.routes[i].wants = "Bearer abc";
        remote.routes[i].challenge = challenge;
    }
    remote.routes[remote.n_routes++] =
        (struct route){.path = "/token?service=s&scope=repository%3Aa%2Fb%3Apull",
                       .body = "{\"access_token\":\"abc\"}"};
    remote_serve(&remote);
    pull_fine(&scratch, refer(&remote, ":1"));
}

Test(pull, with_name_and_password) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    char text[256], path[320];

    scratch_init(&scratch);
    remote_init(&remote);
    for (size_t i = 0; i < remote.n_routes; i++) {
        remote.routes[i].wants = "Basic bWU6c2VjcmV0";
        remote.routes[i].challenge = "Basic realm=\"r\"";
    }
    remote_serve(&remote);
    snprintf(path, sizeof path, "%s/auth.json", scratch.path);
    setenv("REGISTRY_AUTH_FILE", path, 1);
    pull_refused(&scratch, refer(&remote, ":1"), "name and password");
    snprintf(text, sizeof text, "{\"auths\":{\"%s\":{\"auth\":\"d3Jvbmc6d3Jvbmc=\"}}}",
             remote.server.host);
    scratch_write(&scratch, "auth.json", text, strlen(text));
    pull_refused(&scratch, refer(&remote, ":1"), "access denied");
    snprintf(text, sizeof text, "{\"auths\":{\"%s\":{\"auth\":\"bWU6c2VjcmV0\"}}}",
             remote.server.host);
    scratch_write(&scratch, "auth.json", text, strlen(text));
    pull_fine(&scratch, refer(&remote, ":1"));
}

Test(pull, goes_on_where_it_was_cut) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;

    scratch_init(&scratch);
    remote_init(&remote);
    remote.routes[0].fail_first = 503;
    remote.routes[2].cut_bytes = 5;
    remote.routes[3].cut_bytes = 20000;
    remote.routes[4].cut_bytes = 1;
    remote_serve(&remote);
    pull_fine(&scratch, refer(&remote, ":1"));
}

Test(pull, from_a_mirror) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    char mirrors[256];

    scratch_init(&scratch);
    remote_init(&remote);
    remote_serve(&remote);
    snprintf(mirrors, sizeof mirrors, "other.invalid=x,docker.io=127.0.0.1:1,docker.io=%s",
             remote.server.host);
    setenv("MAYFLY_REGISTRY_MIRRORS", mirrors, 1);
    pull_fine(&scratch, "a/b:1");
}

Test(pull, a_redirect_takes_no_token_along) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    _cleanup_server_ struct server other;
    struct route elsewhere;
    char headers[128];

    scratch_init(&scratch);
    remote_init(&remote);
    server_listen(&other);
    for (size_t i = 0; i < remote.n_routes; i++) {
        remote.routes[i].wants = "Basic bWU6c2VjcmV0";
        remote.routes[i].challenge = "Basic realm=\"r\"";
    }
    /* The other server answers 500 to whoever brings an Authorization header. */
    elsewhere = (struct route){
        .path = "/there", .body = remote.blobs[0].data, .size = remote.blobs[0].size};
    server_serve(&other, &elsewhere, 1);
    snprintf(headers, sizeof headers, "Location: http://%s/there\r\n", other.host);
    remote.routes[3].status = 307;
    remote.routes[3].headers = headers;
    remote.routes[3].body = "";
    remote.routes[3].size = 0;
    remote_serve(&remote);
    {
        char text[256], path[320];

        snprintf(text, sizeof text, "{\"auths\":{\"%s\":{\"auth\":\"bWU6c2VjcmV0\"}}}",
                 remote.server.host);
        scratch_write(&scratch, "auth.json", text, strlen(text));
        snprintf(path, sizeof path, "%s/auth.json", scratch.path);
        setenv("REGISTRY_AUTH_FILE", path, 1);
    }
    pull_fine(&scratch, refer(&remote, ":1"));
}

Test(pull, a_redirect_leads_to_no_file) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;

    scratch_init(&scratch);
    remote_init(&remote);
    remote.routes[0].status = 302;
    remote.routes[0].headers = "Location: file:///etc/passwd\r\n";
    remote_serve(&remote);
    pull_refused(&scratch, refer(&remote, ":1"), "rotocol");
}

Test(pull, nothing_that_lies_gets_in) {
    static const char *const tampered[] = {"manifest", "configuration", "layer 1 of 2"};
    static const size_t routes[] = {1, 2, 3};

    for (size_t i = 0; i < N_ELEMENTS(routes); i++) {
        _cleanup_scratch_ struct scratch scratch;
        _cleanup_remote_ struct remote remote;
        _cleanup_free_ char *body = NULL;

        scratch_init(&scratch);
        remote_init(&remote);
        if (routes[i] == 3)
            remote.routes[3].body = remote.blobs[1].data;
        else {
            body = strdup(remote.routes[routes[i]].body);
            *strrchr(body, '"') = ' ';
            remote.routes[routes[i]].body = body;
        }
        remote_serve(&remote);
        pull_refused(&scratch, refer(&remote, ":1"), tampered[i]);
    }
}

/* Each index is whole and named by its digest, and leads to one more. */
Test(pull, indexes_that_lead_on_and_on) {
    enum { DEPTH = 7 };
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    static char texts[DEPTH][256], paths[DEPTH][128];
    char digest[80];
    size_t size;

    scratch_init(&scratch);
    remote_init(&remote);
    snprintf(digest, sizeof digest, "%s", remote.digests[MANIFEST]);
    size = strlen(remote.manifest);
    for (int i = 0; i < DEPTH; i++) {
        snprintf(texts[i], sizeof texts[i], "{\"manifests\":[{\"digest\":\"%s\",\"size\":%zu}]}",
                 digest, size);
        size = strlen(texts[i]);
        take_digest(digest, texts[i], size);
        snprintf(paths[i], sizeof paths[i], "/v2/a/b/manifests/%s", digest);
        remote.routes[remote.n_routes++] = (struct route){.path = paths[i], .body = texts[i]};
    }
    remote.routes[0].body = texts[DEPTH - 1];
    remote_serve(&remote);
    pull_refused(&scratch, refer(&remote, ":1"), "without end");
}

Test(pull, documents_over_the_limit) {
    static const size_t routes[] = {0, 1, 2}; /* index, manifest, configuration */
    struct buf big = BUF_INIT;

    while (big.size < (5U << 20))
        buf_puts(&big, "{                                                                    ");
    for (size_t i = 0; i < N_ELEMENTS(routes); i++) {
        _cleanup_scratch_ struct scratch scratch;
        _cleanup_remote_ struct remote remote;

        scratch_init(&scratch);
        remote_init(&remote);
        remote.routes[routes[i]].body = big.data;
        remote.routes[routes[i]].size = big.size;
        remote_serve(&remote);
        pull_refused(&scratch, refer(&remote, ":1"), "4 MiB");
    }
    buf_done(&big);
}

/* The size that a manifest announces is not what comes. */
Test(pull, sizes_that_lie) {
    static const char *const lies[][2] = {
        {"\"size\":1}", "1 were announced"},
        {"\"size\":-5}", "the size -5"},
        {"\"size\":99999999999}", "99999999999 were announced"},
    };

    for (size_t i = 0; i < N_ELEMENTS(lies); i++) {
        _cleanup_scratch_ struct scratch scratch;
        _cleanup_remote_ struct remote remote;
        char *size;

        scratch_init(&scratch);
        remote_init(&remote);
        /* The last of them is the upper layer's. */
        size = strrchr(remote.manifest, ',') + 1;
        snprintf(size, sizeof remote.manifest - (size_t)(size - remote.manifest), "%s]}",
                 lies[i][0]);
        remote.routes[0].body = remote.manifest;
        remote_serve(&remote);
        pull_refused(&scratch, refer(&remote, ":1"), lies[i][1]);
    }
}

Test(pull, says_what_is_not_there) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;

    scratch_init(&scratch);
    remote_init(&remote);
    remote_serve(&remote);
    pull_refused(&scratch, refer(&remote, ":2"), "not found");
    pull_refused(&scratch, "127.0.0.1:1/a/b", "127.0.0.1:1");
    pull_refused(&scratch, "registry.invalid/a/b", "registry.invalid");
}

Test(pull, a_tarball_by_its_address) {
    _cleanup_scratch_ struct scratch scratch;
    _cleanup_remote_ struct remote remote;
    struct image image = IMAGE_INIT;
    struct err err = {0};
    char url[128];

    scratch_init(&scratch);
    remote_init(&remote);
    remote.routes[5] =
        (struct route){.path = "/moved.tar", .status = 301, .headers = "Location: /x.tar.gz\r\n"};
    remote.routes[6] = (struct route){.path = "/x.tar.gz",
                                      .body = remote.blobs[0].data,
                                      .size = remote.blobs[0].size,
                                      .cut_bytes = 1000};
    remote_serve(&remote);
    snprintf(url, sizeof url, "http://%s/moved.tar", remote.server.host);
    cr_assert_eq(image_find(&image, &scratch.store, url, &err), IMAGE_MISSING);
    cr_assert_eq(image_import(&scratch.store, url, NULL, &err), 0, "%s", err.message);
    cr_assert_eq(image_find(&image, &scratch.store, url, &err), 0);
    cr_assert_eq(image.layers.n, 1);
    image_done(&image);
}

Test(pull, a_server_that_stalls_is_given_up) {
    _cleanup_server_ struct server server;
    struct http_request request = {.allow_plain = true, .stall_sec = 1};
    struct http *http = NULL;
    struct err err = {0};
    char url[64];

    /* It listens and never answers. */
    server_listen(&server);
    snprintf(url, sizeof url, "http://%s/", server.host);
    request.url = url;
    cr_assert_eq(http_open(&http, &request, &err), -EPIPE);
    cr_assert_neq(err.message[0], '\0');
}
