/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decompression, by whoever does it best: gzip by ISA-L, four times as fast as
 * zlib, where the machine has it; everything else by libarchive's filters, read
 * through its "raw" format; a tar that is not compressed passes as it is.
 *
 * libarchive's filters that run a program (lzop, lrzip, grzip) are left out: an
 * image has no say in what is executed here.
 *
 * A gzip file may be several members one after the other (pigz, dictzip and
 * layers of "stargz" are), and zeros may follow the last, from tapes.
 */
#include "inflate.h"

#include "engine/base/cleanup.h"
#include "lazy_archive.h"
#include "lazy_isal.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { IN_BYTES = 256 << 10 };

struct inflate {
    struct inflate_source source;
    ssize_t (*read)(struct inflate *inflate, void *data, size_t size, struct err *err);
    /* Bytes that were read and not decompressed yet. */
    size_t in_start;
    size_t in_end;
    bool in_ended;
    const struct lazy_isal *isal;
    struct inflate_state *gzip;
    bool gzip_done; /* a member ended; another may follow */
    const struct lazy_archive *la;
    struct archive *archive;
    struct err source_err;
    unsigned char in[IN_BYTES];
};

/* Reads more bytes behind those that are there; with none, from the start. */
static int fill(struct inflate *f, struct err *err) {
    ssize_t n;

    if (f->in_start == f->in_end)
        f->in_start = f->in_end = 0;
    if (f->in_ended || f->in_end == sizeof f->in)
        return 0;
    n = f->source.read(f->source.context, f->in + f->in_end, sizeof f->in - f->in_end, err);
    if (n < 0)
        return (int)n;
    f->in_end += (size_t)n;
    f->in_ended = n == 0;
    return 0;
}

static ssize_t read_plain(struct inflate *f, void *data, size_t size, struct err *err) {
    size_t n = f->in_end - f->in_start;

    if (n == 0)
        return f->in_ended ? 0 : f->source.read(f->source.context, data, size, err);
    if (n > size)
        n = size;
    memcpy(data, f->in + f->in_start, n);
    f->in_start += n;
    return (ssize_t)n;
}

/* After a member: 1 when another one begins, 0 when nothing but zeros follows. */
static int next_member(struct inflate *f, struct err *err) {
    for (;;) {
        int r;

        while (f->in_start < f->in_end && f->in[f->in_start] == 0)
            f->in_start++;
        if (f->in_start < f->in_end)
            break;
        if (f->in_ended)
            return 0;
        r = fill(f, err);
        if (r < 0)
            return r;
    }
    if (f->in[f->in_start] != 0x1f)
        return err_set(err, -EBADMSG, "something that is no gzip follows the gzip data");
    f->isal->isal_inflate_reset(f->gzip);
    f->gzip->crc_flag = ISAL_GZIP;
    f->gzip_done = false;
    return 1;
}

static ssize_t read_gzip(struct inflate *f, void *data, size_t size, struct err *err) {
    f->gzip->next_out = data;
    f->gzip->avail_out = (uint32_t)size;
    while (f->gzip->avail_out == size) {
        int r;

        if (f->gzip_done) {
            r = next_member(f, err);
            if (r <= 0)
                return r;
        }
        if (f->in_start == f->in_end) {
            r = fill(f, err);
            if (r < 0)
                return r;
        }
        f->gzip->next_in = f->in + f->in_start;
        f->gzip->avail_in = (uint32_t)(f->in_end - f->in_start);
        r = f->isal->isal_inflate(f->gzip);
        if (r < 0)
            return err_set(err, -EBADMSG, "the gzip data is damaged%s",
                           r == ISAL_INCORRECT_CHECKSUM ? " (wrong checksum)" : "");
        if (f->in_ended && f->gzip->avail_in == 0 && f->gzip->avail_out == size &&
            f->gzip->block_state != ISAL_BLOCK_FINISH)
            return err_set(err, -EBADMSG, "the gzip data is cut short");
        f->in_start = f->in_end - f->gzip->avail_in;
        f->gzip_done = f->gzip->block_state == ISAL_BLOCK_FINISH;
    }
    return (ssize_t)(size - f->gzip->avail_out);
}

static ssize_t archive_source(struct archive *archive, void *context, const void **ret_data) {
    struct inflate *f = context;
    size_t n;

    /* The first call hands over what told the compression. */
    if (f->in_start == f->in_end && fill(f, &f->source_err) < 0) {
        f->la->archive_set_error(archive, EIO, "%s", "the source failed");
        return ARCHIVE_FATAL;
    }
    n = f->in_end - f->in_start;
    *ret_data = f->in + f->in_start;
    f->in_start = f->in_end;
    return (ssize_t)n;
}

