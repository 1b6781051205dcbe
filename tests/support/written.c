/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's dm-log-writes has recorded: every write to a block device,
 * in the order in which they became durable (a write that no flush has followed
 * is not in it), and marks.  A device that gets the first of them is what it
 * was when the power had gone at that moment.
 *
 *   written LOG                      prints "INDEX NAME" for each mark, then "COUNT end"
 *   written LOG DEVICE FROM TO       writes the entries from FROM up to, without, TO
 *
 * Spec: the kernel's Documentation/admin-guide/device-mapper/log-writes.rst and
 * drivers/md/dm-log-writes.c, from which the layout is known: a sector with the
 * head of the log, then for each entry a sector and its data.  Numbers are
 * little-endian.
 */
#include <endian.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC 0x6a736677736872ULL

enum { FLAG_DISCARD = 1 << 2, FLAG_MARK = 1 << 3 };

struct head {
    uint64_t magic_le;
    uint64_t version_le;
    uint64_t n_entries_le;
    uint32_t sector_bytes_le;
};

struct entry {
    uint64_t sector_le;
    uint64_t n_sectors_le;
    uint64_t flags_le;
    uint64_t data_bytes_le;
};

static void read_at(int fd, void *data, size_t size, off_t offset) {
    if (pread(fd, data, size, offset) != (ssize_t)size)
        err(2, "cannot read the log at %lld", (long long)offset);
}

/* The data, of @size bytes, lie at @offset of the log. */
static void apply(int log, int device, const struct entry *entry, off_t offset, size_t size,
                  uint32_t sector) {
    char *data = calloc(1, size ? size : 1);

    if (!data)
        errx(2, "out of memory");
    /* What is discarded may read as anything; zeros are the unkindest. */
    if ((le64toh(entry->flags_le) & FLAG_DISCARD) == 0)
        read_at(log, data, size, offset);
    if (pwrite(device, data, size, (off_t)(le64toh(entry->sector_le) * sector)) != (ssize_t)size)
        err(2, "cannot write");
    free(data);
}

int main(int argc, char **argv) {
    unsigned long from = 0, to = 0;
    int log, device = -1;
    struct head head;
    off_t offset;
    uint32_t sector;

    if (argc != 2 && argc != 5)
        errx(2, "usage: written LOG [DEVICE FROM TO]");
    log = open(argv[1], O_RDONLY | O_CLOEXEC);
    if (argc == 5) {
        device = open(argv[2], O_WRONLY | O_CLOEXEC);
        from = strtoul(argv[3], NULL, 10);
        to = strtoul(argv[4], NULL, 10);
    }
    if (log < 0 || (argc == 5 && device < 0))
        err(2, "cannot open");
    read_at(log, &head, sizeof head, 0);
    sector = le32toh(head.sector_bytes_le);
    if (le64toh(head.magic_le) != MAGIC || sector < 512 || sector > 1 << 16)
        errx(2, "%s is no log of writes", argv[1]);
    offset = sector;
    for (uint64_t i = 0; i < le64toh(head.n_entries_le); i++) {
        uint64_t flags, n;
        struct entry entry;

        read_at(log, &entry, sizeof entry, offset);
        flags = le64toh(entry.flags_le);
        n = flags & FLAG_MARK ? 0 : le64toh(entry.n_sectors_le) * sector;
        if (device < 0 && flags & FLAG_MARK) {
            char name[256] = "";
            uint64_t size = le64toh(entry.data_bytes_le);

            read_at(log, name, size < sizeof name ? size : sizeof name - 1,
                    offset + (off_t)sizeof entry);
            printf("%llu %s\n", (unsigned long long)i, name);
        }
        offset += sector;
        if (device >= 0 && n > 0 && i >= from && i < to)
            apply(log, device, &entry, offset, n, sector);
        if ((flags & FLAG_DISCARD) == 0)
            offset += (off_t)n;
    }
    if (device < 0)
        printf("%llu end\n", (unsigned long long)le64toh(head.n_entries_le));
    else if (fsync(device) < 0)
        err(2, "cannot sync");
    return 0;
}
