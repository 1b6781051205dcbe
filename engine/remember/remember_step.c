/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step: looked for by its key, and used; or run in a container of its own and
 * kept under its key, by one run at a time.
 */
#include "chain_merge.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/sys.h"
#include "engine/steps.h"
#include "engine/userns.h"
#include "engine/wait_lock.h"
#include "remember_key.h"
#include "remember_private.h"
#include "remember_publish.h"
#include "remember_reason.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>

/* --- a step that is known ----------------------------------------------------- */

static int discard(struct remember *m, const char *key, struct err *err) {
    m->has_discarded = true;
    return step_discard(m->store, key, err);
}

/* What was merged of a step and those below it before the last boot has no digest of its own. */
static int forget_merged(struct remember *m, const struct step *step, struct err *err) {
    char path[128], aside[128];

    snprintf(path, sizeof path, "steps/%s/merged", step->key);
    snprintf(aside, sizeof aside, "tmp/gone-%s", step->key);
    if (sys_renameat2(m->store->fd, path, m->store->fd, aside, 0) == 0)
        m->has_discarded = true;
    else if (errno != ENOENT)
        return store_errno(m->store, "cannot move a merged layer aside", err);
    return 0;
}

/* Return: 0, STEP_MISSING with the reason in @why unless there was nothing, or -errno. */
static int find(struct remember *m, const char *key, struct step *step, const char **why,
                struct err *err) {
    int r = step_find(m->store, key, m->boot, clock_realtime(), step);

    if (r == STEP_EXPIRED)
        *why = "it had expired";
    if (r == STEP_OTHER_BOOT) {
        r = remember_verify(&m->chain.base.container.map, step, err);
        if (r == 0)
            r = forget_merged(m, step, err);
        if (r == 0) {
            snprintf(step->record.boot, sizeof step->record.boot, "%s", m->boot);
            r = step_rewrite(m->store, step, err);
        } else if (r > 0)
            *why = "its files are not what was kept of it, after a crash or a restart";
    }
    if (r > 0 && m->forget)
        *why = NULL;
    if (r > 0 && step->fd >= 0) {
        step_done(step);
        r = discard(m, key, err);
        return r < 0 ? r : STEP_MISSING;
    }
    return r == -ENOMEM ? err_nomem(err) : r;
}

