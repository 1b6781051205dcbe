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
 * steps_repeat() - carry out an action without a word of it, as of a workdir in a new container
 *
 * Return: as steps_run(); a status other than 0 counts for nothing.
 */
int steps_repeat(struct supervisor *supervisor, size_t index, struct err *err);

/**
 * steps_note() - report an action for which nothing had to be done
 * @action: how it went; added to @result
 *
 * Return: 0 or -ENOMEM with a text.
 */
int steps_note(struct supervisor *supervisor, const struct action_result *action,
               struct result *result, struct err *err);

/** steps_offer_shell() - a look around after a failed step, if the plan says so. */
void steps_offer_shell(struct supervisor *supervisor, const struct result *result);

/**
 * steps_run() - carry out the plan's actions in their order
 * @result: each action that was begun is added; outcome and exit status are set
 *
 * Return: 0 when all that could be done was (the result tells), a SUPERVISE_ condition, or -errno
 * with a text when mayfly itself could not do an action.
 */
int steps_run(struct supervisor *supervisor, struct result *result, struct err *err);

#endif
