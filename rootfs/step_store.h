/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STEP_STORE_H
#define MAYFLY_STEP_STORE_H

#include "engine/base/err.h"
#include "engine/base/sha256.h"
#include "step_record.h"
#include "store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What step_find() can say. */
#define STEP_MISSING 1
#define STEP_EXPIRED 2
#define STEP_OTHER_BOOT                                                                            \
    3 /* it is there, and has to be compared with its digest before it is used */

/**
 * struct step - a remembered step: the directory steps/KEY
 * @fd: the directory, which has "tree", "volume.N", "output" and "record"; a lock on it keeps
 *      removal away as long as it is open
 * @expires_nsec: since the epoch
 */
struct step {
    int fd;
    char key[SHA256_HEX_BYTES];
    struct step_record record;
    uint64_t expires_nsec;
};

#define STEP_INIT ((struct step){.fd = -1})

void step_done(struct step *step);

#define _cleanup_step_ __attribute__((cleanup(step_done)))

/**
 * step_find() - find what is remembered under a key
 * @boot: the id of the kernel's boot
 * @now_nsec: since the epoch
 *
 * Return: 0, one of the conditions above (@ret_step filled in but for STEP_MISSING), or -ENOMEM.
 */
int step_find(const struct store *store, const char *key, const char *boot, uint64_t now_nsec,
              struct step *ret_step);

/** step_extend() - keep it until @expires_nsec at least. */
void step_extend(struct step *step, uint64_t expires_nsec);

/**
 * step_lock() - be the only one who makes what belongs to @key
 * @ret_fd: holds the lock until it is closed; with -EWOULDBLOCK a descriptor to wait for it with
 *          (flock(2)), after which step_lock() is called again
 *
 * Return: 0, -EWOULDBLOCK, or another -errno with a text.
 */
int step_lock(const struct store *store, const char *key, int *ret_fd, struct err *err);

/** step_unlock() - let go, and remove the lock's name; @fd is closed. */
void step_unlock(const struct store *store, const char *key, int fd);

/**
 * step_publish() - make a step's result one that is remembered
 * @dir_fd, @name: a directory with its "tree", and "volume.N" and "output" if there are any
 * @record: written into it
 *
 * One rename(2) does it: killed before it, there is nothing.  What stood under the key is moved to
 * tmp/ and is a leaving there.
 * Context: whoever holds step_lock().
 * Return: 0 or -errno with a text.
 */
int step_publish(const struct store *store, const char *key, int dir_fd, const char *name,
                 const struct step_record *record, uint64_t expires_nsec, struct err *err);

/** step_rewrite() - replace the record of a step, as after it was compared.  Return: as above. */
int step_rewrite(const struct store *store, struct step *step, struct err *err);

/** step_discard() - move what is under a key to tmp/, where it is a leaving.  Return: as above. */
int step_discard(const struct store *store, const char *key, struct err *err);

/** struct step_entry - one of a list; @in_use: a run has it */
struct step_entry {
    struct step step;
    bool in_use;
};

struct step_entries {
    struct step_entry *items;
    size_t n;
};

/** step_list() - all that is remembered, the newest last.  Return: 0 or -errno with a text. */
int step_list(const struct store *store, struct step_entries *ret_entries, struct err *err);

void step_entries_done(struct step_entries *entries);

#define _cleanup_step_entries_ __attribute__((cleanup(step_entries_done)))

/**
 * step_prune() - remove what has expired, and lists of inputs that nothing refers to
 * @all: also what has not expired
 * @ret_n, @ret_bytes: what was removed
 *
 * What a run has stays.
 * Context: of STORE_OWNERS_SUBUID in its user namespace.
 * Return: 0 or -errno with a text.
 */
int step_prune(const struct store *store, bool all, uint64_t now_nsec, size_t *ret_n,
               uint64_t *ret_bytes, struct err *err);

#endif
