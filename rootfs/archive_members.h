/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ARCHIVE_MEMBERS_H
#define MAYFLY_ARCHIVE_MEMBERS_H

#include "blob.h"
#include "engine/base/err.h"
#include "store.h"

#include <stddef.h>
#include <stdint.h>

/** An archive with more members than this is refused. */
#define ARCHIVE_MEMBERS_MAX 65536

/** struct archive_member - a file in a tar, or a link to one */
struct archive_member {
    char *name; /* normalised */
    char *link; /* of a link: the name it leads to; else NULL */
    uint64_t offset;
    uint64_t size;
};

/**
 * struct archive_members - a tar with files in it that are wanted by name
 * @fd: owned; the uncompressed tar
 * @items: in the archive's order; of one name the last counts
 */
struct archive_members {
    int fd;
    struct archive_member *items;
    size_t n;
};

#define ARCHIVE_MEMBERS_INIT ((struct archive_members){.fd = -1})

/**
 * archive_members_open() - find out where in a tar its files are
 * @fd: the archive, a regular file, owned from here on; compressed, it is first decompressed to a
 *      nameless file in the store
 *
 * Return: 0 or -errno with a text.
 */
int archive_members_open(struct archive_members *ret_members, const struct store *store, int fd,
                         struct err *err);

/**
 * archive_members_blob() - open a file of the archive, also through links
 * Return: 0, or -ENOENT with a text.
 */
int archive_members_blob(const struct archive_members *members, const char *name,
                         struct blob *ret_blob, struct err *err);

void archive_members_done(struct archive_members *members);

#endif
