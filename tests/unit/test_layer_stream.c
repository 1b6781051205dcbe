/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"
#include "rootfs/layer_stream.h"
#include "scratch.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* A stream over a file with that content; the file stays open in @blob. */
static struct layer_stream *open_stream(struct scratch *scratch, const struct buf *data,
                                        struct blob *blob, struct layer_limits *limits) {
    struct layer_stream *stream = NULL;
    struct err err = {0};

    scratch_write(scratch, "blob", data->data, data->size);
    *blob = (struct blob){
        .fd = openat(scratch->fd, "blob", O_RDONLY | O_CLOEXEC),
        .end = BLOB_TO_THE_END,
    };
    cr_assert_eq(layer_stream_new(&stream, blob, DIGEST_SHA256, DIGEST_SHA512, limits, &err), 0,
                 "%s", err.message);
    return stream;
}

static void close_stream(struct layer_stream *stream, struct blob *blob) {
    layer_stream_free(stream);
    blob_done(blob);
}

/* Some megabytes, more than the ring holds. */
static void fill(struct buf *tar) {
    tarball_file(tar, "f", "x");
    for (int i = 0; tar->size < (5U << 20); i++)
        buf_printf(tar, "%0512d", i);
    tarball_end(tar);
}

Test(layer_stream, gives_the_bytes_and_their_sums) {
    _cleanup_scratch_ struct scratch scratch;
    struct layer_limits limits = {.bytes_left = 1 << 30};
    struct buf tar = BUF_INIT, packed = BUF_INIT, back = BUF_INIT;
    struct digest blob_digest, diff_digest;
    struct layer_stream *stream;
    struct layer_sums sums;
    struct blob blob;
    const void *data;
    ssize_t n;

    scratch_init(&scratch);
    fill(&tar);
    tarball_compress("gzip", tar.data, tar.size, &packed);
    stream = open_stream(&scratch, &packed, &blob, &limits);
    while ((n = layer_stream_read(stream, &data, NULL)) > 0)
        buf_append(&back, data, (size_t)n);
    cr_assert_eq(n, 0);
    cr_assert_eq(back.size, tar.size);
    cr_assert_eq(memcmp(back.data, tar.data, tar.size), 0);
    cr_assert_eq(layer_stream_drain(stream, &sums, NULL), 0);
    digest_bytes(DIGEST_SHA256, packed.data, packed.size, &blob_digest, NULL);
    digest_bytes(DIGEST_SHA512, tar.data, tar.size, &diff_digest, NULL);
    cr_assert(digest_eq(&sums.blob, &blob_digest));
    cr_assert(digest_eq(&sums.diff, &diff_digest));
    cr_assert_eq(sums.blob_bytes, packed.size);
    cr_assert_eq(sums.diff_bytes, tar.size);
    cr_assert(sums.ends_in_zeros);
    cr_assert_eq(limits.bytes_left, (1 << 30) - (int64_t)tar.size);
    close_stream(stream, &blob);
    buf_done(&tar);
    buf_done(&packed);
    buf_done(&back);
}

Test(layer_stream, can_be_left_at_any_time) {
    _cleanup_scratch_ struct scratch scratch;
    struct buf tar = BUF_INIT;

    scratch_init(&scratch);
    fill(&tar);
    for (int n_reads = 0; n_reads < 12; n_reads++) {
        struct layer_limits limits = {.bytes_left = 1 << 30};
        struct blob blob;
        struct layer_stream *stream = open_stream(&scratch, &tar, &blob, &limits);
        const void *data;

        for (int i = 0; i < n_reads; i++)
            cr_assert_gt(layer_stream_read(stream, &data, NULL), 0);
        close_stream(stream, &blob);
    }
    buf_done(&tar);
}

Test(layer_stream, knows_a_tar_without_an_end) {
    _cleanup_scratch_ struct scratch scratch;
    struct layer_limits limits = {.bytes_left = 1 << 30};
    struct buf tar = BUF_INIT;
    struct layer_stream *stream;
    struct layer_sums sums;
    struct blob blob;

    scratch_init(&scratch);
    fill(&tar);
    tar.size -= 1;
    stream = open_stream(&scratch, &tar, &blob, &limits);
    cr_assert_eq(layer_stream_drain(stream, &sums, NULL), 0);
    cr_assert(!sums.ends_in_zeros);
    close_stream(stream, &blob);
    buf_done(&tar);
}

Test(layer_stream, keeps_to_the_limit) {
    _cleanup_scratch_ struct scratch scratch;
    struct layer_limits limits = {.bytes_left = 3 << 20};
    struct buf tar = BUF_INIT;
    struct layer_stream *stream;
    struct layer_sums sums;
    struct err err = {0};
    struct blob blob;

    scratch_init(&scratch);
    fill(&tar);
    stream = open_stream(&scratch, &tar, &blob, &limits);
    cr_assert_eq(layer_stream_drain(stream, &sums, &err), -EFBIG);
    cr_assert_not_null(strstr(err.message, "limit"));
    close_stream(stream, &blob);
    buf_done(&tar);
}

Test(layer_stream, refuses_a_bomb) {
    _cleanup_scratch_ struct scratch scratch;
    struct layer_limits limits = {.bytes_left = INT64_C(64) << 30};
    struct buf zeros = BUF_INIT, once = BUF_INIT, bomb = BUF_INIT;
    struct layer_stream *stream;
    struct layer_sums sums;
    struct err err = {0};
    struct blob blob;

    scratch_init(&scratch);
    /* 2 GiB of zeros: members of 4 MiB, one of which is made. */
    for (int i = 0; i < 4 << 10; i++)
        buf_append(&zeros, (const char[1024]){0}, 1024);
    tarball_compress("gzip", zeros.data, zeros.size, &once);
    for (int i = 0; i < 512; i++)
        buf_append(&bomb, once.data, once.size);
    stream = open_stream(&scratch, &bomb, &blob, &limits);
    cr_assert_eq(layer_stream_drain(stream, &sums, &err), -EFBIG);
    cr_assert_not_null(strstr(err.message, "times its size"), "%s", err.message);
    close_stream(stream, &blob);
    buf_done(&zeros);
    buf_done(&once);
    buf_done(&bomb);
}

Test(layer_stream, ends_when_another_layer_failed) {
    _cleanup_scratch_ struct scratch scratch;
    struct layer_limits limits = {.bytes_left = 1 << 30, .cancelled = 1};
    struct buf tar = BUF_INIT;
    struct layer_stream *stream;
    struct layer_sums sums;
    struct blob blob;

    scratch_init(&scratch);
    fill(&tar);
    stream = open_stream(&scratch, &tar, &blob, &limits);
    cr_assert_eq(layer_stream_drain(stream, &sums, NULL), -ECANCELED);
    close_stream(stream, &blob);
    buf_done(&tar);
}
