/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests as the OCI specifications write them.  Parsing is strict, since the
 * hexadecimal part becomes a file name in the store and in image layouts: of
 * the exact length, lower case, nothing else.  Computing is libcrypto's, which
 * is loaded when the first digest begins.
 */
#include "digest.h"

#include "engine/base/str.h"
#include "lazy_crypto.h"

#include <errno.h>
#include <stdio.h>

static const struct {
    const char *prefix;
    size_t n_digits;
} algorithms[] = {
    [DIGEST_SHA256] = {"sha256:", 64},
    [DIGEST_SHA512] = {"sha512:", 128},
};

int digest_parse(const char *text, struct digest *ret_digest) {
    const char *hex = NULL;
    size_t a;

    for (a = 0; a < sizeof algorithms / sizeof *algorithms; a++)
        if ((hex = str_after(text, algorithms[a].prefix)))
            break;
    if (!hex)
        return strchr(text, ':') ? -ENOTSUP : -EINVAL;
    if (strlen(hex) != algorithms[a].n_digits || hex[strspn(hex, "0123456789abcdef")])
        return -EINVAL;
    ret_digest->algorithm = (enum digest_algorithm)a;
    memcpy(ret_digest->hex, hex, algorithms[a].n_digits + 1);
    return 0;
}

char *digest_format(const struct digest *digest, char ret_text[DIGEST_TEXT_BYTES]) {
    snprintf(ret_text, DIGEST_TEXT_BYTES, "%s%s", algorithms[digest->algorithm].prefix,
             digest->hex);
    return ret_text;
}

int digest_stream_init(struct digest_stream *stream, enum digest_algorithm algorithm,
                       struct err *err) {
    const struct lazy_crypto *crypto = lazy_crypto(err);
    EVP_MD_CTX *context;

    *stream = DIGEST_STREAM_INIT;
    if (!crypto)
        return -ENOENT;
    context = crypto->EVP_MD_CTX_new();
    if (!context)
        return err_nomem(err);
    if (!crypto->EVP_DigestInit_ex(
            context, algorithm == DIGEST_SHA512 ? crypto->EVP_sha512() : crypto->EVP_sha256(),
            NULL)) {
        crypto->EVP_MD_CTX_free(context);
        return err_set(err, -ENOTSUP, "this build of mayfly or this machine's libcrypto refuses %s",
                       algorithm == DIGEST_SHA512 ? "SHA-512" : "SHA-256");
    }
    stream->algorithm = algorithm;
    stream->context = context;
    return 0;
}

void digest_stream_update(struct digest_stream *stream, const void *data, size_t size) {
    lazy_crypto(NULL)->EVP_DigestUpdate(stream->context, data, size);
}

void digest_stream_final(struct digest_stream *stream, struct digest *ret_digest) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    *ret_digest = (struct digest){.algorithm = stream->algorithm};
    if (!lazy_crypto(NULL)->EVP_DigestFinal_ex(stream->context, bytes, &n))
        return; /* an empty digest equals no other */
    for (size_t i = 0; i < n; i++) {
        ret_digest->hex[2 * i] = digits[bytes[i] >> 4];
        ret_digest->hex[2 * i + 1] = digits[bytes[i] & 15];
    }
}

void digest_stream_done(struct digest_stream *stream) {
    if (stream->context)
        lazy_crypto(NULL)->EVP_MD_CTX_free(stream->context);
    *stream = DIGEST_STREAM_INIT;
}

int digest_bytes(enum digest_algorithm algorithm, const void *data, size_t size,
                 struct digest *ret_digest, struct err *err) {
    _cleanup_digest_stream_ struct digest_stream stream = DIGEST_STREAM_INIT;
    int r = digest_stream_init(&stream, algorithm, err);

    if (r < 0)
        return r;
    digest_stream_update(&stream, data, size);
    digest_stream_final(&stream, ret_digest);
    return 0;
}
