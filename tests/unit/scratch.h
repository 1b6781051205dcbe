/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_SCRATCH_H
#define MAYFLY_TEST_SCRATCH_H

#include "rootfs/store.h"

#include <stddef.h>

/**
 * struct scratch - a directory of a test's own, and the store in it
 * @fd, @path: the directory, below $TMPDIR
 * @store: in "store", of the kind that fits whoever runs the test
 */
struct scratch {
    int fd;
    char path[256];
    struct store store;
};

/** scratch_init() - make the directory and the store; fails the test when it cannot. */
void scratch_init(struct scratch *scratch);

/** scratch_done() - remove everything. */
void scratch_done(struct scratch *scratch);

/** scratch_write() - make a file with that content; directories in @path have to be there. */
void scratch_write(const struct scratch *scratch, const char *path, const void *data, size_t size);

/** scratch_age() - wait until @path was changed long enough ago for the index to trust it. */
void scratch_age(const struct scratch *scratch, const char *path);

/** scratch_count() - how many entries a directory of the store has. */
size_t scratch_count(const struct scratch *scratch, const char *folder);

/** scratch_owners() - the kind of store that fits whoever runs the test. */
enum store_owners scratch_owners(void);

#define _cleanup_scratch_ __attribute__((cleanup(scratch_done)))

#endif
