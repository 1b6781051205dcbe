/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SHA256_H
#define MAYFLY_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_BYTES 32
/** The hexadecimal form with its NUL. */
#define SHA256_HEX_BYTES 65

/**
 * struct sha256 - a digest that is being computed
 *
 * Spec: FIPS 180-4.
 */
struct sha256 {
    uint32_t state[8];
    uint64_t n_bytes;
    unsigned char block[64];
};

/** sha256_init() - begin. */
void sha256_init(struct sha256 *sha);

/** sha256_update() - take in @size more bytes. */
void sha256_update(struct sha256 *sha, const void *data, size_t size);

/** sha256_text() - take in a text and the NUL that ends it, so that two texts cannot run together.
 */
void sha256_text(struct sha256 *sha, const char *text);

/** sha256_number() - take in a number, as a text. */
void sha256_number(struct sha256 *sha, uint64_t number);

/** sha256_final() - end, and give the digest; @sha can be begun anew then. */
void sha256_final(struct sha256 *sha, unsigned char ret_digest[SHA256_BYTES]);

/** sha256_final_hex() - the same in lower-case digits. */
void sha256_final_hex(struct sha256 *sha, char ret_hex[SHA256_HEX_BYTES]);

#endif
