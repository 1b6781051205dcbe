/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LAYER_INHERIT_H
#define MAYFLY_LAYER_INHERIT_H

#include "engine/base/err.h"
#include "engine/base/str.h"

/**
 * layer_inherit() - give directories that a layer only implies what they are in a layer below
 * @tree_fd: the layer's tree
 * @below_fd: the tree of the next layer below that has not been asked yet
 * @implied: paths in the layer; those that @below_fd decides are taken out
 *
 * A directory of an upper layer covers the one below it, with mode, owner and time.  Some tools
 * write no entries for the directories that a changed file lies in, and mean the old ones.
 * Return: 0 or -errno with a text.
 */
int layer_inherit(int tree_fd, int below_fd, struct strv *implied, struct err *err);

#endif
