/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_UNPACK_H
#define MAYFLY_UNPACK_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct recipe;

/** A layer with more entries than this is refused. */
#define UNPACK_ENTRIES_MAX 16000000

/**
 * struct unpack_source - where a layer's tar comes from
 * @read: gives the next bytes, lent until the next call: their number, 0 at the end, or -errno
 *        with a text
 * @recipe: told where files' contents are (recipe.h); or NULL
 */
struct unpack_source {
    ssize_t (*read)(void *context, const void **ret_data, struct err *err);
    void *context;
    struct recipe *recipe;
};

/** struct unpack_count - what a layer held */
struct unpack_count {
    uint64_t n_entries;
    uint64_t n_devices;  /* left out */
    uint64_t n_xattrs;   /* left out: this user or file system cannot keep them */
    struct strv implied; /* directories without an entry of their own; for strv_done() */
};

/**
 * unpack_layer() - write the tree of one layer
 * @source: an uncompressed tar: ustar, GNU or PAX
 * @root_fd: an empty directory
 * @owners: whether and how owners are kept
 *
 * Whiteouts become what overlayfs (mounted with userxattr) takes for such.  Device nodes are left
 * out, owners and set-id bits kept as @owners says, and attributes that would steer overlayfs
 * never taken over.  Stops at the archive's end; what follows in @source is not read.
 *
 * Context: any thread, with a umask of 0.  For STORE_OWNERS_SUBUID as the user namespace's root.
 * Return: 0 or -errno with a text.
 */
int unpack_layer(const struct unpack_source *source, int root_fd, enum store_owners owners,
                 struct unpack_count *ret_count, struct err *err);

/** unpack_takes_xattr() - whether an attribute is taken over; overlayfs' own would steer it. */
bool unpack_takes_xattr(const char *name);

/**
 * unpack_in_locale() - call what reads a tar where names are the bytes that they are
 * @function: called in the "C" locale.  Return: what it returns.
 *
 * Return: that, or -ENOMEM with a text.
 */
int unpack_in_locale(int (*function)(void *argument, struct err *err), void *argument,
                     struct err *err);

#endif
