/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TREE_DIGEST_H
#define MAYFLY_TREE_DIGEST_H

#include "engine/base/err.h"
#include "engine/base/sha256.h"

#include <stdint.h>

/**
 * tree_digest() - take in all that a layer's tree consists of
 * @dir_fd, @name: its directory
 * @bytes: the size of its files on disk is added
 *
 * Names, types, modes, owners, times, links, extended attributes and the files' bytes: a layer that
 * lost anything of it, in a crash, has another digest.
 * Context: any; of a layer with subordinate ids inside their user namespace.
 * Return: 0, or -errno with a text; -EACCES when something in it may not be read.
 */
int tree_digest(int dir_fd, const char *name, struct sha256 *sha, uint64_t *bytes, struct err *err);

#endif
