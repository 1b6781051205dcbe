/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "engine/confine/user.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "app:x:1000:1001::/home/app:/bin/sh\n"
                             "nohome:x:1002:1002:::\n"
                             "relative:x:1003:1003::home:/bin/sh\n"
                             "short:x:1004\n"
                             "0:x:77:77::/nul:/bin/sh\n"
                             "app:x:2000:2000::/second:/bin/sh\n"
                             "last:x:1005:1005::/home/last";
static const char group[] = "root:x:0:\n"
                            "app:x:1001:app\n"
                            "audio:x:29:other,app\n"
                            "video:x:44:app,other\n"
                            "both:x:45:other,app,more\n"
                            "similar:x:46:ap,appp,xapp\n"
                            "bad:x:zero:app\n"
                            "last:x:50:app";

struct expected {
    const char *spec;
    uid_t uid;
    gid_t gid;
    size_t n_groups;
    const char *home;
};

Test(user, names_and_numbers) {
    static const struct expected cases[] = {
        {NULL, 0, 0, 0, "/root"},
        {"", 0, 0, 0, "/root"},
        {"root", 0, 0, 0, "/root"},
        {"app", 1000, 1001, 4, "/home/app"},
        {"1000", 1000, 1001, 4, "/home/app"},
        {"app:root", 1000, 0, 0, "/home/app"},
        {"app:29", 1000, 29, 0, "/home/app"},
        {"app:", 1000, 1001, 4, "/home/app"},
        {":audio", 0, 29, 0, "/root"},
        {"4711", 4711, 0, 0, "/"},
        {"4711:4712", 4711, 4712, 0, "/"},
        {"2147483647:2147483647", 2147483647, 2147483647, 0, "/"},
        {"007", 7, 0, 0, "/"},
        {"nohome", 1002, 1002, 0, "/"},
        {"relative", 1003, 1003, 0, "/"},
        {"short", 1004, 0, 0, "/"},
        {"last", 1005, 1005, 0, "/home/last"},
        /* Digits are a number, also where a user has them for a name. */
        {"0", 0, 0, 0, "/root"},
        {"77", 77, 77, 0, "/nul"},
        /* Of two lines the first counts. */
        {"2000", 2000, 2000, 5, "/second"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        const struct expected *c = &cases[i];
        const char *spec = c->spec ? c->spec : "NULL";
        struct err err = {0};
        struct user user;

        cr_assert_eq(user_lookup(&user, c->spec, passwd, group, &err), 0, "%s: %s", spec,
                     err.message);
        cr_expect_eq(user.uid, c->uid, "%s: uid %u", spec, user.uid);
        cr_expect_eq(user.gid, c->gid, "%s: gid %u", spec, user.gid);
        cr_expect_eq(user.n_groups, c->n_groups, "%s: %zu groups", spec, user.n_groups);
        cr_expect_str_eq(user.home, c->home, "%s: home %s", spec, user.home);
        user_done(&user);
        cr_expect_null(user.home);
    }
}

Test(user, groups_in_their_order) {
    static const gid_t expected[] = {29, 44, 45, 50};
    struct user user;

    cr_assert_eq(user_lookup(&user, "app", passwd, group, NULL), 0);
    cr_assert_eq(user.n_groups, N_ELEMENTS(expected));
    cr_assert_arr_eq(user.groups, expected, sizeof expected);
    user_done(&user);
}

Test(user, unknown_and_out_of_range) {
    static const struct {
        const char *spec;
        int code;
        const char *word; /* in the text */
    } cases[] = {
        {"nobody", -ENOENT, "nobody"},
        {"app:nogroup", -ENOENT, "nogroup"},
        {"2147483648", -EINVAL, "2147483648"},
        {"4294967295", -EINVAL, "4294967295"},
        {"4294967296", -EINVAL, "4294967296"},
        {"18446744073709551616", -EINVAL, "18446744073709551616"},
        {"app:2147483648", -EINVAL, "2147483648"},
        {"app:4294967296", -EINVAL, "4294967296"},
        {"-1", -ENOENT, "-1"},
        {" 0", -ENOENT, " 0"},
        {"0 ", -ENOENT, "0 "},
        {"+0", -ENOENT, "+0"},
        {"0x0", -ENOENT, "0x0"},
        {"app:-1", -ENOENT, "-1"},
        {"1:2:3", -ENOENT, "2:3"},
        {"ap", -ENOENT, "ap"},
        {"app\n", -ENOENT, "app"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct err err = {0};
        struct user user;

        cr_expect_eq(user_lookup(&user, cases[i].spec, passwd, group, &err), cases[i].code, "%s",
                     cases[i].spec);
        cr_expect_not_null(strstr(err.message, cases[i].word), "%s: %s", cases[i].spec,
                           err.message);
        cr_expect_null(user.home);
    }
}

Test(user, without_files) {
    struct user user;

    cr_assert_eq(user_lookup(&user, "root", "", "", NULL), 0);
    cr_expect_eq(user.uid, 0);
    cr_expect_str_eq(user.home, "/root");
    user_done(&user);
    cr_assert_eq(user_lookup(&user, "12:34", "", "", NULL), 0);
    cr_expect_eq(user.gid, 34);
    user_done(&user);
    cr_expect_eq(user_lookup(&user, "app", "", "", NULL), -ENOENT);
}

/* Lines that are none are passed over, and give nobody an id that is not there. */
Test(user, hostile_lines) {
    static const char *const lines[] = {
        "app",
        "app:",
        "app:x",
        "app:x:",
        "app:x::5:",
        "app:x:-1:0:",
        "app:x:0x0:0:",
        "app:x: 0:0:",
        "app:x:0 :0:",
        "app:x:+0:0:",
        "app:x:2147483648:0:",
        "app:x:4294967296:0:",
        "app:x:18446744073709551616:0:",
        "app:x:00000000000000000000000000000000:0:",
        ":x:0:0:",
        ":::",
        "\n\n:\n",
        "#app:x:0:0",
        " app:x:0:0",
        "app :x:0:0",
    };

    for (size_t i = 0; i < N_ELEMENTS(lines); i++) {
        _cleanup_free_ char *text = str_printf("%s\napp:x:5:6::/a:", lines[i]);
        struct user user;

        cr_expect_eq(user_lookup(&user, "app", lines[i], "", NULL), -ENOENT, "%s", lines[i]);
        cr_assert_not_null(text);
        cr_assert_eq(user_lookup(&user, "app", text, "", NULL), 0, "%s", lines[i]);
        cr_expect_eq(user.uid, 5, "%s", lines[i]);
        cr_expect_eq(user.gid, 6, "%s", lines[i]);
        user_done(&user);
    }
}

Test(user, overlong_lines_and_many_groups) {
    size_t size = 1 << 20;
    _cleanup_free_ char *text = malloc(size + 64), *groups = malloc(200 * 32);
    struct user user;
    char *p = groups;

    cr_assert(text && groups);
    memset(text, 'a', size);
    strcpy(text + size, ":x:9:9::/:\napp:x:1:2::/h:\n");
    cr_assert_eq(user_lookup(&user, "app", text, "", NULL), 0);
    cr_expect_eq(user.uid, 1);
    user_done(&user);
    for (int i = 0; i < 200; i++)
        p += sprintf(p, "g%d:x:%d:app\n", i, 100 + i);
    cr_assert_eq(user_lookup(&user, "app", text, groups, NULL), 0);
    cr_expect_eq(user.n_groups, USER_MAX_GROUPS);
    cr_expect_eq(user.groups[USER_MAX_GROUPS - 1], 100 + USER_MAX_GROUPS - 1);
    user_done(&user);
}
