/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_CHECK_H
#define MAYFLY_LAYER_CHECK_H

#include "engine/base/err.h"
#include "store.h"
#include "unpack.h"

/**
 * layer_check() - compare a layer's tree with the entries of its tar
 * @source: the tar; read to the archive's end
 * @tree_fd: the tree
 *
 * Looks at each entry's kind, mode, size, time to the second, target, attributes that a container
 * sees, and, unless all of @owners is one user's, owner; at whiteouts, and whether hard links are
 * such.  Not at contents, which the tar is made of.
 *
 * Context: as unpack_layer(); changes nothing.
 * Return: 0, -EBADMSG with a text that names the first entry that differs, or another -errno with a
 * text.
 */
int layer_check(const struct unpack_source *source, int tree_fd, enum store_owners owners,
                struct err *err);

#endif
