/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tars that we make: plain ustar headers, and before those that are not enough
 * an extended one with just what is missing.  No names of users and groups,
 * no clock, no counters: an image that is saved twice is the same twice.
 */
#include "tar_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Spec: POSIX.1-2017, pax, "ustar Header Block". */
struct ustar {
    char name[100];
    char mode[8];
    char uid[8];
    char gid[8];
    char size[12];
    char mtime[12];
    char checksum[8];
    char type;
    char link[100];
    char magic[8]; /* and version */
    char user[32];
    char group[32];
    char major[8];
    char minor[8];
    char prefix[155];
    char rest[12];
};

/* What fits into seven and eleven octal digits. */
#define SMALL_MAX UINT64_C(07777777)
#define LARGE_MAX UINT64_C(077777777777)

static void put_octal(char *field, size_t size, uint64_t value, uint64_t max) {
    char text[32];

    snprintf(text, sizeof text, "%0*" PRIo64, (int)size - 1, value <= max ? value : 0);
    memcpy(field, text, size);
}

/* As much of a text as fits; the whole of it stands in the extended header then. */
static void put_text(char *field, size_t size, const char *text) {
    memcpy(field, text, strnlen(text, size));
}

static void put_block(struct buf *buf, const struct tar_header *h, const char *path, char type,
                      uint64_t size) {
    struct ustar block = {.type = type, .magic = "ustar\0" /* then the version */ "00"};
    unsigned sum = 0;

    _Static_assert(sizeof block == TAR_BLOCK_BYTES, "a header is one block");
    put_text(block.name, sizeof block.name, path);
    put_octal(block.mode, sizeof block.mode, h->mode & 07777, SMALL_MAX);
    put_octal(block.uid, sizeof block.uid, h->uid, SMALL_MAX);
    put_octal(block.gid, sizeof block.gid, h->gid, SMALL_MAX);
    put_octal(block.size, sizeof block.size, size, LARGE_MAX);
    put_octal(block.mtime, sizeof block.mtime, h->mtime.tv_sec < 0 ? 0 : (uint64_t)h->mtime.tv_sec,
              LARGE_MAX);
    if (h->link && type == h->type)
        put_text(block.link, sizeof block.link, h->link);
    put_octal(block.major, sizeof block.major, 0, 0);
    put_octal(block.minor, sizeof block.minor, 0, 0);
    memset(block.checksum, ' ', sizeof block.checksum);
    for (size_t i = 0; i < sizeof block; i++)
        sum += ((const unsigned char *)&block)[i];
    put_octal(block.checksum, 7, sum, SMALL_MAX);
    buf_append(buf, &block, sizeof block);
}

void tar_header_record(struct buf *records, const char *key, const void *value, size_t size) {
    size_t n = strlen(key) + size + 3, digits = 1;

    /* " KEY=VALUE\n" and as many digits as it takes to say all of it. */
    for (size_t limit = 10; n + digits >= limit; limit *= 10)
        digits++;
    buf_printf(records, "%zu %s=", n + digits, key);
    buf_append(records, value, size);
    buf_puts(records, "\n");
}

static void record_number(struct buf *records, const char *key, uint64_t value) {
    char text[32];
    int n = snprintf(text, sizeof text, "%" PRIu64, value);

    tar_header_record(records, key, text, (size_t)n);
}

/* Seconds with a fraction; before the epoch the fraction counts towards it. */
static void record_time(struct buf *records, struct timespec t) {
    char text[64];
    int64_t sec = t.tv_sec, nsec = t.tv_nsec;
    int n;

    if (sec < 0 && nsec > 0) {
        sec++;
        nsec = 1000000000 - nsec;
    }
    n = snprintf(text, sizeof text, "%s%" PRId64 ".%09" PRId64, t.tv_sec < 0 && sec == 0 ? "-" : "",
                 sec, nsec);
    tar_header_record(records, "mtime", text, (size_t)n);
}

static void extend(const struct tar_header *h, struct buf *records) {
    if (strlen(h->path) > sizeof((struct ustar *)0)->name)
        tar_header_record(records, "path", h->path, strlen(h->path));
    if (h->link && strlen(h->link) > sizeof((struct ustar *)0)->link)
        tar_header_record(records, "linkpath", h->link, strlen(h->link));
    if (h->size > LARGE_MAX)
        record_number(records, "size", h->size);
    if (h->uid > SMALL_MAX)
        record_number(records, "uid", h->uid);
    if (h->gid > SMALL_MAX)
        record_number(records, "gid", h->gid);
    if (h->mtime.tv_nsec != 0 || h->mtime.tv_sec < 0 || (uint64_t)h->mtime.tv_sec > LARGE_MAX)
        record_time(records, h->mtime);
    if (h->records && h->records->size > 0)
        buf_append(records, h->records->data, h->records->size);
    if (h->records)
        records->failed |= h->records->failed;
}

void tar_header_encode(const struct tar_header *header, struct buf *buf) {
    struct buf records = BUF_INIT;

    extend(header, &records);
    if (records.size > 0) {
        struct tar_header plain = *header;

        plain.mode = 0644;
        plain.mtime = (struct timespec){0};
        put_block(buf, &plain, "PaxHeaders/entry", 'x', records.size);
        buf_append(buf, records.data, records.size);
        tar_header_pad(buf, records.size);
    }
    buf->failed |= records.failed;
    put_block(buf, header, header->path, header->type, header->size);
    buf_done(&records);
}

void tar_header_pad(struct buf *buf, uint64_t size) {
    static const char zeros[TAR_BLOCK_BYTES];

    buf_append(buf, zeros, (size_t)(-size & (TAR_BLOCK_BYTES - 1)));
}

void tar_header_end(struct buf *buf) {
    static const char zeros[2 * TAR_BLOCK_BYTES];

    buf_append(buf, zeros, sizeof zeros);
}
