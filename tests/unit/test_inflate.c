/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/buf.h"
#include "rootfs/inflate.h"
#include "tarball.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* Bytes that arrive in parts of at most @part_bytes. */
struct parts {
    const char *data;
    size_t size;
    size_t part_bytes;
};

static ssize_t read_part(void *context, void *data, size_t size, struct err *err) {
    struct parts *p = context;
    size_t n = p->size < p->part_bytes ? p->size : p->part_bytes;

    (void)err;
    if (n > size)
        n = size;
    memcpy(data, p->data, n);
    p->data += n;
    p->size -= n;
    return (ssize_t)n;
}

/* Decompresses all; 0 or the first error. */
static int inflate_all(const void *data, size_t size, size_t part_bytes, struct buf *ret_data,
                       struct err *err) {
    struct parts parts = {.data = data, .size = size, .part_bytes = part_bytes};
    const struct inflate_source source = {.read = read_part, .context = &parts};
    struct inflate *inflate = NULL;
    char out[5000];
    ssize_t n = inflate_new(&inflate, &source, err);

    while (n >= 0 && (n = inflate_read(inflate, out, sizeof out, err)) > 0)
        buf_append(ret_data, out, (size_t)n);
    inflate_free(inflate);
    return (int)n;
}

/* Content that compresses somewhat, with a tar's look where @as_tar. */
static void fill(struct buf *buf, size_t size, bool as_tar) {
    unsigned x = 1;

    if (as_tar)
        tarball_file(buf, "f", "data");
    while (buf->size < size) {
        x = x * 1103515245 + 12345;
        buf_printf(buf, "%u and again %u\n", x, x % 7);
    }
}

static void assert_same(const struct buf *a, const struct buf *b) {
    cr_assert_eq(a->size, b->size, "%zu bytes where %zu were", a->size, b->size);
    cr_assert_eq(memcmp(a->data, b->data, a->size), 0);
}

Test(inflate, every_compression) {
    static const char *const filters[] = {"gzip", "zstd", "xz",       "bzip2",
                                          "lz4",  "lzma", "compress", "lzip"};
    struct buf plain = BUF_INIT;

    fill(&plain, 700000, true);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct buf packed = BUF_INIT, back = BUF_INIT;
        struct err err = {0};

        tarball_compress(filters[i], plain.data, plain.size, &packed);
        cr_assert_lt(packed.size, plain.size);
        cr_assert_eq(inflate_all(packed.data, packed.size, 60000, &back, &err), 0, "%s: %s",
                     filters[i], err.message);
        assert_same(&back, &plain);
        buf_done(&packed);
        buf_done(&back);
    }
    buf_done(&plain);
}

Test(inflate, none) {
    struct buf plain = BUF_INIT, back = BUF_INIT;

    fill(&plain, 300000, true);
    cr_assert_eq(inflate_all(plain.data, plain.size, 1000, &back, NULL), 0);
    assert_same(&back, &plain);
    buf_done(&plain);
    buf_done(&back);
    /* Not even a tar: that is for others to say. */
    cr_assert_eq(inflate_all("short", 5, 1, &back, NULL), 0);
    cr_assert_eq(back.size, 5);
    buf_done(&back);
}

Test(inflate, an_empty_source_is_named) {
    struct buf back = BUF_INIT;
    struct err err = {0};

    cr_assert_eq(inflate_all("", 0, 1, &back, &err), -ENODATA);
    cr_assert_not_null(strstr(err.message, "empty"));
}

Test(inflate, gzip_of_several_members_in_parts_of_any_size) {
    struct buf plain = BUF_INIT, packed = BUF_INIT;

    for (int i = 0; i < 5; i++) {
        struct buf part = BUF_INIT;

        fill(&part, 100 + (size_t)i * 3000, false);
        tarball_compress("gzip", part.data, part.size, &packed);
        buf_append(&plain, part.data, part.size);
        buf_done(&part);
    }
    for (size_t part_bytes = 1; part_bytes < 64; part_bytes++) {
        struct buf back = BUF_INIT;
        struct err err = {0};

        cr_assert_eq(inflate_all(packed.data, packed.size, part_bytes, &back, &err), 0, "%s",
                     err.message);
        assert_same(&back, &plain);
        buf_done(&back);
    }
    buf_done(&plain);
    buf_done(&packed);
}

