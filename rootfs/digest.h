/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_DIGEST_H
#define MAYFLY_DIGEST_H

#include "engine/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** The longest hexadecimal form, of SHA-512, with its NUL. */
#define DIGEST_HEX_BYTES 129
/** The longest text "sha512:...", with its NUL. */
#define DIGEST_TEXT_BYTES (DIGEST_HEX_BYTES + 7)

enum digest_algorithm {
    DIGEST_SHA256,
    DIGEST_SHA512,
};

/**
 * struct digest - the name of some content
 * @hex: lower-case digits alone, so that it is safe as a file name; "" means that it is not known
 *
 * Spec: OCI image-spec, descriptor.md, "Digests".
 */
struct digest {
    enum digest_algorithm algorithm;
    char hex[DIGEST_HEX_BYTES];
};

/**
 * digest_parse() - read "sha256:..." or "sha512:..."
 *
 * Return: 0, -EINVAL when it is not well formed, -ENOTSUP for another algorithm.
 */
int digest_parse(const char *text, struct digest *ret_digest);

/** digest_format() - write it as digest_parse() reads it.  Return: @ret_text. */
char *digest_format(const struct digest *digest, char ret_text[DIGEST_TEXT_BYTES]);

static inline bool digest_is_set(const struct digest *digest) {
    return digest->hex[0] != '\0';
}

static inline bool digest_eq(const struct digest *a, const struct digest *b) {
    return a->algorithm == b->algorithm && strcmp(a->hex, b->hex) == 0;
}

/** struct digest_stream - a digest that is being computed; @context is libcrypto's */
struct digest_stream {
    enum digest_algorithm algorithm;
    void *context;
};

#define DIGEST_STREAM_INIT ((struct digest_stream){0})

/** digest_stream_init() - begin; loads libcrypto.  Return: 0 or -errno with a text. */
int digest_stream_init(struct digest_stream *stream, enum digest_algorithm algorithm,
                       struct err *err);

/** digest_stream_update() - take in @size more bytes. */
void digest_stream_update(struct digest_stream *stream, const void *data, size_t size);

/** digest_stream_final() - end, and give the digest; only digest_stream_done() may follow. */
void digest_stream_final(struct digest_stream *stream, struct digest *ret_digest);

void digest_stream_done(struct digest_stream *stream);

/** digest_bytes() - the digest of something small.  Return: 0 or -errno with a text. */
int digest_bytes(enum digest_algorithm algorithm, const void *data, size_t size,
                 struct digest *ret_digest, struct err *err);

#define _cleanup_digest_stream_ __attribute__((cleanup(digest_stream_done)))

#endif
