/* SPDX-License-Identifier: Apache-2.0 */
/* The texts in which a plan's parts are written. */
#include "engine/base/cleanup.h"
#include "engine/plan/plan.h"
#include "engine/plan/plan_spec.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* --- fields ------------------------------------------------------------------ */

Test(plan_spec, split) {
    static const struct {
        const char *text;
        const char *fields[4];
    } cases[] = {
        {"", {""}},
        {"a", {"a"}},
        {":", {"", ""}},
        {"a:b", {"a", "b"}},
        {"a:b:ro", {"a", "b", "ro"}},
        {"a\\:b:c", {"a:b", "c"}},
        {"a\\\\:b", {"a\\", "b"}},
        {"a\\\\\\:b", {"a\\:b"}},
        {"a\\nb:c", {"a\\nb", "c"}},
        {"a\\", {"a\\"}},
        {"with space\nand line:x", {"with space\nand line", "x"}},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_strv_ struct strv fields = {0};
        size_t n = 0;

        cr_assert_eq(plan_spec_split(cases[i].text, &fields), 0);
        for (; n < 4 && cases[i].fields[n]; n++) {
            cr_assert_lt(n, fields.n, "%s", cases[i].text);
            cr_expect_str_eq(fields.items[n], cases[i].fields[n]);
        }
        cr_expect_eq(fields.n, n, "%s: %zu fields", cases[i].text, fields.n);
    }
}

Test(plan_spec, escape_is_undone_by_split) {
    static const char *const names[] = {"",    "plain", "a:b",   ":",       "\\",       "a\\",
                                        "\\:", "\\\\",  "a\\nb", "\\\\:\\", "::\\:\\\\"};

    for (size_t i = 0; i < N_ELEMENTS(names); i++) {
        _cleanup_strv_ struct strv fields = {0};
        _cleanup_buf_ struct buf text = BUF_INIT;

        plan_spec_escape(&text, names[i]);
        buf_puts(&text, ":after");
        cr_assert_eq(plan_spec_split(text.data, &fields), 0);
        cr_assert_eq(fields.n, 2, "%s became %s", names[i], text.data);
        cr_expect_str_eq(fields.items[0], names[i]);
        cr_expect_str_eq(fields.items[1], "after");
    }
}

/* --- paths ------------------------------------------------------------------- */

Test(plan_spec, target) {
    static const struct {
        const char *text, *path; /* NULL: refused */
    } cases[] = {
        {"/a", "/a"},
        {"/a/", "/a"},
        {"//a///b/./c/.", "/a/b/c"},
        {"/..a/b..", "/..a/b.."},
        {"/...", "/..."},
        {"/a b", "/a b"},
        {"", NULL},
        {"a", NULL},
        {"./a", NULL},
        {"/", NULL},
        {"//./", NULL},
        {"/..", NULL},
        {"/a/..", NULL},
        {"/a/../b", NULL},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_free_ char *path = NULL;
        struct err err = {0};
        int r = plan_spec_target(cases[i].text, &path, &err);

        cr_expect_eq(r, cases[i].path ? 0 : -EINVAL, "%s", cases[i].text);
        if (cases[i].path)
            cr_expect_str_eq(path, cases[i].path);
        else
            cr_expect(err.message[0]);
    }
    cr_expect(plan_spec_target_ok("/a/b"));
    cr_expect_not(plan_spec_target_ok("/a/b/"));
    cr_expect_not(plan_spec_target_ok("/a/../b"));
}

Test(plan_spec, base_name) {
    static const char *const with[] = {"a", "/a", "a/", "/a//", "..a", "a/..b", "...", "./a"};
    static const char *const without[] = {"", "/", "//", ".", "..", "a/.", "a/..", "../", "/./"};

    for (size_t i = 0; i < N_ELEMENTS(with); i++)
        cr_expect(plan_spec_has_base_name(with[i]), "%s", with[i]);
    for (size_t i = 0; i < N_ELEMENTS(without); i++)
        cr_expect_not(plan_spec_has_base_name(without[i]), "%s", without[i]);
}

/* --- names ------------------------------------------------------------------- */

static void repeat(char *text, char c, size_t n) {
    memset(text, c, n);
    text[n] = '\0';
}

Test(plan_spec, name) {
    static const char *const good[] = {"a", "0", "web-1", "A.b_c-d", "x_"};
    static const char *const bad[] = {"", "-a", ".a", "_a", "a b", "a/b", "a:b", "\xc3\xa9", "a\n"};
    char text[80];

    for (size_t i = 0; i < N_ELEMENTS(good); i++)
        cr_expect(plan_spec_name_ok(good[i]), "%s", good[i]);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_expect_not(plan_spec_name_ok(bad[i]), "%s", bad[i]);
    repeat(text, 'a', 63);
    cr_expect(plan_spec_name_ok(text));
    repeat(text, 'a', 64);
    cr_expect_not(plan_spec_name_ok(text));
}

