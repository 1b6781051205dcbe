/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that does not run is made up as its supervisor would do it, with
 * its layers, its changes and its volumes, so that files are found where its
 * programs would find them; its lock keeps everybody else away meanwhile.
 */
#include "kept_visit.h"

#include "ask.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/str.h"
#include "engine/session.h"

#include <errno.h>

/* What is looked at is its files alone. */
static void strip(struct plan *plan) {
    plan->net = NET_NONE;
    plan->n_ports = 0;
    plan->init_system = false;
    plan->limits.wanted = false;
}

static int visit(struct containers *containers, struct kept *kept, struct life *life,
                 int (*act)(int job_fd, void *argument, struct err *err), void *argument,
                 struct err *err) {
    _cleanup_free_ char *changes = str_printf("containers/%s", kept->id);
    _cleanup_free_ struct session *session = calloc(1, sizeof *session);
    const struct run_hooks hooks = {.log = *containers->log};
    const struct session_request request = {
        .plan = &life->plan,
        .hooks = &hooks,
        .signal_fd = -1,
        .deadline_nsec = CLOCK_NEVER,
        .changes = changes,
    };
    _cleanup_close_ int fd = -1;
    int r = session && changes ? session_start(session, &request, err) : err_nomem(err);

    if (r != 0)
        return r < 0 ? r : -EINTR;
    r = kept_check_image(kept, life->plan.image, session->container.image.id, err);
    if (r == 0)
        r = fd = session_connect(session, err);
    if (r >= 0)
        r = act(fd, argument, err);
    session_end(session);
    return r;
}

int kept_visit(struct containers *containers, struct kept *kept,
               int (*act)(int job_fd, void *argument, struct err *err), void *argument,
               struct err *err) {
    _cleanup_close_ int fd = kept_is_live(kept) ? ask_job(kept, err) : -1;
    _cleanup_life_ struct life life;
    int r;

    life_init(&life);
    if (kept_is_live(kept))
        return fd < 0 ? fd : act(fd, argument, err);
    r = kept_lock(kept, false, err);
    if (r == 0)
        r = kept_life(kept, &life, err);
    if (r == 0 && life.remove)
        r = err_set(err, -EINVAL,
                    "container %s goes when it ends (--rm) and has nothing before it is started",
                    kept->name);
    strip(&life.plan);
    if (r == 0)
        r = visit(containers, kept, &life, act, argument, err);
    kept_unlock(kept);
    return r;
}
