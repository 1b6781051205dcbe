/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_MERGE_H
#define MAYFLY_LAYER_MERGE_H

#include "engine/base/err.h"
#include "engine/base/str.h"

/**
 * layer_merge() - make one layer that shows what several do, one over the other
 * @from_fd, @layers: directories, relative to it, the lowest first; nobody writes to them any more
 * @dir_fd, @name: the directory that is made, on the same file system
 *
 * Files are linked, not copied; nobody may write to them afterwards either.  What the layers hide
 * of those below them stays hidden.
 * Context: as whoever may link the files: for subordinate ids, in their user namespace.
 * Return: 0 or -errno with a text; what was made so far is the caller's to remove.
 */
int layer_merge(int from_fd, const struct strv *layers, int dir_fd, const char *name,
                struct err *err);

#endif
