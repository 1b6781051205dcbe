/* SPDX-License-Identifier: Apache-2.0 */
/* A stack of what is to be undone. */
#include "unwind.h"

#include "base/cleanup.h"

#include <assert.h>

void unwind_push(struct unwind *unwind, void (*undo)(void *argument), void *argument) {
    assert(unwind->n < N_ELEMENTS(unwind->items));
    unwind->items[unwind->n].undo = undo;
    unwind->items[unwind->n++].argument = argument;
}

void unwind_all(struct unwind *unwind) {
    while (unwind->n > 0) {
        unwind->n--;
        unwind->items[unwind->n].undo(unwind->items[unwind->n].argument);
    }
}
