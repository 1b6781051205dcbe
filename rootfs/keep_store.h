/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEEP_STORE_H
#define MAYFLY_KEEP_STORE_H

#include "engine/base/err.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** KEEP_FRESH_MODE - of a kept directory that no container has had yet: it has no owner so far. */
#define KEEP_FRESH_MODE 01700

/**
 * keep_open() - open keep/NAME, made if missing, with its directory "data"
 * @name: a plain file name
 *
 * A lock (flock(2)) on it keeps removal away.  Whoever has got one looks with keep_is_there()
 * whether the name still leads to it.
 * Return: a descriptor, or -errno with a text.
 */
int keep_open(const struct store *store, const char *name, struct err *err);

/** keep_is_there() - whether keep/@name still is what @fd is open on; notes that it is used. */
bool keep_is_there(const struct store *store, const char *name, int fd);

/** struct keep_entry - one of a list; @used_nsec: when it was last, since the epoch */
struct keep_entry {
    char *name;
    uint64_t size_bytes;
    uint64_t used_nsec;
    bool in_use;
};

struct keep_entries {
    struct keep_entry *items;
    size_t n;
};

/**
 * keep_list() - all kept directories, by name
 * @with_sizes: also how much is in them; of STORE_OWNERS_SUBUID known as far as may be read
 *
 * Return: 0 or -errno with a text.
 */
int keep_list(const struct store *store, bool with_sizes, struct keep_entries *ret_entries,
              struct err *err);

void keep_entries_done(struct keep_entries *entries);

/**
 * keep_prune() - remove all that no run has
 *
 * Context: of STORE_OWNERS_SUBUID in its user namespace.
 * Return: 0 or -errno with a text.
 */
int keep_prune(const struct store *store, size_t *ret_n, uint64_t *ret_bytes, struct err *err);

#endif
