/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CHAIN_MERGE_H
#define MAYFLY_CHAIN_MERGE_H

#include "chain.h"
#include "engine/base/err.h"

/** CHAIN_LAYERS_MAX - as many of a chain's layers lie one over the other before they become one;
 * an overlay takes OVERLAY_MAX_LOWER, the image's included. */
#define CHAIN_LAYERS_MAX 64

/**
 * chain_use_squashed() - use one layer in place of all, where an earlier run has made it
 *
 * Return: 0 or -ENOMEM with a text.
 */
int chain_use_squashed(struct chain *chain, struct err *err);

/**
 * chain_squash() - make one layer of all, when they have become many
 *
 * It lies with the uppermost remembered step, for other runs too.  Files are linked, not copied.
 * Return: 0 or -errno with a text.
 */
int chain_squash(struct chain *chain, struct err *err);

/**
 * chain_commit() - make an image of what the layers and the container show
 * @index: of ACTION_COMMIT, which has the image's name
 * @remembered: the layers are all there is, and belong to a remembered step: the image is known
 *              again the next time
 *
 * A container that lives is ended; its layer stays below whatever comes next.
 * Return: 0, a SUPERVISE_ condition, or -errno with a text.
 */
int chain_commit(struct chain *chain, size_t index, bool remembered, struct err *err);

#endif
