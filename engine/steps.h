/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STEPS_H
#define MAYFLY_STEPS_H

#include "base/err.h"
#include "result.h"
#include "supervise.h"

/**
 * steps_ask_first() - ask for the first action before the container is built
 *
 * It begins without waiting for this process to wake up in between.  Copies are asked for in their
 * turn.
 */
void steps_ask_first(struct supervisor *supervisor);

/**
 * steps_await_ready() - wait until the container is built
 *
 * Return: 0, a SUPERVISE_ condition, or -errno with a text.
 */
int steps_await_ready(struct supervisor *supervisor, struct err *err);

/**
 * steps_run_one() - carry out one of the plan's actions
 * @result: it is added; outcome and exit status are set
 *
 * Return: as steps_run().
 */
int steps_run_one(struct supervisor *supervisor, size_t index, struct result *result,
                  struct err *err);

/**
 * steps_run() - carry out the plan's actions in their order
 * @result: each action that was begun is added; outcome and exit status are set
 *
 * Return: 0 when all that could be done was (the result tells), a SUPERVISE_ condition, or -errno
 * with a text when mayfly itself could not do an action.
 */
int steps_run(struct supervisor *supervisor, struct result *result, struct err *err);

#endif
