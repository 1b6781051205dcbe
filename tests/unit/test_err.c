/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/err.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(err, set_returns_its_code_and_keeps_the_text) {
    struct err err = {0};

    cr_assert_eq(err_set(&err, -ENOENT, "volume %s: not there", "/x"), -ENOENT);
    cr_assert_eq(err.code, -ENOENT);
    cr_assert_str_eq(err.message, "volume /x: not there");
}

Test(err, errno_is_named) {
    struct err err = {0};

    errno = EACCES;
    cr_assert_eq(err_errno(&err, "open %d", 3), -EACCES);
    cr_assert_str_eq(err.message, "open 3: Permission denied");
}

Test(err, errno_of_zero_is_still_a_failure) {
    struct err err = {0};

    errno = 0;
    cr_assert_eq(err_errno(&err, "read"), -EIO);
    cr_assert_eq(err.code, -EIO);
}

Test(err, wrap_puts_context_in_front_and_keeps_the_code) {
    struct err err = {0};

    err_set(&err, -EBADMSG, "digest mismatch");
    cr_assert_eq(err_wrap(&err, "image %s", "debian:12"), -EBADMSG);
    cr_assert_str_eq(err.message, "image debian:12: digest mismatch");
}

Test(err, without_a_place_the_code_still_returns) {
    cr_assert_eq(err_set(NULL, -EPERM, "x"), -EPERM);
    errno = ENOSPC;
    cr_assert_eq(err_errno(NULL, "x"), -ENOSPC);
    cr_assert_eq(err_nomem(NULL), -ENOMEM);
    cr_assert_lt(err_wrap(NULL, "x"), 0);
}

Test(err, text_that_does_not_fit_is_cut) {
    struct err err = {0};
    char text[2 * ERR_MESSAGE_BYTES];

    memset(text, 'a', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    err_set(&err, -EINVAL, "%s", text);
    cr_assert_eq(strlen(err.message), ERR_MESSAGE_BYTES - 1);
    err_wrap(&err, "outer");
    cr_assert_eq(strlen(err.message), ERR_MESSAGE_BYTES - 1);
    cr_assert_eq(strncmp(err.message, "outer: aaa", 10), 0);
    errno = EINVAL;
    err_errno(&err, "%s", text);
    cr_assert_eq(strlen(err.message), ERR_MESSAGE_BYTES - 1);
}

Test(err, control_characters_stay_out_of_the_line) {
    struct err err = {0};

    err_set(&err, -EINVAL, "name %s", "a\nb\x1b[31mc\x7f");
    cr_assert_str_eq(err.message, "name a?b?[31mc?");
    err_wrap(&err, "x\ty");
    cr_assert_str_eq(err.message, "x?y: name a?b?[31mc?");
}
