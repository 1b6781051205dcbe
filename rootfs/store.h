/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STORE_H
#define MAYFLY_STORE_H

#include "engine/base/err.h"

/**
 * enum store_owners - whose ids the files of a store's layers carry
 *
 * Each kind has a directory of its own below the store, since a layer that was
 * unpacked under one cannot serve another.
 */
enum store_owners {
    STORE_OWNERS_ROOT,   /* ids as in the image; root unpacks */
    STORE_OWNERS_SUBUID, /* ids as in the image, shifted by a user namespace's maps */
    STORE_OWNERS_SINGLE, /* everything belongs to the one user */
};

/**
 * struct store - where images and runs are kept
 * @fd: O_PATH descriptor of the kind's directory, which has layers/ images/ index/ tmp/ runs/
 * @path: its absolute path
 * @owners: the kind
 */
struct store {
    int fd;
    char *path;
    enum store_owners owners;
};

#define STORE_INIT ((struct store){.fd = -1})

/**
 * store_open() - open a store, making what is missing of it
 * @path: its directory; NULL: $MAYFLY_STORE, else /var/lib/mayfly for root,
 *        else $XDG_DATA_HOME/mayfly, else ~/.local/share/mayfly
 *
 * Directories are made with mode 0700.  On the way of a run: as few system calls as can be.
 * Return: 0 or -errno with a text that names the directory and the mend.
 */
int store_open(struct store *store, const char *path, enum store_owners owners, struct err *err);

void store_close(struct store *store);

/**
 * store_clean() - remove what imports that were killed left in tmp/
 *
 * An import holds a flock(2) on its directory in tmp/; one that nobody holds is a leaving.
 * Entries that cannot be removed by this process (they belong to subordinate ids) are counted.
 * Costs one directory read when there is nothing.
 * Return: the number of leavings that are still there, or -errno.
 */
int store_clean(const struct store *store);

#endif
