/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STORE_CHECK_H
#define MAYFLY_STORE_CHECK_H

#include "engine/base/err.h"
#include "store.h"

#include <stdbool.h>

/** struct store_finding - one thing that store_check() looked at */
struct store_finding {
    enum {
        STORE_FINDING_OK,
        STORE_FINDING_NOTE,   /* of no harm */
        STORE_FINDING_BROKEN, /* something is not what it was, or not there */
    } level;
    const char *topic; /* "image", "layer", "name", "leftover" */
    char text[320];
};

/**
 * store_check() - read all that a store has, and compare it with what was recorded
 * @emit: called for each finding, layers first, then images, names and leftovers
 *
 * Every layer's tar is made again from its tree and its recipe, digested, and compared with the
 * digest it had when it came, and the tree's modes, owners, times, links and whiteouts with what
 * the tar says of them (layer_check()); a layer without a recipe is looked at from outside alone.
 * Every image's record is read, and its layers have to be whole; every name has to lead to an
 * image. Changes nothing. Context: as image_import(). Return: the number of broken things, or
 * -errno with a text when it could not be finished.
 */
int store_check(const struct store *store,
                void (*emit)(void *context, const struct store_finding *finding), void *context,
                struct err *err);

#endif
