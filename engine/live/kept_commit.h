/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_COMMIT_H
#define MAYFLY_KEPT_COMMIT_H

#include "containers.h"
#include "engine/base/err.h"

/**
 * kept_commit() - make an image of what a container's root file system is now
 * @life: of @kept
 * @name: for the image; NULL: none
 * @ret_id: its id, to free(3)
 *
 * The programs of one that runs stand still meanwhile.
 * Context: host, single-threaded.
 * Return: 0 or -errno with a text.
 */
int kept_commit(struct containers *containers, const struct kept *kept, const struct life *life,
                const char *name, char **ret_id, struct err *err);

#endif
