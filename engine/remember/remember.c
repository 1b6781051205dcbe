/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run whose steps are remembered.
 *
 *   for each step: key → found?  show its output, lay its files over the rest
 *                        else    lock the key, look again, run it in a container
 *                                of its own, keep what it changed under the key
 *
 * The key has the id of the result below it in it (remember_key.c): a step that
 * ran anew, whatever it made, is followed by steps that run anew.
 *
 * From the first step on that may not be remembered all the rest runs in one
 * container as it would without -r.  That is a step marked --no-remember, one
 * whose inputs cannot be known, and one that has changed a volume of the host's:
 * skipped the next time, it would leave that undone.
 */
#include "remember.h"

#include "chain_merge.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/steps.h"
#include "remember_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

bool remember_is_asked(const struct plan *plan) {
    bool asked = plan->remember;

    for (size_t i = 0; i < plan->n_actions; i++)
        asked |= plan->actions[i].kind == ACTION_COMMIT;
    return asked;
}

static void done(struct remember *m) {
    chain_done(&m->chain);
    for (size_t i = 0; m->volumes && i < m->plan->n_volumes; i++)
        content_done(&m->volumes[i]);
    free(m->volumes);
    for (size_t i = 0; m->held && i < m->plan->n_actions; i++)
        step_done(&m->held[i]);
    free(m->held);
}

static int read_boot(struct remember *m, struct err *err) {
    _cleanup_free_ char *text = NULL;

    if (fd_read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 128, &text, NULL) < 0)
        return err_set(err, -ENOENT, "the kernel tells no id of its boot: /proc is not mounted");
    text[strcspn(text, "\n")] = '\0';
    snprintf(m->boot, sizeof m->boot, "%s", text);
    return 0;
}

/* In one container with all that follows, or for a download on its own. */
static int do_plain(struct remember *m, size_t index, struct err *err) {
    int r = chain_enter(&m->chain, index, false, err);

    if (r == 0)
        r = steps_run_one(&m->chain.session.supervisor, index, m->result, err);
    if (r == 0)
        steps_offer_shell(&m->chain.session.supervisor, m->result);
    return r;
}

static int change_workdir(struct remember *m, size_t index, struct err *err) {
    struct action_result action = {.index = index, .started_nsec = clock_realtime()};
    int r = chain_change_workdir(&m->chain, index, err), noted;

    action.outcome = r < 0 ? OUTCOME_ERROR : OUTCOME_OK;
    action.status = r < 0 ? EXIT_ENGINE : 0;
    noted = r > 0 ? 0 : steps_note(&m->chain.base.supervisor, &action, m->result, NULL);
    return r != 0 ? r : noted < 0 ? err_nomem(err) : 0;
}

static int do_commit(struct remember *m, size_t index, struct err *err) {
    struct action_result action = {.index = index, .started_nsec = clock_realtime()};
    const struct run_hooks *hooks = m->chain.request->hooks;
    bool is_plain = !m->transient && m->chain.workdirs.n == 1;
    uint64_t started = clock_monotonic();
    int r = 0, noted;

    if (hooks->action_started)
        hooks->action_started(hooks->context, m->plan, index);
    /* What a remembered step has made is all there is, unless a workdir was made since. */
    if (is_plain)
        chain_leave(&m->chain);
    else
        r = chain_enter(&m->chain, index, false, err);
    if (r == 0)
        r = chain_commit(&m->chain, index, is_plain, err);
    action.elapsed_nsec = clock_monotonic() - started;
    action.outcome = r < 0 ? OUTCOME_ERROR : OUTCOME_OK;
    action.status = r < 0 ? EXIT_ENGINE : 0;
    noted = steps_note(&m->chain.base.supervisor, &action, m->result, NULL);
    return r != 0 ? r : noted < 0 ? err_nomem(err) : 0;
}

static int do_action(struct remember *m, size_t index, struct err *err) {
    const struct action *action = &m->plan->actions[index];
    int r;

    if (action->kind == ACTION_WORKDIR)
        return change_workdir(m, index, err);
    if (action->kind == ACTION_COMMIT)
        return do_commit(m, index, err);
    if (action_is_remembered(action)) {
        m->forget |= action->forget;
        if (!m->transient && m->plan->remember && action->transient) {
            m->transient = true;
            chain_leave(&m->chain);
        }
        m->transient |= !m->plan->remember;
        r = m->transient ? 0 : remember_know_inputs(m, err);
        if (r < 0)
            return r;
        if (!m->transient)
            return remember_step(m, index, err);
    }
    return do_plain(m, index, err);
}

static int run_all(struct remember *m, const struct session_request *request, struct err *err) {
    int r = chain_init(&m->chain, request, m->result, err);

    m->store = &m->chain.base.container.store;
    if (r == 0)
        r = read_boot(m, err);
    m->volumes = calloc(m->plan->n_volumes + 1, sizeof *m->volumes);
    m->held = calloc(m->plan->n_actions + 1, sizeof *m->held);
    if (r == 0 && (!m->volumes || !m->held))
        r = err_nomem(err);
    for (size_t i = 0; m->held && i < m->plan->n_actions; i++)
        m->held[i] = STEP_INIT;
    for (size_t i = 0; r == 0 && i < m->plan->n_actions && m->result->outcome == OUTCOME_OK; i++)
        r = do_action(m, i, err);
    return r;
}

int remember_run(const struct session_request *request, struct result *result, int *ret_interrupted,
                 struct err *err) {
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct remember m = {.plan = request->plan, .result = result, .log = &request->hooks->log};
    struct sigaction on_pipe;
    int r;

    sigaction(SIGPIPE, &ignore, &on_pipe);
    r = run_all(&m, request, err);
    chain_leave(&m.chain);
    *ret_interrupted = m.chain.base.supervisor.interrupted;
    if (m.has_discarded)
        state_clean(m.store, &m.chain.base.container.map, m.log);
    done(&m);
    sigaction(SIGPIPE, &on_pipe, NULL);
    return r;
}
