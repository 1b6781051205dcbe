/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RUN_H
#define MAYFLY_RUN_H

#include "base/err.h"
#include "base/log.h"
#include "engine/plan/plan.h"
#include "result.h"

/**
 * struct run_hooks - how a run speaks to whoever started it
 * @log: messages
 * @action_started, @action_finished: called around each action; may be NULL
 * @protect_program: called before a container is made whose root owns this program's own file and
 *                   could change it through /proc/self/exe (CVE-2019-5736); starts the program anew
 *                   from a sealed copy and does not return, unless that fails; may be NULL
 * @n_shown: so many remembered steps' output was shown before such a new start
 * @context: handed to all three
 */
struct run_hooks {
    struct log log;
    size_t n_shown;
    void (*action_started)(void *context, const struct plan *plan, size_t index);
    void (*action_finished)(void *context, const struct plan *plan,
                            const struct action_result *action);
    void (*protect_program)(void *context);
    void *context;
};

/**
 * run() - make a container, do the plan's actions in it, leave nothing
 * @plan: checked (plan_check())
 * @ret_result: initialised by the caller; filled in also on failure
 *
 * The steps get this process's standard input, output and error, or terminals
 * of their own where those are terminals.  SIGINT, SIGTERM, SIGHUP and SIGQUIT
 * are taken while it runs and put back after.
 *
 * Context: host, a single-threaded process; with or without privileges.
 * Return: 0 when the plan was carried out as far as the steps let it (see
 * @ret_result), negative with @err when mayfly itself could not.
 */
int run(const struct plan *plan, const struct run_hooks *hooks, struct result *ret_result,
        struct err *err);

#endif
