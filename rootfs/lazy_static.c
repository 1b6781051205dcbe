/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same tables as lazy.c's, for the program that is one static file
 * (`make static`): it can open no library, so the functions are linked in.
 *
 * - libcurl is left out, and with it registries and tarballs at an address.
 * - libisal: Debian has no archive of it.  libarchive's gzip does as well.
 * - bzip2 and lz4, in which few images come, are half of what room there was left
 *   (each 58 kB): libarchive's filters for them are taken from here.
 * - zstd's formats from before its first release (0.5 to 0.7, 95 kB) are refused:
 *   libzstd asks these functions for them, which are taken from here too.
 * - libcrypto would bring three megabytes along; SHA-256 is engine/base's, and
 *   SHA-512, in which no registry names its layers, is refused.
 */
#ifdef MAYFLY_STATIC

#include "engine/base/sha256.h"
#include "image.h"
#include "lazy_archive.h"
#include "lazy_crypto.h"
#include "lazy_curl.h"
#include "lazy_isal.h"
#include "lazy_jansson.h"

#include <errno.h>
#include <stdlib.h>

int archive_read_support_filter_bzip2(struct archive *archive) {
    (void)archive;
    return ARCHIVE_WARN;
}

int archive_read_support_filter_lz4(struct archive *archive) {
    (void)archive;
    return ARCHIVE_WARN;
}

/*
 * Without a declaration in any header; only that a call fails counts: no context, and no frame
 * whose head is one of these.
 */
#define OLD_ZSTD(version)                                                                          \
    void *ZSTDv##version##_createDCtx(void);                                                       \
    void *ZSTDv##version##_createDCtx(void) {                                                      \
        return NULL;                                                                               \
    }                                                                                              \
    size_t ZSTDv##version##_freeDCtx(void *context);                                               \
    size_t ZSTDv##version##_freeDCtx(void *context) {                                              \
        (void)context;                                                                             \
        return 0;                                                                                  \
    }                                                                                              \
    size_t ZSTDv##version##_decompress_usingDict(void);                                            \
    size_t ZSTDv##version##_decompress_usingDict(void) {                                           \
        return (size_t)-1;                                                                         \
    }                                                                                              \
    size_t ZSTDv##version##_getFrameParams(void);                                                  \
    size_t ZSTDv##version##_getFrameParams(void) {                                                 \
        return (size_t)-1;                                                                         \
    }                                                                                              \
    size_t ZBUFFv##version##_freeDCtx(void *context);                                              \
    size_t ZBUFFv##version##_freeDCtx(void *context) {                                             \
        (void)context;                                                                             \
        return 0;                                                                                  \
    }                                                                                              \
    void *ZBUFFv##version##_createDCtx(void);                                                      \
    void *ZBUFFv##version##_createDCtx(void) {                                                     \
        return NULL;                                                                               \
    }                                                                                              \
    size_t ZBUFFv##version##_decompressInitDictionary(void);                                       \
    size_t ZBUFFv##version##_decompressInitDictionary(void) {                                      \
        return (size_t)-1;                                                                         \
    }                                                                                              \
    size_t ZBUFFv##version##_decompressContinue(void);                                             \
    size_t ZBUFFv##version##_decompressContinue(void) {                                            \
        return (size_t)-1;                                                                         \
    }
OLD_ZSTD(05)
OLD_ZSTD(06)
OLD_ZSTD(07)

/* How long a frame of one of these formats is, for which there is no answer. */
#define OLD_ZSTD_SIZE(version)                                                                     \
    void ZSTDv##version##_findFrameSizeInfoLegacy(const void *data, size_t size, size_t *ret_size, \
                                                  unsigned long long *ret_bound);                  \
    void ZSTDv##version##_findFrameSizeInfoLegacy(const void *data, size_t size, size_t *ret_size, \
                                                  unsigned long long *ret_bound) {                 \
        (void)data;                                                                                \
        (void)size;                                                                                \
        *ret_size = (size_t)-1;                                                                    \
        *ret_bound = (unsigned long long)-2;                                                       \
    }
OLD_ZSTD_SIZE(05)
OLD_ZSTD_SIZE(06)
OLD_ZSTD_SIZE(07)

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
    struct sha256 sha256;
};

/* Nothing but its address counts. */
struct evp_md_st {
    int unused;
};
static const EVP_MD sha256_type;

static const EVP_MD *type_sha256(void) {
    return &sha256_type;
}

static const EVP_MD *type_sha512(void) {
    return NULL;
}

static EVP_MD_CTX *context_new(void) {
    return calloc(1, sizeof(EVP_MD_CTX));
}

static void context_free(EVP_MD_CTX *context) {
    free(context);
}

static int digest_init(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine) {
    (void)engine;
    if (!type)
        return 0;
    sha256_init(&context->sha256);
    return 1;
}

static int digest_update(EVP_MD_CTX *context, const void *data, size_t size) {
    sha256_update(&context->sha256, data, size);
    return 1;
}

static int digest_final(EVP_MD_CTX *context, unsigned char *ret_bytes, unsigned *ret_n) {
    sha256_final(&context->sha256, ret_bytes);
    *ret_n = SHA256_BYTES;
    return 1;
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