Test(plan_spec, hostname) {
    static const char *const good[] = {"a", "3com", "a-b", "a.example.org", "A--b", "1.2.3.4"};
    static const char *const bad[] = {"",   ".",   "a.",  ".a",  "a..b", "-a",
                                      "a-", "a.-", "a_b", "a b", "a/b",  "\xc3\xa9"};
    char text[80];

    for (size_t i = 0; i < N_ELEMENTS(good); i++)
        cr_expect(plan_spec_hostname_ok(good[i]), "%s", good[i]);
    for (size_t i = 0; i < N_ELEMENTS(bad); i++)
        cr_expect_not(plan_spec_hostname_ok(bad[i]), "%s", bad[i]);
    repeat(text, 'a', 63);
    cr_expect(plan_spec_hostname_ok(text));
    repeat(text, 'a', 64);
    cr_expect_not(plan_spec_hostname_ok(text), "a label of 64");
    text[31] = '.';
    cr_expect(plan_spec_hostname_ok(text), "64 in all");
    repeat(text, 'a', 65);
    text[31] = '.';
    cr_expect_not(plan_spec_hostname_ok(text), "65 in all");
}

/* --- sizes and modes --------------------------------------------------------- */

Test(plan_spec, size) {
    static const struct {
        const char *text;
        int result;
        uint64_t bytes;
    } cases[] = {
        {"0", 0, 0},
        {"17", 0, 17},
        {"17b", 0, 17},
        {"1k", 0, 1024},
        {"1K", 0, 1024},
        {"1kb", 0, 1024},
        {"1KB", 0, 1024},
        {"1KiB", 0, 1024},
        {"64m", 0, UINT64_C(64) << 20},
        {"2g", 0, UINT64_C(2) << 30},
        {"3t", 0, UINT64_C(3) << 40},
        {"18446744073709551615", 0, UINT64_MAX},
        {"16777215t", 0, UINT64_C(16777215) << 40},
        {"16777216t", -ERANGE, 0},
        {"18446744073709551616", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"m", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1.5g", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"1kx", -EINVAL, 0},
        {"1ib", -EINVAL, 0},
        {"1 k", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        uint64_t bytes = 0;

        cr_expect_eq(plan_parse_size(cases[i].text, &bytes), cases[i].result, "%s", cases[i].text);
        cr_expect_eq(bytes, cases[i].bytes, "%s", cases[i].text);
    }
}

Test(plan_spec, net) {
    struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_expect_eq(plan_set_net(&plan, "host", &err), 0);
    cr_expect_eq(plan.net, NET_HOST);
    cr_expect_eq(plan_set_net(&plan, "bridge:br0", &err), 0);
    cr_expect_eq(plan.net, NET_BRIDGE);
    cr_expect_str_eq(plan.bridge, "br0");
    cr_expect_eq(plan_set_net(&plan, "bridge", &err), 0);
    cr_expect_eq(plan.net, NET_BRIDGE);
    cr_expect_null(plan.bridge);
    cr_expect_eq(plan_set_net(&plan, "none", &err), 0);
    cr_expect_eq(plan.net, NET_NONE);
    cr_expect_eq(plan_set_net(&plan, "lab-1", &err), 0);
    cr_expect_eq(plan.net, NET_BRIDGE);
    cr_expect_str_eq(plan.network, "lab-1");
    cr_expect_eq(plan_set_net(&plan, "nat", &err), 0);
    cr_expect_null(plan.network);
    cr_expect_eq(plan_set_net(&plan, "no/ne", &err), -EINVAL);
    cr_expect(strstr(err.message, "'no/ne'"));
    cr_expect_eq(plan_set_net(&plan, "", &err), -EINVAL);
    cr_expect_eq(plan_set_net(&plan, "bridge:", &err), -EINVAL);
    cr_expect_eq(plan_set_net(&plan, "bridge:sixteen-letters-x", &err), -EINVAL);
    plan_done(&plan);
}

Test(plan_spec, ports) {
    static const char *const bad[] = {"",        "80",        "80:0",     "0:80",      "65536:80",
                                      "80:80/x", "x:80:80",   "1:2:3:4",  "::1:80:80", "[::1]80:80",
                                      "[::1:80", "[x]:80:80", "[::1]:80", ":80:80"};
    struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_assert_eq(plan_add_port(&plan, "8080:80", &err), 0);
    cr_assert_eq(plan_add_port(&plan, "127.0.0.1:5353:53/udp", &err), 0);
    cr_assert_eq(plan_add_port(&plan, "[::1]:8080:80/tcp", &err), 0);
    cr_assert_eq(plan.n_ports, 3);
    cr_expect(nat_port_has_ipv4(&plan.ports[0]) && nat_port_has_ipv6(&plan.ports[0]));
    cr_expect_eq(plan.ports[1].protocol, IPPROTO_UDP);
    cr_expect_eq(plan.ports[1].container_port, 53);
    cr_expect_not(nat_port_has_ipv6(&plan.ports[1]));
    cr_expect_not(nat_port_has_ipv4(&plan.ports[2]));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        cr_expect_eq(plan_add_port(&plan, bad[i], &err), -EINVAL, "%s", bad[i]);
    cr_expect_eq(plan.n_ports, 3);
    plan_done(&plan);
}

Test(plan_spec, pull) {
    enum pull_mode mode = PULL_MISSING;
    struct err err = {0};

    cr_expect_eq(plan_parse_pull("never", &mode, &err), 0);
    cr_expect_eq(mode, PULL_NEVER);
    cr_expect_eq(plan_parse_pull("always", &mode, &err), 0);
    cr_expect_eq(mode, PULL_ALWAYS);
    cr_expect_eq(plan_parse_pull("missing", &mode, &err), 0);
    cr_expect_eq(mode, PULL_MISSING);
    cr_expect_eq(plan_parse_pull("newer", &mode, &err), -EINVAL);
    cr_expect(strstr(err.message, "newer"));
    cr_expect_eq(mode, PULL_MISSING);
}
