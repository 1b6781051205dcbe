/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_TARBALL_H
#define MAYFLY_TEST_TARBALL_H

#include "engine/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/**
 * struct tar_entry - one entry, written as it is told, however wrong
 * @name: at most 100 bytes; longer ones with tarball_pax()
 * @type: as in the header: '0' file (also for 0), '1' hard link, '2' symlink, '5' directory ...
 * @mode: 0: 0644, of a directory 0755
 * @size: what the header says, when that is not @data's size
 */
struct tar_entry {
    const char *name;
    char type;
    unsigned mode;
    unsigned uid;
    unsigned gid;
    uint64_t mtime;
    const char *link;
    const char *data;
    size_t data_bytes; /* 0: strlen(@data) */
    uint64_t size;
};

/** tarball_add() - append an entry. */
void tarball_add(struct buf *tar, const struct tar_entry *entry);

/** tarball_file() - append a file of mode 0644. */
void tarball_file(struct buf *tar, const char *name, const char *data);

/** tarball_pax() - a record that overrides something of the next entry. */
void tarball_pax(const char *key, const void *value, size_t size);

/** tarball_end() - append the end mark. */
void tarball_end(struct buf *tar);

/**
 * tarball_compress() - a compressed copy
 * @filter: "gzip", "zstd", "xz", "bzip2", "lz4", "lzma", "compress" or "lzip"
 * @ret_data: appended to
 */
void tarball_compress(const char *filter, const void *data, size_t size, struct buf *ret_data);

#endif
