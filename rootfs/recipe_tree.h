/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RECIPE_TREE_H
#define MAYFLY_RECIPE_TREE_H

#include "digest.h"
#include "engine/base/err.h"
#include "store.h"

#include <stdint.h>

/**
 * recipe_tree() - the recipe of a tree that came from no tar
 * @tree_fd: a layer, or the upper directory of an overlay; nobody writes to it any more
 * @recipe_fd: an empty file, which the recipe is written to
 * @owners: what the numbers of users and groups mean
 * @ret_diff: the digest of its tar
 * @ret_bytes: the tar's size
 *
 * What overlayfs takes for whiteouts and opaque directories becomes what the OCI calls so;
 * overlayfs' own attributes stay behind, and so do sockets.  The same tree gives the same tar.
 * Spec: OCI image-spec, layer.md; Documentation/filesystems/overlayfs.rst.
 * Context: with the ids that the layer has; loads libcrypto.
 * Return: 0 or -errno with a text that names the file.
 */
int recipe_tree(int tree_fd, int recipe_fd, enum store_owners owners, struct digest *ret_diff,
                uint64_t *ret_bytes, struct err *err);

#endif
