/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

Test(buf, grows_and_stays_terminated) {
    _cleanup_buf_ struct buf buf = BUF_INIT;

    for (int i = 0; i < 10000; i++) {
        buf_append(&buf, "abc", 3);
        cr_assert_eq(buf.data[buf.size], '\0');
    }
    cr_assert_eq(buf.size, 30000);
    cr_assert(!buf_failed(&buf));
    cr_assert_eq(strncmp(buf.data + 29997, "abc", 4), 0);
}

Test(buf, keeps_bytes_of_any_value) {
    _cleanup_buf_ struct buf buf = BUF_INIT;

    buf_append(&buf, "a\0b", 3);
    buf_puts(&buf, "c");
    cr_assert_eq(buf.size, 4);
    cr_assert_eq(memcmp(buf.data, "a\0bc", 5), 0);
}

Test(buf, printf_of_any_length) {
    _cleanup_buf_ struct buf buf = BUF_INIT;

    buf_printf(&buf, "%d-", 7);
    buf_printf(&buf, "%05000d", 1);
    buf_printf(&buf, "%s", "");
    cr_assert_eq(buf.size, 5002);
    cr_assert_eq(strncmp(buf.data, "7-000", 5), 0);
    cr_assert_str_eq(buf.data + 4998, "0001");
}

Test(buf, take_hands_over_a_string) {
    struct buf buf = BUF_INIT;
    char *text;

    buf_puts(&buf, "mine");
    text = buf_take(&buf);
    cr_assert_str_eq(text, "mine");
    cr_assert_null(buf.data);
    cr_assert_eq(buf.size, 0);
    free(text);
}

Test(buf, take_of_nothing_is_an_empty_string) {
    struct buf buf = BUF_INIT;
    char *text = buf_take(&buf);

    cr_assert_str_eq(text, "");
    free(text);
}

Test(buf, a_failure_sticks) {
    struct buf buf = BUF_INIT;

    buf_puts(&buf, "before");
    buf.failed = 1;
    buf_puts(&buf, "after");
    buf_printf(&buf, "%d", 1);
    cr_assert(buf_failed(&buf));
    cr_assert_str_eq(buf.data, "before");
    cr_assert_null(buf_take(&buf));
    cr_assert(!buf_failed(&buf), "take leaves the initial state");
}
