/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAZY_CRYPTO_H
#define MAYFLY_LAZY_CRYPTO_H

#include "lazy.h"

#include <openssl/evp.h>

#define LAZY_CRYPTO(X)                                                                             \
    X(EVP_MD_CTX_new)                                                                              \
    X(EVP_MD_CTX_free)                                                                             \
    X(EVP_sha256)                                                                                  \
    X(EVP_sha512)                                                                                  \
    X(EVP_DigestInit_ex)                                                                           \
    X(EVP_DigestUpdate)                                                                            \
    X(EVP_DigestFinal_ex)

struct lazy_crypto {
    LAZY_CRYPTO(LAZY_MEMBER)
};

/** lazy_crypto() - libcrypto's functions, loaded; NULL with a text when it is not there. */
const struct lazy_crypto *lazy_crypto(struct err *err);

#endif
