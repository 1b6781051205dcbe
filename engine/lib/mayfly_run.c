/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that lives on, as the command "run -d" makes it: described and
 * started by a child, whose grandchild is its supervisor; this process only
 * attaches to it then.
 */
#include "engine/base/str.h"
#include "engine/live/warden.h"
#include "library.h"

#include "engine/base/cleanup.h"

#include <errno.h>

struct request {
    struct life *life;
    const char *const *argv;
    pid_t owner;
};

/* What could not begin is as if it had never been. */
static void undo(struct containers *containers, struct kept *kept) {
    struct err ignored;

    if (kept_lock(kept, true, &ignored) == 0)
        (void)containers_remove(containers, kept, &ignored);
}

static int describe(struct life *life, const char *const *argv, struct err *err) {
    int r = 0;

    for (; r == 0 && argv && *argv; argv++)
        r = life_set(life, "argument", *argv, err);
    return r == 0 ? life_check(life, err) : r;
}

/* In the child, whose copy of the description is its own. */
static int run_here(void *argument, struct buf *answer, struct err *err) {
    const struct request *request = argument;
    static const struct run_hooks no_hooks;
    _cleanup_containers_ struct containers containers = CONTAINERS_INIT;
    _cleanup_kept_ struct kept kept = KEPT_INIT;
    const struct warden_request start = {
        .containers = &containers,
        .kept = &kept,
        .life = request->life,
        .hooks = &no_hooks,
        .socket_fd = -1,
        .stdio = {-1, -1, -1},
        .owner = request->owner,
    };
    int signal, r = describe(request->life, request->argv, err);

    if (r == 0)
        r = containers_open(&containers, NULL, NULL, err);
    if (r == 0)
        r = containers_create(&containers, request->life, &kept, err);
    if (r < 0)
        return r;
    r = warden_start(&start, &signal, err);
    kept_unlock(&kept);
    if (r == 0)
        buf_puts(answer, kept.id);
    else
        undo(&containers, &kept);
    return r > 0 ? -EIO : r;
}

int mayfly_run(const struct mayfly_plan *plan, const char *const *argv,
               struct mayfly_container **ret_container, struct mayfly_error *error) {
    struct request request = {.life = (struct life *)&plan->life, .argv = argv, .owner = getpid()};
    _cleanup_free_ char *id = NULL;
    struct err err = {0};
    int r = library_check_kind(plan, LIBRARY_LASTING, &err);

    if (r == 0)
        r = library_call(run_here, &request, &id, &err);

    return r == 0 ? mayfly_attach(id, ret_container, error) : library_return(r, &err, error);
}
