/* SPDX-License-Identifier: Apache-2.0 */
/* Texts on their way to a terminal, and the help that is made of them. */
#include "engine/base/cleanup.h"
#include "tools/help.h"
#include "tools/run_options.h"
#include "tools/text.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

/* --- one line ----------------------------------------------------------------- */

Test(text, line) {
    static const struct {
        const char *text;
        size_t max_columns;
        const char *expected;
        size_t columns;
    } cases[] = {
        {"", SIZE_MAX, "", 0},
        {"abc", SIZE_MAX, "abc", 3},
        {" \t a \n\n b\v\f\r", SIZE_MAX, "a b", 3},
        {"abcdef", 6, "abcdef", 6},
        {"abcdefg", 6, "abc...", 6},
        {"abcdefg", 3, "...", 3},
        {"abcdefg", 2, "", 0},
        {"abcdefg", 0, "", 0},
        {"", 0, "", 0},
        /* characters, not bytes */
        {"\xc3\xa4\xc3\xb6\xc3\xbc", 3, "\xc3\xa4\xc3\xb6\xc3\xbc", 3},
        {"\xe6\xb0\xb4\xe6\xb0\xb4", SIZE_MAX, "\xe6\xb0\xb4\xe6\xb0\xb4", 4},
        {"\xe6\xb0\xb4\xe6\xb0\xb4\xe6\xb0\xb4", 5, "\xe6\xb0\xb4...", 5},
        {"e\xcc\x81", SIZE_MAX, "e\xcc\x81", 1},
        {"\xf0\x9f\x90\x9b", SIZE_MAX, "\xf0\x9f\x90\x9b", 2},
        /* controls: C0, DEL, C1, and what turns the direction of writing */
        {"\033[2J", SIZE_MAX, "?[2J", 4},
        {"\x7f\x01\b", SIZE_MAX, "???", 3},
        {"\xc2\x9b"
         "31m",
         SIZE_MAX, "?31m", 4},
        {"a\xe2\x80\xaa"
         "b\xe2\x80\xac",
         SIZE_MAX, "a?b?", 4},
        {"a\xe2\x80\xa8"
         "b",
         SIZE_MAX, "a?b", 3},
        /* not UTF-8: lone, cut, overlong, surrogate, beyond the end */
        {"\xff\x80", SIZE_MAX, "??", 2},
        {"\xc3", SIZE_MAX, "?", 1},
        {"\xe6\xb0z", SIZE_MAX, "??z", 3},
        {"\xc0\x8a", SIZE_MAX, "??", 2},
        {"\xed\xa0\x80", SIZE_MAX, "???", 3},
        {"\xf4\x90\x80\x80", SIZE_MAX, "????", 4},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf line = BUF_INIT;
        size_t columns;

        buf_puts(&line, ">");
        columns = text_append_line(&line, cases[i].text, cases[i].max_columns);
        cr_expect_str_eq(line.data + 1, cases[i].expected);
        cr_expect_eq(columns, cases[i].columns, "'%s': %zu", cases[i].expected, columns);
    }
}

/* --- paragraphs and help ------------------------------------------------------ */

Test(text, wrapped) {
    _cleanup_buf_ struct buf text = BUF_INIT;

    text_append_wrapped(&text, "aaa bb cc dddddddddd e", 2, 8);
    cr_expect_str_eq(text.data, "aaa bb\n  cc\n  dddddddddd\n  e\n");
}

static void expect_80_columns(const char *text) {
    while (*text) {
        size_t n = strcspn(text, "\n");

        cr_expect_leq(n, 80, "%.*s", (int)n, text);
        cr_expect(n == 0 || text[n - 1] != ' ', "a space ends the line: %.*s", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

Test(help, fits_and_names_every_option) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    struct option_spec specs[OPTIONS_MAX];
    size_t n_specs = run_options_specs(specs);

    help_full(&text, false);
    expect_80_columns(text.data);
    cr_expect_null(strchr(text.data, '\033'));
    for (size_t i = 0; i < n_specs; i++) {
        char option[64];

        /* Another name of an option stands among the words of that. */
        snprintf(option, sizeof option, " --%s%s", specs[i].name, specs[i].help ? " " : "");
        cr_expect(strstr(text.data, option), "%s", option);
    }
}

Test(help, the_other_texts_fit_too) {
    _cleanup_buf_ struct buf usage = BUF_INIT, doctor = BUF_INIT, version = BUF_INIT;
    struct option_spec specs[OPTIONS_MAX];

    help_usage(&usage);
    expect_80_columns(usage.data);
    run_options_specs(specs);
    help_doctor(&doctor, specs, 1, false);
    expect_80_columns(doctor.data);
    help_version(&version);
    cr_expect_str_eq(version.data, "mayfly " MAYFLY_VERSION "\n");
}