static int archive_failed(struct inflate *f, struct err *err) {
    const char *text = f->la->archive_error_string(f->archive);

    if (f->source_err.code < 0)
        return err_set(err, f->source_err.code, "%s", f->source_err.message);
    return err_set(err, -EBADMSG, "the compressed data is damaged or cut short (%s)",
                   text ? text : "no details");
}

static ssize_t read_archive(struct inflate *f, void *data, size_t size, struct err *err) {
    ssize_t n;

    do
        n = f->la->archive_read_data(f->archive, data, size);
    while (n == ARCHIVE_RETRY);
    return n < 0 ? archive_failed(f, err) : n;
}

/*
 * A small build does without some codecs, and libarchive without a library would run a program;
 * @supported is what it says of this one.
 */
static int check_codec(const struct inflate *f, int supported, const char *name, const char *magic,
                       struct err *err) {
    if (supported == ARCHIVE_OK || f->in_end < strlen(magic) ||
        memcmp(f->in, magic, strlen(magic)) != 0)
        return 0;
    return err_set(err, -ENOTSUP,
                   "this build of mayfly cannot read %s: compress it with gzip, xz or zstd", name);
}

static int open_archive(struct inflate *f, struct err *err) {
    struct archive_entry *entry;
    int r, bzip2, lz4;

    f->la = lazy_archive(err);
    if (!f->la)
        return -ENOENT;
    f->archive = f->la->archive_read_new();
    if (!f->archive)
        return err_nomem(err);
    bzip2 = f->la->archive_read_support_filter_bzip2(f->archive);
    f->la->archive_read_support_filter_compress(f->archive);
    f->la->archive_read_support_filter_gzip(f->archive);
    lz4 = f->la->archive_read_support_filter_lz4(f->archive);
    f->la->archive_read_support_filter_lzip(f->archive);
    f->la->archive_read_support_filter_lzma(f->archive);
    f->la->archive_read_support_filter_xz(f->archive);
    f->la->archive_read_support_filter_zstd(f->archive);
    f->la->archive_read_support_format_raw(f->archive);
    f->read = read_archive;
    r = check_codec(f, bzip2, "bzip2", "BZh", err);
    if (r == 0)
        r = check_codec(f, lz4, "lz4", "\x04\x22\x4d\x18", err);
    if (r < 0)
        return r;
    if (f->la->archive_read_open(f->archive, f, NULL, archive_source, NULL) != ARCHIVE_OK)
        return archive_failed(f, err);
    r = f->la->archive_read_next_header(f->archive, &entry);
    return r == ARCHIVE_OK || r == ARCHIVE_WARN ? 0 : archive_failed(f, err);
}

static int open_gzip(struct inflate *f, struct err *err) {
    f->gzip = malloc(sizeof *f->gzip);
    if (!f->gzip)
        return err_nomem(err);
    f->isal->isal_inflate_init(f->gzip);
    f->gzip->crc_flag = ISAL_GZIP;
    f->read = read_gzip;
    return 0;
}

int inflate_new(struct inflate **ret_inflate, const struct inflate_source *source,
                struct err *err) {
    struct inflate *f = malloc(sizeof *f);
    int r = 0;

    if (!f)
        return err_nomem(err);
    memset(f, 0, offsetof(struct inflate, in));
    f->source = *source;
    /* Enough for a tar's first header, where there is as much. */
    while (r == 0 && f->in_end < 512 && !f->in_ended)
        r = fill(f, err);
    if (r == 0 && f->in_end == 0)
        r = err_set(err, -ENODATA, "it is empty");
    else if (r == 0 && f->in_end >= 262 && memcmp(f->in + 257, "ustar", 5) == 0)
        f->read = read_plain;
    else if (r == 0 && f->in_end >= 2 && f->in[0] == 0x1f && f->in[1] == 0x8b &&
             (f->isal = lazy_isal(NULL)))
        r = open_gzip(f, err);
    else if (r == 0)
        r = open_archive(f, err);
    if (r < 0) {
        inflate_free(f);
        return r;
    }
    *ret_inflate = f;
    return 0;
}

ssize_t inflate_read(struct inflate *inflate, void *data, size_t size, struct err *err) {
    return inflate->read(inflate, data, size, err);
}

void inflate_free(struct inflate *inflate) {
    if (!inflate)
        return;
    if (inflate->archive)
        inflate->la->archive_read_free(inflate->archive);
    free(inflate->gzip);
    free(inflate);
}