Test(inflate, gzip_of_an_empty_member) {
    struct buf packed = BUF_INIT, back = BUF_INIT;

    tarball_compress("gzip", "", 0, &packed);
    tarball_compress("gzip", "abc", 3, &packed);
    tarball_compress("gzip", "", 0, &packed);
    cr_assert_eq(inflate_all(packed.data, packed.size, 7, &back, NULL), 0);
    cr_assert_eq(back.size, 3);
    buf_done(&packed);
    buf_done(&back);
}

Test(inflate, zeros_after_gzip_are_padding_and_anything_else_is_not) {
    struct buf packed = BUF_INIT, back = BUF_INIT;
    struct err err = {0};

    tarball_compress("gzip", "abc", 3, &packed);
    for (int i = 0; i < 1000; i++)
        buf_append(&packed, "", 1);
    cr_assert_eq(inflate_all(packed.data, packed.size, 64, &back, NULL), 0);
    cr_assert_eq(back.size, 3);
    buf_puts(&packed, "tail");
    cr_assert_eq(inflate_all(packed.data, packed.size, 64, &back, &err), -EBADMSG);
    buf_done(&packed);
    buf_done(&back);
}

Test(inflate, gzip_cut_anywhere_is_an_error) {
    struct buf plain = BUF_INIT, packed = BUF_INIT;

    fill(&plain, 3000, false);
    tarball_compress("gzip", plain.data, plain.size, &packed);
    for (size_t n = 2; n < packed.size; n++) {
        struct buf back = BUF_INIT;
        struct err err = {0};

        cr_assert_eq(inflate_all(packed.data, n, 4096, &back, &err), -EBADMSG, "%zu of %zu bytes",
                     n, packed.size);
        buf_done(&back);
    }
    buf_done(&plain);
    buf_done(&packed);
}

Test(inflate, damage_is_an_error) {
    static const char *const filters[] = {"gzip", "zstd", "xz", "bzip2"};
    struct buf plain = BUF_INIT;

    fill(&plain, 200000, false);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        struct buf packed = BUF_INIT, back = BUF_INIT;
        struct err err = {0};

        tarball_compress(filters[i], plain.data, plain.size, &packed);
        for (size_t k = packed.size / 2; k < packed.size / 2 + 50; k++)
            packed.data[k] = (char)~packed.data[k];
        cr_assert_lt(inflate_all(packed.data, packed.size, 4096, &back, &err), 0, "%s", filters[i]);
        cr_assert_neq(err.message[0], '\0');
        buf_done(&packed);
        buf_done(&back);
    }
    buf_done(&plain);
}

static ssize_t fail_second(void *context, void *data, size_t size, struct err *err) {
    int *n_calls = context;

    if ((*n_calls)++ > 0)
        return err_set(err, -ENETDOWN, "the source says so");
    memset(data, 'x', size < 600 ? size : 600);
    return size < 600 ? (ssize_t)size : 600;
}

Test(inflate, a_sources_error_is_forwarded) {
    int n_calls = 0;
    const struct inflate_source source = {.read = fail_second, .context = &n_calls};
    struct inflate *inflate = NULL;
    struct err err = {0};
    char out[4096];
    ssize_t n = inflate_new(&inflate, &source, &err);

    while (n >= 0 && (n = inflate_read(inflate, out, sizeof out, &err)) > 0)
        ;
    inflate_free(inflate);
    cr_assert_eq(n, -ENETDOWN);
    cr_assert_str_eq(err.message, "the source says so");
}
