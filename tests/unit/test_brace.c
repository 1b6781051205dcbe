/* SPDX-License-Identifier: Apache-2.0 */
/* Lists in braces; what is expected is what bash 5.2 makes of the same words. */
#include "engine/base/buf.h"
#include "engine/base/cleanup.h"
#include "tools/brace.h"

#include <criterion/criterion.h>
#include <string.h>

/* The words with a bar between. */
static char *expand(const char *text) {
    _cleanup_strv_ struct strv words = {0};
    _cleanup_buf_ struct buf joined = BUF_INIT;
    struct err err;

    cr_assert_eq(brace_expand(text, &words, &err), 0, "%s: %s", text, err.message);
    for (size_t i = 0; i < words.n; i++)
        buf_printf(&joined, "%s%s", i ? "|" : "", words.items[i]);
    buf_puts(&joined, "");
    return joined.data ? buf_take(&joined) : strdup("");
}

struct example {
    const char *text;
    const char *words;
};

static void expect_all(const struct example *examples, size_t n) {
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *words = expand(examples[i].text);

        cr_expect_str_eq(words, examples[i].words, "%s: came %s", examples[i].text, words);
    }
}

/* --- lists ---------------------------------------------------------------- */

Test(brace, lists) {
    static const struct example examples[] = {
        {"debian:12", "debian:12"},
        {"python:{3.9,3.10,3.11}", "python:3.9|python:3.10|python:3.11"},
        {"{a,b}", "a|b"},
        {"{a,b}{1,2}", "a1|a2|b1|b2"},
        {"x{a,b}y{1,2}z", "xay1z|xay2z|xby1z|xby2z"},
        {"{a,b{1,2},c}", "a|b1|b2|c"},
        {"{{a,b},{c,d}}", "a|b|c|d"},
        {"x{a,}", "xa|x"},
        {"x{,}", "x|x"},
        {"{debian:{11,12},ubuntu:{20,22}.04}", "debian:11|debian:12|ubuntu:20.04|ubuntu:22.04"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

Test(brace, braces_that_are_no_lists) {
    static const struct example examples[] = {
        {"", ""},
        {"{}", "{}"},
        {"a{b}c", "a{b}c"},
        {"a{b,c", "a{b,c"},
        {"a}b,c{", "a}b,c{"},
        {"{a,{b,c}", "{a,b|{a,c"},
        {"a{b{c,d}e}f", "a{bce}f|a{bde}f"},
        {"{3.9..3.11}", "{3.9..3.11}"},
        {"{1..b}", "{1..b}"},
        {"{1...3}", "{1...3}"},
        {"{1..}", "{1..}"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

Test(brace, backslashes) {
    static const struct example examples[] = {
        {"\\{a,b\\}", "{a,b}"}, {"\\{a,b}", "{a,b}"},       {"{a\\,b,c}", "a,b|c"},
        {"{a,b\\}}", "a|b}"},   {"oci:a\\:b", "oci:a\\:b"}, {"a\\", "a\\"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

/* --- sequences ------------------------------------------------------------ */

Test(brace, sequences) {
    static const struct example examples[] = {
        {"a{1..3}", "a1|a2|a3"},
        {"{3..1}", "3|2|1"},
        {"{08..11}", "08|09|10|11"},
        {"{1..10..4}", "1|5|9"},
        {"{10..1..-4}", "10|6|2"},
        {"{1..3..0}", "1|2|3"},
        {"{-1..1}", "-1|0|1"},
        {"{-01..1}", "-01|000|001"},
        {"{a..c}", "a|b|c"},
        {"{e..a..2}", "e|c|a"},
        {"{1..2}{a,b}", "1a|1b|2a|2b"},
    };

    expect_all(examples, N_ELEMENTS(examples));
}

/* --- limits --------------------------------------------------------------- */

Test(brace, too_many_words) {
    _cleanup_strv_ struct strv words = {0};
    struct err err;

    cr_expect_eq(brace_expand("{1..1000}", &words, &err), 0);
    cr_expect_eq(words.n, 1000);
    cr_expect_eq(brace_expand("{1..1001}", &words, &err), -EINVAL);
    cr_expect_eq(brace_expand("{1..999999999}", &words, &err), -EINVAL);
    cr_expect_eq(brace_expand("{1..100}{1..100}", &words, &err), -EINVAL);
    cr_expect(strstr(err.message, "1000"));
    cr_expect_eq(words.n, 1000, "nothing of what was too much");
}
