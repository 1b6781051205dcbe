/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same tables as lazy.c's, for the program that is one static file
 * (`make static`): it can open no library, so the functions are linked in.
 *
 * - libcurl is left out, and with it registries and tarballs at an address.
 * - libisal: Debian has no archive of it.  libarchive's gzip does as well.
 * - bzip2 and lz4, in which few images come, are half of what room there was left
 *   (each 58 kB): libarchive's filters for them are taken from here.
 * - libcrypto's EVP would bring all of its ciphers along, three megabytes; the
 *   two digests behind it are taken by the functions that OpenSSL 3 calls
 *   deprecated, which have the same code for each processor.
 */
#ifdef MAYFLY_STATIC

#define OPENSSL_SUPPRESS_DEPRECATED

#include "image.h"
#include "lazy_archive.h"
#include "lazy_crypto.h"
#include "lazy_curl.h"
#include "lazy_isal.h"
#include "lazy_jansson.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>

int archive_read_support_filter_bzip2(struct archive *archive) {
    (void)archive;
    return ARCHIVE_WARN;
}

int archive_read_support_filter_lz4(struct archive *archive) {
    (void)archive;
    return ARCHIVE_WARN;
}

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a member's name */
#define LAZY_ADDRESS(function) .function = function,

const struct lazy_archive *lazy_archive(struct err *err) {
    static const struct lazy_archive table = {LAZY_ARCHIVE(LAZY_ADDRESS)};

    (void)err;
    return &table;
}

const struct lazy_jansson *lazy_jansson(struct err *err) {
    static const struct lazy_jansson table = {LAZY_JANSSON(LAZY_ADDRESS)};

    (void)err;
    return &table;
}

const struct lazy_isal *lazy_isal(struct err *err) {
    err_set(err, -ENOENT, "this small build of mayfly is without ISA-L");
    return NULL;
}

const struct lazy_curl *lazy_curl(struct err *err) {
    err_set(err, -ENOENT,
            "this small build of mayfly cannot ask registries or servers; bring the image as a "
            "file (mayfly load, tar:FILE)");
    return NULL;
}

/* --- digests -------------------------------------------------------------- */

struct evp_md_ctx_st {
    int wide;
    union {
        SHA256_CTX sha256;
        SHA512_CTX sha512;
    };
};

/* Nothing but their addresses counts. */
struct evp_md_st {
    int wide;
};
static const EVP_MD sha256_type = {.wide = 0};
static const EVP_MD sha512_type = {.wide = 1};

static const EVP_MD *type_sha256(void) {
    return &sha256_type;
}

static const EVP_MD *type_sha512(void) {
    return &sha512_type;
}

static EVP_MD_CTX *context_new(void) {
    return calloc(1, sizeof(EVP_MD_CTX));
}

static void context_free(EVP_MD_CTX *context) {
    free(context);
}

static int digest_init(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine) {
    (void)engine;
    context->wide = type->wide;
    return context->wide ? SHA512_Init(&context->sha512) : SHA256_Init(&context->sha256);
}

static int digest_update(EVP_MD_CTX *context, const void *data, size_t size) {
    return context->wide ? SHA512_Update(&context->sha512, data, size)
                         : SHA256_Update(&context->sha256, data, size);
}

static int digest_final(EVP_MD_CTX *context, unsigned char *ret_bytes, unsigned *ret_n) {
    *ret_n = context->wide ? SHA512_DIGEST_LENGTH : SHA256_DIGEST_LENGTH;
    return context->wide ? SHA512_Final(ret_bytes, &context->sha512)
                         : SHA256_Final(ret_bytes, &context->sha256);
}

const struct lazy_crypto *lazy_crypto(struct err *err) {
    static const struct lazy_crypto table = {
        .EVP_MD_CTX_new = context_new,
        .EVP_MD_CTX_free = context_free,
        .EVP_sha256 = type_sha256,
        .EVP_sha512 = type_sha512,
        .EVP_DigestInit_ex = digest_init,
        .EVP_DigestUpdate = digest_update,
        .EVP_DigestFinal_ex = digest_final,
    };

    (void)err;
    return &table;
}

int image_libraries(struct err *err) {
    (void)err;
    return 0;
}

#endif