/* Shows what the step has written.  Return: 0, 1 when that is not whole, a condition, -errno. */
static int show_output(struct remember *m, const struct step *step, struct err *err) {
    _cleanup_close_ int fd = -1;
    int r;

    if (!*step->record.output_hex)
        return 0;
    fd = openat(step->fd, "output", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    r = fd < 0 ? -EBADMSG
               : capture_show(fd, step->record.output_hex, supervise_wait_fd,
                              &m->chain.base.supervisor);
    if (r == -EINTR)
        r = supervise_check(&m->chain.base.supervisor);
    if (r == -EBADMSG || r == -EFBIG)
        return 1;
    return r < 0 ? err_set(err, r, "cannot show a remembered step's output") : r;
}

/* What a step has made lies below all that follows; @step is taken over. */
static int use(struct remember *m, size_t index, struct step *step, struct err *err) {
    char directory[sizeof "steps/" + SHA256_HEX_BYTES];

    step_extend(step, clock_add(clock_realtime(), m->plan->remember_nsec));
    m->held[index] = *step;
    *step = STEP_INIT;
    step = &m->held[index];
    snprintf(m->previous, sizeof m->previous, "%s", step->record.id);
    snprintf(directory, sizeof directory, "steps/%s", step->key);
    return chain_push(&m->chain, index, directory, &step->record.volumes, err);
}

static int use_found(struct remember *m, size_t index, struct step *step, struct err *err) {
    const struct action_result action = {
        .index = index,
        .outcome = OUTCOME_OK,
        .remembered = true,
        .started_nsec = clock_realtime(),
    };
    const struct run_hooks *hooks = m->chain.request->hooks;
    int r;

    if (hooks->action_started)
        hooks->action_started(hooks->context, m->plan, index);
    /* This program may have started anew meanwhile, see @protect_program. */
    r = m->n_found++ < hooks->n_shown ? 0 : show_output(m, step, err);
    if (r != 0)
        return r;
    chain_leave(&m->chain);
    r = use(m, index, step, err);
    return r < 0 ? r : steps_note(&m->chain.base.supervisor, &action, m->result, err);
}

/* --- a step that is not ------------------------------------------------------- */

/* Return: 0, a condition, or -errno with a text. */
static int lock(struct remember *m, const char *key, int *ret_fd, struct err *err) {
    for (bool told = false;; told = true) {
        int fd = -1, r = step_lock(m->store, key, &fd, err);

        if (r == 0)
            *ret_fd = fd;
        if (r != -EWOULDBLOCK)
            return r;
        if (!told)
            log_info(m->log, "another run is at this step; waiting for it");
        r = wait_lock(&m->chain.base.supervisor, fd, LOCK_EX, err);
        close(fd);
        if (r != 0)
            return r;
    }
}

static void tell_reason(struct remember *m, size_t index, const struct strv *facts,
                        const struct content *upload, const char *why, struct buf *ret_reason) {
    const struct remember_miss miss = {
        .plan = m->plan,
        .index = index,
        .is_first = m->chain.layers.n == 0,
        .facts = facts,
        .volumes = m->volumes,
        .upload = *upload->hex ? upload : NULL,
    };

    if (m->n_ran)
        buf_printf(ret_reason, "step %zu before it ran", m->n_ran);
    else if (m->forget)
        buf_puts(ret_reason, "--forget");
    else if (why)
        buf_puts(ret_reason, why);
    else
        (void)remember_reason(m->store, &miss, ret_reason);
    if (!m->n_ran && ret_reason->size > 0 && !buf_failed(ret_reason))
        log_info(m->log, "step %zu runs: %s", index + 1, ret_reason->data);
    if (ret_reason->size == 0)
        buf_puts(ret_reason, "new");
}

/* Ends the container, and keeps what the step has made. */
static int publish(struct remember *m, size_t index, const char *key, struct strv *facts,
                   const char *reason, struct err *err) {
    const struct action_result *result = &m->result->actions[m->result->n_actions - 1];
    struct remember_publish publish = {
        .chain = &m->chain,
        .key = key,
        .record = {.number = index + 1, .elapsed_nsec = result->elapsed_nsec},
        .expires_nsec = clock_add(clock_realtime(), m->plan->remember_nsec),
        .r = -EIO,
    };
    _cleanup_buf_ struct buf title = BUF_INIT;
    struct step_record *record = &publish.record;
    struct step step = STEP_INIT;
    int r = 0;

    action_format(&m->plan->actions[index], &title);
    record->title = buf_take(&title);
    record->image = strdup(m->plan->image);
    record->reason = strdup(reason);
    snprintf(record->boot, sizeof record->boot, "%s", m->boot);
    record->facts = *facts;
    *facts = (struct strv){0};
    if (!record->title || !record->image || !record->reason)
        r = err_nomem(err);
    if (r == 0) {
        m->chain.session.keep = remember_publish;
        m->chain.session.keep_context = &publish;
        chain_leave(&m->chain);
        r = publish.r;
        *err = publish.err;
    }
    step_record_done(record);
    if (r == 0)
        r = step_find(m->store, key, m->boot, clock_realtime(), &step);
    if (r == STEP_EXPIRED) /* the user's wish: it is for this run alone */
        r = 0;
    if (r > 0)
        r = err_set(err, -EIO, "what step %zu made is gone from the store", index + 1);
    if (r == 0)
        r = use(m, index, &step, err);
    step_done(&step);
    return r;
}

/* With newuidmap refused, a container would have other ids, and another store, than was looked at.
 */
static int do_nothing(void *argument, struct err *err) {
    (void)argument;
    (void)err;
    return 0;
}

static int check_ids(const struct remember *m, struct err *err) {
    const struct idmap *map = &m->chain.base.container.map;
    int r = map->mode == IDMAP_SUBUID && m->n_ran == 0 ? userns_call(map, do_nothing, NULL, -1, err)
                                                       : 0;

    return r > 0 ? -EPERM : r;
}

/* Runs a step in a container of its own, and remembers it if it succeeds. */
static int make(struct remember *m, size_t index, const char *key, struct strv *facts,
                const struct content *upload, const char *why, struct err *err) {
    _cleanup_buf_ struct buf reason = BUF_INIT, changed = BUF_INIT;
    int r;

    tell_reason(m, index, facts, upload, why, &reason);
    if (buf_failed(&reason))
        return err_nomem(err);
    r = check_ids(m, err);
    m->n_ran = index + 1;
    chain_leave(&m->chain);
    if (r == 0)
        r = remember_keep_inputs(m, upload, err);
    if (r == 0)
        r = chain_enter(&m->chain, index, true, err);
    if (r == 0)
        r = steps_run_one(&m->chain.session.supervisor, index, m->result, err);
    if (r != 0)
        return r;
    if (m->result->outcome != OUTCOME_OK) {
        steps_offer_shell(&m->chain.session.supervisor, m->result);
        return 0;
    }
    r = remember_check_inputs(m, index, upload, &changed, err);
    if (r < 0)
        return r;
    if (changed.size > 0) {
        m->transient = true;
        log_info(m->log, "step %zu and what follows are not remembered: %s changed while it ran",
                 index + 1, changed.data);
        return 0;
    }
    return publish(m, index, key, facts, reason.data, err);
}

/* Looks again with the lock held: another run may have made it meanwhile. */
static int make_alone(struct remember *m, size_t index, const char *key, struct strv *facts,
                      const struct content *upload, const char *why, struct err *err) {
    _cleanup_step_ struct step step = STEP_INIT;
    int fd = -1, r = lock(m, key, &fd, err);

    if (r != 0)
        return r;
    r = m->forget ? STEP_MISSING : find(m, key, &step, &why, err);
    if (r == 0)
        r = use_found(m, index, &step, err);
    if (r == STEP_MISSING)
        r = make(m, index, key, facts, upload, why, err);
    step_unlock(m->store, key, fd);
    return r;
}

int remember_step(struct remember *m, size_t index, struct err *err) {
    _cleanup_content_ struct content upload = CONTENT_INIT;
    _cleanup_step_ struct step step = STEP_INIT;
    _cleanup_strv_ struct strv facts = {0};
    char key[SHA256_HEX_BYTES];
    const char *why = NULL;
    int r = remember_scan_upload(m, index, &upload, err);

    if (r == 0)
        r = remember_find_facts(m, index, &upload, &facts, err);
    if (r < 0)
        return r;
    remember_key(&facts, key);
    r = m->forget ? STEP_MISSING : find(m, key, &step, &why, err);
    if (r == 0)
        r = use_found(m, index, &step, err);
    return r == STEP_MISSING ? make_alone(m, index, key, &facts, &upload, why, err) : r;
}
