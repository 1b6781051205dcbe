/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/json_writer.h"

#include <criterion/criterion.h>

/* The text of one string, quotes included. */
static void expect_string(const char *text, const char *expected) {
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_string(&json, text);
    cr_expect_str_eq(json.buf.data, expected);
    json_writer_done(&json);
}

Test(json, commas_stand_between_values_alone) {
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_object(&json);
    json_writer_key(&json, "a");
    json_writer_i64(&json, -1);
    json_writer_key(&json, "b");
    json_writer_open_array(&json);
    json_writer_bool(&json, true);
    json_writer_bool(&json, false);
    json_writer_open_object(&json);
    json_writer_close_object(&json);
    json_writer_open_array(&json);
    json_writer_close_array(&json);
    json_writer_close_array(&json);
    json_writer_key(&json, "c");
    json_writer_string(&json, NULL);
    json_writer_close_object(&json);
    cr_assert_str_eq(json.buf.data, "{\"a\":-1,\"b\":[true,false,{},[]],\"c\":null}");
    json_writer_done(&json);
}

Test(json, strings_are_escaped) {
    expect_string("", "\"\"");
    expect_string("a\"b\\c/", "\"a\\\"b\\\\c/\"");
    expect_string("a\nb\tc\x01\x7f", "\"a\\nb\\u0009c\\u0001\\u007f\"");
    expect_string("\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9d",
                  "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x9d\"");
}

Test(json, bytes_that_are_no_utf8_are_replaced) {
    expect_string("a\xff", "\"a\xef\xbf\xbd\"");
    expect_string("\x80x", "\"\xef\xbf\xbdx\"");
    expect_string("\xc3", "\"\xef\xbf\xbd\"");
    expect_string("\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string("\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    expect_string("\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(json, keys_are_escaped_too) {
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_object(&json);
    json_writer_key(&json, "a\"\n");
    json_writer_i64(&json, INT64_MIN);
    json_writer_close_object(&json);
    cr_assert_str_eq(json.buf.data, "{\"a\\\"\\n\":-9223372036854775808}");
    json_writer_done(&json);
}

Test(json, seconds) {
    struct json_writer json = JSON_WRITER_INIT;

    json_writer_open_array(&json);
    json_writer_seconds(&json, 0);
    json_writer_seconds(&json, 1500);
    json_writer_seconds(&json, UINT64_C(12345678901));
    json_writer_close_array(&json);
    cr_assert_str_eq(json.buf.data, "[0.000000,0.000001,12.345678]");
    json_writer_done(&json);
}
