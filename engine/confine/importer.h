/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_IMPORTER_H
#define MAYFLY_IMPORTER_H

#include "engine/base/err.h"
#include "rootfs/store.h"

#include <sys/types.h>

/**
 * struct importer - a process of root's that reads what came from elsewhere
 * @store: its own; where it writes
 * @is_remote: it speaks to a registry or server
 * @keeper: the process that holds this one's locks as long as it lives; 0: not confined yet
 * @keeper_fd: that process ends when this is closed
 */
struct importer {
    struct store *store;
    bool is_remote;
    pid_t keeper;
    int keeper_fd;
};

/**
 * importer_begin() - have this process confined before it reads the first byte of an image
 *
 * Does nothing for users other than root: whose process it is, is who the image's owner is.
 * Context: a child of its own for an import; @importer outlives it.
 */
void importer_begin(struct importer *importer, struct store *store, bool is_remote);

/** importer_end() - when all is done: nothing of this process's is left but itself. */
void importer_end(struct importer *importer);

#endif
