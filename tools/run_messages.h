/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RUN_MESSAGES_H
#define MAYFLY_RUN_MESSAGES_H

#include "console.h"
#include "engine/plan/plan.h"
#include "engine/result.h"

#include <stddef.h>

/** run_messages_started() - what --debug says when an action begins. */
void run_messages_started(const struct console *console, const struct plan *plan, size_t index);

/** run_messages_finished() - the line of an action that has ended, where the verbosity wants it. */
void run_messages_finished(struct console *console, const struct plan *plan,
                           const struct action_result *action);

/** run_messages_ended() - what a run with limits has used. */
void run_messages_ended(const struct console *console, const struct plan *plan,
                        const struct result *result);

/** run_messages_shown() - how many remembered steps were shown before this program started anew. */
size_t run_messages_shown(void);

/** run_messages_protect() - for the hooks of a run: see protect_program().  @context: its console
 */
void run_messages_protect(void *context);

#endif
