/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "rootfs/auth.h"
#include "rootfs/auth_helper.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

Test(auth, challenges) {
    struct auth_challenge c = {0};
    char *url;

    cr_assert_eq(auth_parse_challenge("Basic realm=\"x\"", &c, NULL), 0);
    cr_assert(!c.is_bearer);
    auth_challenge_done(&c);
    cr_assert_eq(auth_parse_challenge("bearer realm=\"https://a/t\",service=\"r \\\"q\\\" e\", "
                                      "scope=\"repository:x:pull\",error=invalid",
                                      &c, NULL),
                 0);
    cr_assert(c.is_bearer);
    cr_assert_str_eq(c.realm, "https://a/t");
    cr_assert_str_eq(c.service, "r \"q\" e");
    cr_assert_str_eq(c.scope, "repository:x:pull");
    url = auth_token_url(&c, "unused");
    cr_assert_str_eq(url, "https://a/t?service=r%20%22q%22%20e&scope=repository%3Ax%3Apull");
    free(url);
    auth_challenge_done(&c);
    cr_assert_eq(auth_parse_challenge("Bearer realm=https://a/t?x=1", &c, NULL), 0);
    url = auth_token_url(&c, "repository:b:pull");
    cr_assert_str_eq(url, "https://a/t?x=1&scope=repository%3Ab%3Apull");
    free(url);
    auth_challenge_done(&c);
}

Test(auth, refuses_challenges_that_are_none) {
    static const char *const bad[] = {"",          "Digest x",          "Bearer ",
                                      "Bearer",    "Bearer realm=\"un", "Bearer service=\"x\"",
                                      "Bearer =x", "Bearer realm"};
    struct auth_challenge c = {0};
    struct err err;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(auth_parse_challenge(bad[i], &c, &err), -EBADMSG, "%s", bad[i]);
}

static int lookup(const char *text, const char *registry, const char *repository,
                  const char *basic) {
    struct err err = {0};
    char *found = NULL;
    int r = auth_parse_file(text, registry, repository, &found, &err);

    if (r == 0)
        cr_assert_str_eq(found, basic);
    free(found);
    return r;
}

Test(auth, files) {
    static const char text[] =
        "{\"auths\":{\"h:5000\":{\"auth\":\"aG9zdA==\"},\"h:5000/a\":{\"auth\":\"YQ==\"},"
        "\"h:5000/a/b\":{\"auth\":\"Yg==\"},\"https://q.io\":{\"auth\":\"cQ==\"},"
        "\"https://index.docker.io/v1/\":{\"auth\":\"ZA==\"},\"empty\":{},"
        "\"bad\":{\"auth\":\"x\\r\\ny: z\"}}}";

    cr_assert_eq(lookup(text, "h:5000", "a/b", "Yg=="), 0);
    cr_assert_eq(lookup(text, "h:5000", "a/c", "YQ=="), 0);
    cr_assert_eq(lookup(text, "h:5000", "x", "aG9zdA=="), 0);
    cr_assert_eq(lookup(text, "q.io", "x", "cQ=="), 0);
    cr_assert_eq(lookup(text, "docker.io", "library/x", "ZA=="), 0);
    cr_assert_eq(lookup(text, "h", "a", NULL), -ENOENT);
    cr_assert_eq(lookup(text, "empty", "a", NULL), -ENOENT);
    cr_assert_eq(lookup(text, "bad", "a", NULL), -EBADMSG);
    cr_assert_eq(lookup("{}", "h", "a", NULL), -ENOENT);
    cr_assert_eq(lookup("[", "h", "a", NULL), -EBADMSG);
}

Test(auth, helpers_of_a_file) {
    static const char text[] =
        "{\"credHelpers\":{\"r:5000\":\"one\"},\"credsStore\":\"all\",\"auths\":{}}";
    static const struct {
        const char *text, *registry, *helper, *server;
        int r;
    } cases[] = {
        {text, "r:5000", "one", "r:5000", 0},
        {text, "other", "all", "other", 0},
        {text, "docker.io", "all", "https://index.docker.io/v1/", 0},
        {"{\"auths\":{}}", "r", NULL, NULL, -ENOENT},
        {"{\"credsStore\":\"../evil\"}", "r", NULL, NULL, -EBADMSG},
        {"[]", "r", NULL, NULL, -EBADMSG},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_free_ char *helper = NULL, *server = NULL;

        cr_assert_eq(auth_helper_of(cases[i].text, cases[i].registry, &helper, &server, NULL),
                     cases[i].r, "case %zu", i);
        if (cases[i].r == 0) {
            cr_assert_str_eq(helper, cases[i].helper);
            cr_assert_str_eq(server, cases[i].server);
        }
    }
}

Test(auth, answers_of_helpers) {
    static const struct {
        const char *text, *basic;
        int r;
    } cases[] = {
        {"{\"Username\":\"a\",\"Secret\":\"b\"}", "YTpi", 0},
        {"{\"Username\":\"ab\",\"Secret\":\"c\"}", "YWI6Yw==", 0},
        {"{\"Username\":\"person\",\"Secret\":\"secret\"}", "cGVyc29uOnNlY3JldA==", 0},
        {"{\"Username\":\"<token>\",\"Secret\":\"x\"}", NULL, -ENOTSUP},
        {"{\"Username\":\"a\"}", NULL, -EBADMSG},
        {"", NULL, -EBADMSG},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_free_ char *basic = NULL;

        cr_assert_eq(auth_helper_parse(cases[i].text, strlen(cases[i].text), &basic, NULL),
                     cases[i].r, "case %zu", i);
        if (cases[i].r == 0)
            cr_assert_str_eq(basic, cases[i].basic);
    }
}
