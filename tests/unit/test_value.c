/* SPDX-License-Identifier: Apache-2.0 */
/* Values: trees of what is to be shown. */
#include "engine/base/cleanup.h"
#include "tools/value.h"

#include <criterion/criterion.h>
#include <string.h>

static void expect_json(const struct value *value, const char *expected) {
    struct json_writer json = JSON_WRITER_INIT;

    value_json(value, &json);
    cr_assert_str_eq(json.buf.data, expected);
    json_writer_done(&json);
}

Test(value, objects_and_lists_are_json) {
    _cleanup_value_ struct value *whole = value_new(VALUE_OBJECT);
    struct value *list = value_add(whole, "List", value_new(VALUE_LIST));

    value_add_text(whole, "Text", "a \"b\"\n");
    value_add_text(whole, "None", NULL);
    value_add_number(whole, "Least", INT64_MIN);
    value_add_bool(whole, "Yes", true);
    value_add_bool(list, NULL, false);
    value_add_number(list, NULL, 7);
    (void)value_add(list, NULL, value_new(VALUE_OBJECT));
    expect_json(whole, "{\"List\":[false,7,{}],\"Text\":\"a \\\"b\\\"\\n\",\"None\":null,"
                       "\"Least\":-9223372036854775808,\"Yes\":true}");
}

Test(value, empty_ones_and_null) {
    _cleanup_value_ struct value *list = value_new(VALUE_LIST);
    _cleanup_value_ struct value *null = value_new(VALUE_NULL);

    expect_json(list, "[]");
    expect_json(null, "null");
}

Test(value, keys_are_found_whatever_their_case) {
    _cleanup_value_ struct value *whole = value_new(VALUE_OBJECT);

    value_add_text(whole, "Name", "first");
    value_add_text(whole, "Names", "other");
    cr_assert_str_eq(value_find(whole, "name")->text, "first");
    cr_assert_str_eq(value_find(whole, "NAMES")->text, "other");
    cr_assert_null(value_find(whole, "Nam"));
    cr_assert_null(value_find(value_find(whole, "Name"), "Name"));
    cr_assert_null(value_find(NULL, "Name"));
}

Test(value, without_memory_there_is_nothing_to_be_freed_twice) {
    /* What is handed over is gone, also where it found no place. */
    cr_assert_null(value_add(NULL, "Key", value_new(VALUE_TEXT)));
    cr_assert_null(value_add(NULL, "Key", NULL));
    value_add_text(NULL, "Key", "text");
    value_add_number(NULL, "Key", 1);
    value_add_bool(NULL, "Key", true);
    value_free(NULL);
}
