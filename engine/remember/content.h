/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONTENT_H
#define MAYFLY_CONTENT_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/base/sha256.h"
#include "rootfs/store.h"

#include <stdint.h>

/**
 * struct content - what a file, or a directory with all that is in it, holds
 * @hex: one digest of every entry's path, type, mode and size, of files' bytes and of links'
 * targets
 * @n_entries: how many
 * @n_read: files that had to be read, since nothing was known of them or they have changed
 * @list: the entries with their digests, as content_keep() writes them
 *
 * Owners and times are not in it: touching a file changes nothing.
 */
struct content {
    char hex[SHA256_HEX_BYTES];
    uint64_t n_entries;
    uint64_t n_read;
    struct buf list;
};

#define CONTENT_INIT ((struct content){0})

void content_done(struct content *content);

#define _cleanup_content_ __attribute__((cleanup(content_done)))

/**
 * content_scan() - find out what a path holds
 * @store: has the index of what was found before (inputs/), by which a file whose stat data are
 *         the same is not read again
 * @path: absolute; a symbolic link at its end is followed
 *
 * A FIFO, socket or device is known by its type and mode; as @path itself it is refused, since what
 * comes through it cannot be known.
 * Context: host, with the rights of whoever runs mayfly.
 * Return: 0, -EINVAL for such a @path, or another -errno, with a text that names the file.
 */
int content_scan(const struct store *store, const char *path, struct content *ret_content,
                 struct err *err);

/**
 * content_keep() - keep the list in the store under its digest, for content_difference()
 *
 * Return: 0 or -errno with a text.
 */
int content_keep(const struct store *store, const struct content *content, struct err *err);

/**
 * content_difference() - name what differs between two contents
 * @hex: of one that was kept
 * @ret_text: "src/main.c changed", "a.h is new", "b.h is gone", "3 files changed, among them
 *            src/main.c"; "" when they are the same or the list is no longer there
 */
void content_difference(const struct store *store, const char *hex, const struct content *content,
                        struct buf *ret_text);

#endif
