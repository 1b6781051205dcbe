/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_COMMIT_H
#define MAYFLY_KEPT_COMMIT_H

#include "containers.h"
#include "engine/base/err.h"

/**
 * struct kept_commit - what the image is to be
 * @name: NULL: none
 * @author, @comment: for its history; or NULL
 * @changes: as of kept_change_apply()
 */
struct kept_commit {
    const char *name;
    const char *author;
    const char *comment;
    struct strv changes;
};

/**
 * kept_commit() - make an image of what a container's root file system is now
 * @life: of @kept; the image starts its program as the container does
 * @ret_id: its id, to free(3)
 *
 * The programs of one that runs stand still meanwhile.
 * Context: host, single-threaded.
 * Return: 0 or -errno with a text.
 */
int kept_commit(struct containers *containers, const struct kept *kept, const struct life *life,
                const struct kept_commit *wanted, char **ret_id, struct err *err);

#endif
