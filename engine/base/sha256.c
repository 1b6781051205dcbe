/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 of our own, against the house's rule that a library is better: the
 * keys of remembered steps are a few short texts, and loading libcrypto for
 * them costs a run 2.4 ms where all of a remembered run takes less than that.
 * (Images, which are large and come from elsewhere, are digested by libcrypto.)
 *
 * With the processor's own instructions it takes in 1.2 GB a second, without
 * them 0.25.
 */
#include "sha256.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

static const uint32_t K[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotate(uint32_t x, int n) {
    return x >> n | x << (32 - n);
}

static uint32_t load_be32(const unsigned char *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void compress_portable(uint32_t state[8], const unsigned char *data, size_t n_blocks) {
    for (; n_blocks > 0; n_blocks--, data += 64) {
        uint32_t w[64], s[8];

        for (int i = 0; i < 16; i++)
            w[i] = load_be32(data + (size_t)4 * i);
        for (int i = 16; i < 64; i++)
            w[i] = w[i - 16] + w[i - 7] +
                   (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
                   (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
        memcpy(s, state, sizeof s);
        /* The words stay where they are, and their names move on; known to the compiler. */
        for (int i = 0; i < 64; i += 8)
#pragma GCC unroll 8
            for (int j = 0; j < 8; j++) {
                uint32_t a = s[-j & 7], b = s[(1 - j) & 7], c = s[(2 - j) & 7];
                uint32_t e = s[(4 - j) & 7], f = s[(5 - j) & 7], g = s[(6 - j) & 7];
                uint32_t t = s[(7 - j) & 7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) +
                             ((e & f) ^ (~e & g)) + K[i + j] + w[i + j];

                s[(3 - j) & 7] += t;
                s[(7 - j) & 7] = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) +
                                 ((a & b) ^ (a & c) ^ (b & c));
            }
        for (int i = 0; i < 8; i++)
            state[i] += s[i];
    }
}

#if defined(__x86_64__)
/*
 * The instructions keep the eight words as ABEF and CDGH; each takes two rounds, and the sixteen
 * words of the schedule go round in four registers.
 */
__attribute__((target("sha,sse4.1"))) static void
compress_native(uint32_t state[8], const unsigned char *data, size_t n_blocks) {
    const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
    __m128i high =
        _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
    __m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);

    for (; n_blocks > 0; n_blocks--, data += 64) {
        __m128i abef_before = abef, cdgh_before = cdgh, w[4];

        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(
                _mm_loadu_si128((const __m128i *)(const void *)(data + (size_t)16 * i)), swap);
        for (int i = 0; i < 16; i++) {
            __m128i *now = &w[i & 3], *next = &w[(i + 1) & 3], *last = &w[(i + 3) & 3];
            __m128i sum = _mm_add_epi32(
                *now, _mm_loadu_si128((const __m128i *)(const void *)(K + (size_t)4 * i)));

            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e));
            if (i >= 3 && i < 15)
                *next =
                    _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*next, w[(i + 2) & 3]),
                                                       _mm_alignr_epi8(*now, *last, 4)),
                                         *now);
        }
        abef = _mm_add_epi32(abef, abef_before);
        cdgh = _mm_add_epi32(cdgh, cdgh_before);
    }
    low = _mm_shuffle_epi32(abef, 0x1b);
    high = _mm_shuffle_epi32(cdgh, 0xb1);
    _mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xf0));
    _mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

/* Asked once, and not before: in a virtual machine cpuid is slow, and the first use of
 * __builtin_cpu_supports() in a program makes each of its starts ask a dozen times. */
static bool has_sha(void) {
    static int known;
    int have = __atomic_load_n(&known, __ATOMIC_RELAXED);

    if (have == 0) {
        unsigned eax, ebx = 0, ecx = 0, edx;
        bool sse = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_SSE4_1);

        have = sse && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & bit_SHA) ? 1 : -1;
        __atomic_store_n(&known, have, __ATOMIC_RELAXED);
    }
    return have > 0;
}

static void compress(uint32_t state[8], const unsigned char *data, size_t n_blocks) {
    if (has_sha())
        compress_native(state, data, n_blocks);
    else
        compress_portable(state, data, n_blocks);
}
#else
static void compress(uint32_t state[8], const unsigned char *data, size_t n_blocks) {
    compress_portable(state, data, n_blocks);
}
#endif

void sha256_init(struct sha256 *sha) {
    static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

    memcpy(sha->state, initial, sizeof sha->state);
    sha->n_bytes = 0;
}

void sha256_update(struct sha256 *sha, const void *data, size_t size) {
    size_t used = sha->n_bytes % 64, whole;
    const unsigned char *p = data;

    sha->n_bytes += size;
    if (used > 0) {
        size_t n = size < 64 - used ? size : 64 - used;

        memcpy(sha->block + used, p, n);
        if (used + n < 64)
            return;
        compress(sha->state, sha->block, 1);
        p += n;
        size -= n;
    }
    whole = size / 64;
    if (whole > 0)
        compress(sha->state, p, whole);
    if (size % 64 > 0)
        memcpy(sha->block, p + whole * 64, size % 64);
}

void sha256_text(struct sha256 *sha, const char *text) {
    sha256_update(sha, text, strlen(text) + 1);
}

void sha256_number(struct sha256 *sha, uint64_t number) {
    char text[24];

    snprintf(text, sizeof text, "%llu", (unsigned long long)number);
    sha256_text(sha, text);
}

void sha256_final(struct sha256 *sha, unsigned char ret_digest[SHA256_BYTES]) {
    static const unsigned char padding[64] = {0x80};
    uint64_t n_bits = sha->n_bytes * 8;
    unsigned char length[8];

    sha256_update(sha, padding, 1 + (119 - sha->n_bytes % 64) % 64);
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(n_bits >> (56 - 8 * i));
    sha256_update(sha, length, sizeof length);
    for (int i = 0; i < SHA256_BYTES; i++)
        ret_digest[i] = (unsigned char)(sha->state[i / 4] >> (24 - 8 * (i % 4)));
    sha256_init(sha);
}

void sha256_final_hex(struct sha256 *sha, char ret_hex[SHA256_HEX_BYTES]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[SHA256_BYTES];

    sha256_final(sha, digest);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        ret_hex[2 * i] = digits[digest[i] >> 4];
        ret_hex[2 * i + 1] = digits[digest[i] & 15];
    }
    ret_hex[SHA256_HEX_BYTES - 1] = '\0';
}
