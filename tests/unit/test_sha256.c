/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/sha256.h"

#include "rootfs/digest.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static const char *hex_of(const void *data, size_t size) {
    static char hex[SHA256_HEX_BYTES];
    struct sha256 sha;

    sha256_init(&sha);
    sha256_update(&sha, data, size);
    sha256_final_hex(&sha, hex);
    return hex;
}

/* Spec: FIPS 180-4's examples. */
Test(sha256, known_answers) {
    static char million[1000000];

    cr_assert_str_eq(hex_of("abc", 3),
                     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    cr_assert_str_eq(hex_of("", 0),
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    cr_assert_str_eq(hex_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
                     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    memset(million, 'a', sizeof million);
    cr_assert_str_eq(hex_of(million, sizeof million),
                     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* Every length around the blocks' borders, in parts of every size, as libcrypto has it. */
Test(sha256, as_libcrypto_has_it) {
    unsigned char data[300];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 31 + 7);
    for (size_t size = 0; size <= sizeof data; size++) {
        struct digest digest;
        char hex[SHA256_HEX_BYTES];
        struct sha256 sha;
        size_t part = size % 67 + 1;

        cr_assert_eq(digest_bytes(DIGEST_SHA256, data, size, &digest, NULL), 0);
        sha256_init(&sha);
        for (size_t done = 0; done < size; done += part)
            sha256_update(&sha, data + done, size - done < part ? size - done : part);
        sha256_final_hex(&sha, hex);
        cr_assert_str_eq(hex, digest.hex, "%zu bytes", size);
    }
}

Test(sha256, texts_do_not_run_together) {
    char one[SHA256_HEX_BYTES], other[SHA256_HEX_BYTES];
    struct sha256 sha;

    sha256_init(&sha);
    sha256_text(&sha, "ab");
    sha256_text(&sha, "c");
    sha256_final_hex(&sha, one);
    sha256_text(&sha, "a");
    sha256_text(&sha, "bc");
    sha256_final_hex(&sha, other);
    cr_assert_str_neq(one, other);
}
