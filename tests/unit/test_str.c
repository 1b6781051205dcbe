/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/str.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

Test(str, after) {
    cr_assert_str_eq(str_after("oci:/x", "oci:"), "/x");
    cr_assert_str_eq(str_after("abc", ""), "abc");
    cr_assert_str_eq(str_after("abc", "abc"), "");
    cr_assert_null(str_after("ab", "abc"));
    cr_assert_null(str_after("xab", "ab"));
}

Test(str, printf) {
    char *text = str_printf("%s:%d", "a", 5);

    cr_assert_str_eq(text, "a:5");
    free(text);
}

Test(str, to_u64) {
    static const struct {
        const char *text;
        uint64_t max;
        int expected;
        uint64_t value;
    } cases[] = {
        {"0", 10, 0, 0},
        {"10", 10, 0, 10},
        {"0010", 10, 0, 10},
        {"11", 10, -ERANGE, 0},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999x", UINT64_MAX, -EINVAL, 0},
        {"", 10, -EINVAL, 0},
        {"-1", 10, -EINVAL, 0},
        {"+1", 10, -EINVAL, 0},
        {" 1", 10, -EINVAL, 0},
        {"1 ", 10, -EINVAL, 0},
        {"0x1", 10, -EINVAL, 0},
        {"1.5", 10, -EINVAL, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 77;
        int r = str_to_u64(cases[i].text, cases[i].max, &value);

        cr_expect_eq(r, cases[i].expected, "\"%s\": %d", cases[i].text, r);
        cr_expect_eq(value, r == 0 ? cases[i].value : 77, "\"%s\": %" PRIu64, cases[i].text, value);
    }
}

Test(strv, push_keeps_a_null_at_the_end) {
    _cleanup_strv_ struct strv strv = {0};

    for (int i = 0; i < 100; i++)
        cr_assert_eq(strv_push(&strv, i % 2 ? "odd" : "even"), 0);
    cr_assert_eq(strv.n, 100);
    cr_assert_str_eq(strv.items[99], "odd");
    cr_assert_null(strv.items[100]);
}

Test(strv, push_take_of_nothing_means_no_memory) {
    _cleanup_strv_ struct strv strv = {0};

    cr_assert_eq(strv_push_take(&strv, NULL), -ENOMEM);
    cr_assert_eq(strv.n, 0);
}

Test(strv, set_env_replaces_the_same_name_alone) {
    _cleanup_strv_ struct strv env = {0};

    cr_assert_eq(strv_set_env(&env, "PATH=/bin"), 0);
    cr_assert_eq(strv_set_env(&env, "PATHS=x"), 0);
    cr_assert_eq(strv_set_env(&env, "A="), 0);
    cr_assert_eq(strv_set_env(&env, "PATH=/usr/bin:a=b"), 0);
    cr_assert_eq(env.n, 3);
    cr_assert_str_eq(strv_get_env(&env, "PATH"), "/usr/bin:a=b");
    cr_assert_str_eq(strv_get_env(&env, "PATHS"), "x");
    cr_assert_str_eq(strv_get_env(&env, "A"), "");
    cr_assert_null(strv_get_env(&env, "PAT"));
    cr_assert_null(strv_get_env(&env, ""));
}

Test(strv, done_leaves_an_empty_list) {
    struct strv strv = {0};

    strv_push(&strv, "x");
    strv_done(&strv);
    cr_assert_eq(strv.n, 0);
    cr_assert_null(strv.items);
    strv_done(&strv);
}

Test(str, unescape_octal_undoes_what_proc_writes) {
    char text[] = "/a\\040b\\134c\\011\\9\\07\\477\\";

    str_unescape_octal(text);
    cr_assert_str_eq(text, "/a b\\c\t\\9\\07\\477\\");
}
