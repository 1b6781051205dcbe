/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TAR_HEADER_H
#define MAYFLY_TAR_HEADER_H

#include "engine/base/buf.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

enum { TAR_BLOCK_BYTES = 512 };

/**
 * struct tar_header - an entry of a tar
 * @path: without a leading slash; of a directory with one at the end
 * @type: '0' file, '1' hard link, '2' symbolic link, '5' directory, '6' FIFO
 * @size: of the content that follows
 * @link: target of a link, or NULL
 * @records: PAX records of its own (tar_header_record()), or NULL
 */
struct tar_header {
    const char *path;
    char type;
    mode_t mode;
    uint64_t uid;
    uint64_t gid;
    uint64_t size;
    struct timespec mtime;
    const char *link;
    const struct buf *records;
};

/**
 * tar_header_encode() - append an entry's header blocks
 *
 * What a ustar header cannot say (long names, large numbers, parts of a second) stands in an
 * extended header before it.  The same entry gives the same bytes, always.
 * Spec: POSIX.1-2017, pax, "ustar Interchange Format" and "pax Extended Header".
 */
void tar_header_encode(const struct tar_header *header, struct buf *buf);

/** tar_header_record() - append a PAX record, "LENGTH KEY=VALUE\n"; its length counts itself. */
void tar_header_record(struct buf *records, const char *key, const void *value, size_t size);

/** tar_header_pad() - append zeros up to a full block after a content of @size bytes. */
void tar_header_pad(struct buf *buf, uint64_t size);

/** tar_header_end() - append the two blocks of zeros that end an archive. */
void tar_header_end(struct buf *buf);

#endif
