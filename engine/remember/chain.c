/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run whose actions do not all share one container: each container lies on the
 * image and on what its predecessors have changed.  What crosses from one to the
 * next is the file system, the copy-on-write volumes and the workdir; processes,
 * tmpfs and /dev/shm do not.
 *
 * Containers are made when an action needs one and not before, so that actions
 * whose results are known cost none.
 */
#include "chain.h"

#include "chain_merge.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/sys.h"
#include "engine/steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

int chain_init(struct chain *chain, const struct session_request *request, struct result *result,
               struct err *err) {
    const char *dir;
    int r;

    *chain = (struct chain){.request = request, .result = result, .capture = CAPTURE_INIT};
    chain->carry = STATE_INIT;
    r = session_look_up(&chain->base, request, NULL, err);
    if (r != 0)
        return r;
    dir = chain->base.container.image.config.working_dir;
    chain->volume_layers = calloc(request->plan->n_volumes + 1, sizeof *chain->volume_layers);
    if (!chain->volume_layers || strv_push(&chain->workdirs, dir && *dir ? dir : "/") < 0)
        return err_nomem(err);
    return 0;
}

void chain_done(struct chain *chain) {
    struct err err;

    chain_leave(chain);
    for (size_t i = 0; chain->volume_layers && i < chain->request->plan->n_volumes; i++)
        strv_done(&chain->volume_layers[i]);
    free(chain->volume_layers);
    keeps_close(&chain->keeps);
    image_done(&chain->committed);
    if (chain->carry.name && state_destroy(&chain->carry, &chain->base.container.map, &err) < 0)
        log_warning(chain->base.container.log, "%s", err.message);
    free(chain->workdir);
    strv_done(&chain->layers);
    strv_done(&chain->workdirs);
    session_end(&chain->base);
}

static int start(struct chain *chain, bool captured, struct err *err) {
    struct session_request request = *chain->request;
    int r = chain_squash(chain, err);

    if (r < 0)
        return r;
    request.layers = &chain->layers;
    request.volume_layers = chain->volume_layers;
    request.workdir = chain->workdir;
    request.ask_first = false;
    if (!chain->has_keeps) {
        chain->has_keeps = true;
        r = keeps_open(&chain->keeps, request.plan, &chain->base.container.store,
                       &chain->base.supervisor, err);
        if (r != 0)
            return r;
    }
    request.keeps = &chain->keeps;
    request.like = chain->was_live ? &chain->base.container : NULL;
    chain->capture = CAPTURE_INIT;
    chain->captured = captured;
    request.capture = captured ? &chain->capture : NULL;
    r = session_start(&chain->session, &request, err);
    if (r != 0) {
        chain->base.supervisor.interrupted = chain->session.supervisor.interrupted;
        return r;
    }
    chain->live = chain->was_live = true;
    chain->base.container.map = chain->session.container.map;
    chain->base.container.overlays_given = chain->session.container.overlays_given;
    if (chain->result->setup_nsec == 0)
        chain->result->setup_nsec = clock_realtime() - chain->result->started_nsec;
    if (captured) {
        const struct container *c = &chain->session.container;
        int fd = -1;

        if (sys_mkdirat(c->state.fd, "step", 0700) == 0)
            fd = openat(c->state.fd, "step/output", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            return store_errno(&c->store, "cannot make a file for a step's output", err);
        chain->capture.wait = supervise_wait_fd;
        chain->capture.context = &chain->session.supervisor;
        capture_begin(&chain->capture, fd);
        chain->session.supervisor.capture = &chain->capture;
    }
    return 0;
}

int chain_enter(struct chain *chain, size_t index, bool captured, struct err *err) {
    const struct plan *plan = chain->request->plan;
    int r;

    if (chain->live)
        return 0;
    r = start(chain, captured, err);
    for (size_t i = chain->first; r == 0 && i < index; i++)
        if (plan->actions[i].kind == ACTION_WORKDIR)
            r = steps_repeat(&chain->session.supervisor, i, err);
    return r;
}

void chain_leave(struct chain *chain) {
    /* A signal that has come there holds for the whole run. */
    if (chain->live && chain->session.supervisor.interrupted)
        chain->base.supervisor.interrupted = chain->session.supervisor.interrupted;
    if (chain->live) {
        result_note(chain->result, &chain->session.container);
        session_end(&chain->session);
    }
    chain->live = false;
    if (chain->captured)
        capture_close(&chain->capture);
    chain->captured = false;
}

int chain_change_workdir(struct chain *chain, size_t index, struct err *err) {
    const struct action *action = &chain->request->plan->actions[index];
    const char *now = chain->workdirs.items[chain->workdirs.n - 1];

    if (strv_push_take(&chain->workdirs, plan_workdir(now, action->target)) < 0)
        return err_nomem(err);
    return chain->live ? steps_repeat(&chain->session.supervisor, index, err) : 0;
}

int chain_move_workdir(struct chain *chain, size_t index, struct err *err) {
    const char *now = chain->workdirs.items[chain->workdirs.n - 1];
    struct strv workdirs = {0};
    char *workdir = strdup(now);

    if (!workdir || strv_push(&workdirs, now) < 0) {
        free(workdir);
        return err_nomem(err);
    }
    free(chain->workdir);
    strv_done(&chain->workdirs);
    chain->workdir = workdir;
    chain->workdirs = workdirs;
    chain->first = index;
    return 0;
}

int chain_push(struct chain *chain, size_t index, const char *directory, const struct strv *volumes,
               struct err *err) {
    uint64_t number;
    int r = strv_push_take(&chain->layers, str_printf("%s/tree", directory));

    for (size_t i = 0; r == 0 && i < volumes->n; i++)
        if (str_to_u64(volumes->items[i], UINT64_MAX, &number) == 0 &&
            number < chain->request->plan->n_volumes)
            r = strv_push_take(&chain->volume_layers[number],
                               str_printf("%s/volume.%s", directory, volumes->items[i]));
    if (r < 0)
        return err_nomem(err);
    snprintf(chain->top, sizeof chain->top, "%s", directory);
    r = chain_move_workdir(chain, index + 1, err);
    return r == 0 ? chain_use_squashed(chain, err) : r;
}
