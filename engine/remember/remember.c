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

#include "chain.h"
#include "chain_merge.h"
#include "content.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "engine/steps.h"
#include "engine/userns.h"
#include "engine/wait_lock.h"
#include "remember_key.h"
#include "remember_publish.h"
#include "remember_reason.h"
#include "rootfs/step_store.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>

struct remember {
    struct chain chain;
    const struct plan *plan;
    struct result *result;
    const struct log *log;
    const struct store *store;
    char boot[STEP_BOOT_BYTES];
    char previous[SHA256_HEX_BYTES]; /* what the next step lies on */
    struct content *volumes;
    struct step *held; /* one for each action: locks on what is used */
    bool knows_inputs;
    bool transient; /* nothing is remembered any more */
    bool forget;    /* what is remembered does not count any more */
    size_t n_ran;   /* the number of the last step that was not found; 0: none */
    bool has_discarded;
};

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

/* --- inputs ------------------------------------------------------------------- */

static int scan_volumes(struct remember *m, struct content *ret_volumes, struct err *err) {
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->plan->n_volumes; i++) {
        content_done(&ret_volumes[i]);
        r = content_scan(m->store, m->plan->volumes[i].source, &ret_volumes[i], err);
    }
    return r;
}

/* Finds out what all steps lie on and see.  Where that cannot be done nothing is remembered. */
static int know_inputs(struct remember *m, struct err *err) {
    const struct image *image = &m->chain.base.container.image;
    _cleanup_content_ struct content directory = CONTENT_INIT;
    struct err why = {0};
    int r = 0;

    if (m->knows_inputs)
        return 0;
    m->knows_inputs = true;
    if (!image->in_store && str_eq(image->layers.items[0], "/"))
        r = err_set(&why, -EINVAL, "host: is no image that stays the same");
    else if (!image->in_store)
        r = content_scan(m->store, image->layers.items[0], &directory, &why);
    if (r == 0)
        r = scan_volumes(m, m->volumes, &why);
    if (r == -ENOMEM)
        return err_nomem(err);
    if (r < 0) {
        m->transient = true;
        /* Of a volume that is not there the container's start says how to mend it. */
        if (r != -ENOENT)
            log_warning(m->log, "-r: the steps are not remembered: %s", why.message);
        return 0;
    }
    remember_key_image(image, image->in_store ? NULL : directory.hex, m->previous);
    return 0;
}

/* The absolute path of what an upload copies. */
static char *upload_path(const struct action *action) {
    _cleanup_free_ char *cwd = *action->source == '/' ? NULL : getcwd(NULL, 0);

    return *action->source == '/' ? strdup(action->source)
           : cwd                  ? str_printf("%s/%s", cwd, action->source)
                                  : NULL;
}

static int scan_upload(struct remember *m, size_t index, struct content *ret_content,
                       struct err *err) {
    const struct action *action = &m->plan->actions[index];
    _cleanup_free_ char *path = NULL;
    int r;

    if (action->kind != ACTION_UPLOAD)
        return 0;
    path = upload_path(action);
    if (!path)
        return err_nomem(err);
    r = content_scan(m->store, path, ret_content, err);
    if (r == -ENOENT)
        err_set(err, r, "there is no such file or directory");
    return r < 0 && r != -ENOMEM ? err_wrap(err, "-U %s", action->source) : r;
}

static int find_facts(struct remember *m, size_t index, const struct content *upload,
                      struct strv *ret_facts, struct err *err) {
    _cleanup_free_ const char **volumes = calloc(m->plan->n_volumes + 1, sizeof *volumes);
    struct remember_inputs inputs = {
        .previous = m->previous,
        .workdirs = &m->chain.workdirs,
        .volumes = volumes,
        .upload = *upload->hex ? upload->hex : NULL,
    };

    if (!volumes)
        return err_nomem(err);
    for (size_t i = 0; i < m->plan->n_volumes; i++)
        volumes[i] = m->volumes[i].hex;
    return remember_key_facts(m->plan, index, &inputs, ret_facts) < 0 ? err_nomem(err) : 0;
}

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
    r = show_output(m, step, err);
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

/* Whether a step's inputs are still what its key says; what they are now is noted. */
static int have_inputs_changed(struct remember *m, size_t index, const struct content *upload,
                               struct buf *ret_what, struct err *err) {
    _cleanup_content_ struct content copied = CONTENT_INIT;
    struct err why = {0};
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->plan->n_volumes; i++) {
        struct content now = CONTENT_INIT;

        r = content_scan(m->store, m->plan->volumes[i].source, &now, &why);
        if (r == 0 && !str_eq(now.hex, m->volumes[i].hex) && ret_what->size == 0)
            buf_printf(ret_what, "%s", m->plan->volumes[i].source);
        content_done(&m->volumes[i]);
        m->volumes[i] = now;
    }
    if (r == 0)
        r = scan_upload(m, index, &copied, &why);
    if (r == 0 && !str_eq(copied.hex, upload->hex) && ret_what->size == 0)
        buf_puts(ret_what, m->plan->actions[index].source);
    if (r < 0 && r != -ENOMEM) {
        buf_puts(ret_what, why.message);
        r = 0;
    }
    return r < 0 || buf_failed(ret_what) ? err_nomem(err) : 0;
}

static int keep_lists(struct remember *m, const struct content *upload, struct err *err) {
    int r = *upload->hex ? content_keep(m->store, upload, err) : 0;

    for (size_t i = 0; r == 0 && i < m->plan->n_volumes; i++)
        r = content_keep(m->store, &m->volumes[i], err);
    return r;
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
        r = keep_lists(m, upload, err);
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
    r = have_inputs_changed(m, index, upload, &changed, err);
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

static int do_step(struct remember *m, size_t index, struct err *err) {
    _cleanup_content_ struct content upload = CONTENT_INIT;
    _cleanup_step_ struct step step = STEP_INIT;
    _cleanup_strv_ struct strv facts = {0};
    char key[SHA256_HEX_BYTES];
    const char *why = NULL;
    int r = scan_upload(m, index, &upload, err);

    if (r == 0)
        r = find_facts(m, index, &upload, &facts, err);
    if (r < 0)
        return r;
    remember_key(&facts, key);
    r = m->forget ? STEP_MISSING : find(m, key, &step, &why, err);
    if (r == 0)
        r = use_found(m, index, &step, err);
    return r == STEP_MISSING ? make_alone(m, index, key, &facts, &upload, why, err) : r;
}

/* --- the run ------------------------------------------------------------------ */

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
        r = m->transient ? 0 : know_inputs(m, err);
        if (r < 0)
            return r;
        if (!m->transient)
            return do_step(m, index, err);
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
