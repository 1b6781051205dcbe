/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STORE_H
#define MAYFLY_STORE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

#include <stdint.h>

/** The largest image that is taken in, unless struct store says another. */
#define STORE_IMAGE_BYTES_MAX (UINT64_C(64) << 30)

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
 * @fd: O_PATH descriptor of the kind's directory, which has layers/ recipes/ images/ index/ tmp/
 *      runs/
 * @path: its absolute path
 * @owners: the kind
 * @max_image_bytes: an image that unpacks to more is refused; STORE_IMAGE_BYTES_MAX unless changed
 * @platform: OS/ARCHITECTURE[/VARIANT] that imports choose; lent; NULL: this machine's
 * @insecure: registries beside the environment's that may be spoken to without TLS, separated by
 *            commas; lent; NULL: none
 * @confine: called before anything that came from elsewhere is parsed, maybe several times; NULL:
 *           nothing is
 * @confine_context: its argument
 * @opened_nsec: when it was opened, by the clock that file systems stamp files with
 */
struct store {
    int fd;
    char *path;
    enum store_owners owners;
    uint64_t max_image_bytes;
    const char *platform;
    const char *insecure;
    int (*confine)(void *context, struct err *err);
    void *confine_context;
    uint64_t opened_nsec;
};

#define STORE_INIT ((struct store){.fd = -1})

/** store_confine() - before parsing: see struct store.  Return: 0 or -errno with a text. */
static inline int store_confine(const struct store *store, struct err *err) {
    return store->confine ? store->confine(store->confine_context, err) : 0;
}

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
 * An import holds a flock(2) on its directory in tmp/; one that nobody holds is a leaving, and the
 * dying children of a killed one are waited for (orphan_lock_take()).
 * Entries that cannot be removed by this process (they belong to subordinate ids) are counted.
 * Costs one directory read when there is nothing.
 * Return: the number of leavings that are still there, or -errno.
 */
int store_clean(const struct store *store);

/**
 * store_errno() - describe a failed system call on the store, with the way to mend it
 * @what: what was tried, as in "cannot make layers/x"
 *
 * Return: -errno as it was at the call.
 */
int store_errno(const struct store *store, const char *what, struct err *err);

/**
 * struct store_work - a directory in tmp/ that this process alone works in
 * @fd: the directory, its flock(2) held
 * @name: its name in tmp/
 */
struct store_work {
    int fd;
    char name[256];
};

#define STORE_WORK_INIT ((struct store_work){.fd = -1})

/**
 * store_work_begin() - make and lock a directory in tmp/; it is empty
 * @name: of what is made in it; whoever makes the same waits here until the other is done
 *
 * Several are begun in the order of their names, so that two processes cannot wait for each other.
 * Return: 0 or -errno with a text.
 */
int store_work_begin(const struct store *store, const char *name, struct store_work *ret_work,
                     struct err *err);

/** store_work_end() - remove the directory and let go of the lock; nothing happens to a fresh one.
 */
void store_work_end(const struct store *store, struct store_work *work);

/**
 * store_publish() - rename what was made in a work directory to its place
 * @from: name in the work directory
 * @to: path in the store, as "layers/HEX"
 *
 * What stands there already stays, and counts as success; with store_replace() it goes.
 * Return: 0 or -errno with a text.
 */
int store_publish(const struct store *store, const struct store_work *work, const char *from,
                  const char *to, struct err *err);
int store_replace(const struct store *store, const struct store_work *work, const char *from,
                  const char *to, struct err *err);

/**
 * store_lock_images() - wait for the lock on images/
 * @operation: LOCK_SH for whoever needs what is there to stay, LOCK_EX for whoever removes
 * @ret_fd: holds it until it is closed
 *
 * Return: 0 or -errno with a text.
 */
int store_lock_images(const struct store *store, int operation, int *ret_fd, struct err *err);

/**
 * store_list() - the names in a directory of the store
 * @folder: "layers" and such
 * @ret_names: appended to, in no order
 *
 * Return: 0 or -errno with a text.
 */
int store_list(const struct store *store, const char *folder, struct strv *ret_names,
               struct err *err);

/** store_sync_folder() - fsync(2) "layers", "recipes", "images" or "index".  Return: 0 or -errno
 * with a text.
 */
int store_sync_folder(const struct store *store, const char *folder, struct err *err);

#endif
