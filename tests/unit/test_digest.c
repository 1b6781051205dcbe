/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/digest.h"

#include <criterion/criterion.h>
#include <errno.h>

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

Test(digest, parse_and_format) {
    char text[DIGEST_TEXT_BYTES];
    struct digest digest;

    cr_assert_eq(digest_parse("sha256:" ABC, &digest), 0);
    cr_assert_eq(digest.algorithm, DIGEST_SHA256);
    cr_assert_str_eq(digest.hex, ABC);
    cr_assert_str_eq(digest_format(&digest, text), "sha256:" ABC);
    cr_assert_eq(digest_parse("sha512:" ABC ABC, &digest), 0);
    cr_assert_str_eq(digest_format(&digest, text), "sha512:" ABC ABC);
}

Test(digest, refuses_what_is_none) {
    static const char *const bad[] = {
        "",
        ABC,
        "sha256",
        "sha256:",
        "sha256:" ABC "0",
        "sha256:BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        "sha256:../../../../../../etc/passwd0000000000000000000000000000000000",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a/",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a",
        "sha512:" ABC,
        " sha256:" ABC,
    };
    struct digest digest;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_lt(digest_parse(bad[i], &digest), 0, "%s", bad[i]);
    cr_assert_eq(digest_parse("md5:900150983cd24fb0d6963f7d28e17f72", &digest), -ENOTSUP);
}

Test(digest, computes) {
    struct digest digest;
    struct err err = {0};

    cr_assert_eq(digest_bytes(DIGEST_SHA256, "abc", 3, &digest, &err), 0, "%s", err.message);
    cr_assert_str_eq(digest.hex, ABC);
    cr_assert_eq(digest_bytes(DIGEST_SHA512, "abc", 3, &digest, &err), 0, "%s", err.message);
    cr_assert_eq(strlen(digest.hex), 128);
    cr_assert_eq(strncmp(digest.hex, "ddaf35a193617aba", 16), 0);
}

Test(digest, in_parts_as_in_one) {
    struct digest_stream stream;
    struct digest digest;

    cr_assert_eq(digest_stream_init(&stream, DIGEST_SHA256, NULL), 0);
    digest_stream_update(&stream, "a", 1);
    digest_stream_update(&stream, "", 0);
    digest_stream_update(&stream, "bc", 2);
    digest_stream_final(&stream, &digest);
    digest_stream_done(&stream);
    cr_assert_str_eq(digest.hex, ABC);
}

Test(digest, an_unknown_one_equals_no_other) {
    struct digest none = {0}, some;

    cr_assert_eq(digest_parse("sha256:" ABC, &some), 0);
    cr_assert(!digest_is_set(&none));
    cr_assert(digest_is_set(&some));
    cr_assert(!digest_eq(&none, &some));
}
