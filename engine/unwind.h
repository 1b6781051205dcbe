/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_UNWIND_H
#define MAYFLY_UNWIND_H

#include <stddef.h>

/**
 * struct unwind - what has to be undone, the latest first
 *
 * Whoever makes a thing that outlives a function pushes its undoing right after.
 */
struct unwind {
    struct {
        void (*undo)(void *argument);
        void *argument;
    } items[16];
    size_t n;
};

#define UNWIND_INIT ((struct unwind){.n = 0})

/** unwind_push() - @undo(@argument) will be called; both have to live until then. */
void unwind_push(struct unwind *unwind, void (*undo)(void *argument), void *argument);

/** unwind_all() - undo everything, the latest first. */
void unwind_all(struct unwind *unwind);

#endif
