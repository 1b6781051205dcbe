/* SPDX-License-Identifier: Apache-2.0 */
/* Tars made by hand, so that they can be wrong in any way. */
#include "tarball.h"

#include "engine/base/str.h"
#include "rootfs/lazy.h"

#include <archive.h>
#include <archive_entry.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { BLOCK = 512 };

/* What tarball_pax() has for the next entry. */
static struct buf records;

static void pad(struct buf *tar) {
    static const char zeros[BLOCK];

    buf_append(tar, zeros, (BLOCK - tar->size % BLOCK) % BLOCK);
}

/* Octal where it fits, the base-256 form of GNU tar where it does not. */
static void put_number(char *field, size_t size, uint64_t value) {
    if (value >> (3 * (size - 1)) == 0) {
        snprintf(field, size, "%0*llo", (int)size - 1, (unsigned long long)value);
        return;
    }
    for (size_t i = size; i-- > 0; value >>= 8)
        field[i] = (char)(value & 0xff);
    field[0] = (char)(field[0] | 0x80);
}

static void put_entry(struct buf *tar, const struct tar_entry *entry) {
    size_t n = entry->data_bytes ? entry->data_bytes : entry->data ? strlen(entry->data) : 0;
    unsigned mode = entry->mode ? entry->mode : entry->type == '5' ? 0755 : 0644;
    char header[BLOCK] = {0};
    unsigned sum = 0;

    (void)memccpy(header, entry->name, 0, 100);
    put_number(header + 100, 8, mode);
    put_number(header + 108, 8, entry->uid);
    put_number(header + 116, 8, entry->gid);
    put_number(header + 124, 12, entry->size ? entry->size : n);
    put_number(header + 136, 12, entry->mtime);
    memset(header + 148, ' ', 8);
    header[156] = entry->type ? entry->type : '0';
    if (entry->link)
        (void)memccpy(header + 157, entry->link, 0, 100);
    memcpy(header + 257, "ustar\00000", 8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)header[i];
    snprintf(header + 148, 8, "%06o", sum & 0777777);
    header[155] = ' ';
    buf_append(tar, header, BLOCK);
    buf_append(tar, entry->data ? entry->data : "", n);
    pad(tar);
}

void tarball_add(struct buf *tar, const struct tar_entry *entry) {
    if (records.size > 0)
        put_entry(
            tar, &(struct tar_entry){
                     .name = "pax", .type = 'x', .data = records.data, .data_bytes = records.size});
    buf_done(&records);
    put_entry(tar, entry);
}

void tarball_file(struct buf *tar, const char *name, const char *data) {
    tarball_add(tar, &(struct tar_entry){.name = name, .data = data});
}

void tarball_pax(const char *key, const void *value, size_t size) {
    size_t bare = strlen(key) + size + 3, length = bare;

    /* The length counts its own digits. */
    for (size_t before = 0; before != length;) {
        before = length;
        length = bare + (size_t)snprintf(NULL, 0, "%zu", length);
    }
    buf_printf(&records, "%zu %s=", length, key);
    buf_append(&records, value, size);
    buf_puts(&records, "\n");
}

void tarball_end(struct buf *tar) {
    static const char zeros[2 * BLOCK];

    buf_append(tar, zeros, sizeof zeros);
}

#define LAZY_WRITER(X)                                                                             \
    X(archive_write_new)                                                                           \
    X(archive_write_free)                                                                          \
    X(archive_write_close)                                                                         \
    X(archive_write_add_filter_by_name)                                                            \
    X(archive_write_set_format_raw)                                                                \
    X(archive_write_set_bytes_in_last_block)                                                       \
    X(archive_write_open)                                                                          \
    X(archive_write_header)                                                                        \
    X(archive_write_data)                                                                          \
    X(archive_entry_new)                                                                           \
    X(archive_entry_free)                                                                          \
    X(archive_entry_set_filetype)

struct lazy_writer {
    LAZY_WRITER(LAZY_MEMBER)
};

const struct lazy_writer *lazy_writer(struct err *err);

LAZY_DEFINE(lazy_writer, LAZY_WRITER, "libarchive.so.13", "libarchive13")

static ssize_t write_callback(struct archive *archive, void *context, const void *data,
                              size_t size) {
    (void)archive;
    buf_append(context, data, size);
    return (ssize_t)size;
}

void tarball_compress(const char *filter, const void *data, size_t size, struct buf *ret_data) {
    const struct lazy_writer *la = lazy_writer(NULL);
    struct archive_entry *entry;
    struct archive *archive;

    cr_assert_not_null(la);
    archive = la->archive_write_new();
    entry = la->archive_entry_new();
    la->archive_entry_set_filetype(entry, AE_IFREG);
    cr_assert_eq(la->archive_write_add_filter_by_name(archive, filter), ARCHIVE_OK, "%s", filter);
    cr_assert_eq(la->archive_write_set_format_raw(archive), ARCHIVE_OK);
    la->archive_write_set_bytes_in_last_block(archive, 1);
    cr_assert_eq(la->archive_write_open(archive, ret_data, NULL, write_callback, NULL), ARCHIVE_OK);
    cr_assert_eq(la->archive_write_header(archive, entry), ARCHIVE_OK);
    cr_assert_eq(la->archive_write_data(archive, data, size), (la_ssize_t)size);
    cr_assert_eq(la->archive_write_close(archive), ARCHIVE_OK);
    la->archive_entry_free(entry);
    la->archive_write_free(archive);
}
