/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/rows.h"

#include "engine/base/cleanup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct rows_column columns[] = {{"NAME", "Name"}, {"PROCESSES", "PIDs"}};

static struct value *two(void) {
    struct value *list = value_new(VALUE_LIST), *row;

    row = value_add(list, NULL, value_new(VALUE_OBJECT));
    value_add_text(row, "Name", "a long name");
    value_add_number(row, "PIDs", 3);
    value_add_text(row, "Other", "x");
    row = value_add(list, NULL, value_new(VALUE_OBJECT));
    value_add_text(row, "Name", "b\033[2J\tc");
    value_add_number(row, "PIDs", 12);
    value_add_text(row, "Other", "y");
    return list;
}

Test(rows, a_table_is_aligned_and_safe_to_show) {
    _cleanup_value_ struct value *list = two();
    _cleanup_buf_ struct buf text = BUF_INIT, plain = BUF_INIT;

    rows_table(&text, columns, N_ELEMENTS(columns), list, true);
    cr_assert(!buf_failed(&text));
    cr_expect_str_eq(text.data, "NAME         PROCESSES\n"
                                "a long name  3\n"
                                "b?[2J c      12\n");
    rows_table(&plain, columns, N_ELEMENTS(columns), list, false);
    cr_expect_eq(strncmp(plain.data, "a long", 6), 0);
}

Test(rows, templates_with_and_without_headings) {
    static const struct {
        const char *format;
        const char *expected;
    } cases[] = {
        {"{{.PIDs}} {{.Other}}", "3 x\n12 y\n"},
        {"table {{.PIDs}}\\t{{.Other}}", "PROCESSES  OTHER\n3          x\n12         y\n"},
    };
    _cleanup_value_ struct value *list = two();

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;
        struct err err = {0};

        cr_assert_eq(rows_format(&text, cases[i].format, columns, N_ELEMENTS(columns), list, &err),
                     0, "%s", err.message);
        cr_expect_str_eq(text.data, cases[i].expected);
    }
}

Test(rows, an_empty_list_is_an_empty_list) {
    _cleanup_value_ struct value *list = value_new(VALUE_LIST);
    _cleanup_buf_ struct buf json = BUF_INIT, table = BUF_INIT;
    struct err err = {0};

    cr_assert_eq(rows_format(&json, "json", columns, N_ELEMENTS(columns), list, &err), 0);
    cr_expect_str_eq(json.data, "[]\n");
    cr_assert_eq(rows_format(&table, "table {{.Name}}", columns, N_ELEMENTS(columns), list, &err),
                 0);
    cr_expect_str_eq(table.data, "NAME\n");
}

Test(rows, formats_that_are_none) {
    struct err err = {0};

    cr_expect_eq(rows_check_format("json", &err), 0);
    cr_expect_eq(rows_check_format("table", &err), 0);
    cr_expect_eq(rows_check_format("{{.ID}}", &err), 0);
    cr_expect_eq(rows_check_format("yaml", &err), -EINVAL);
    cr_expect(strstr(err.message, "'yaml'"));
}
