/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: a holder behind a handle. */
#include "attached.h"
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/live/ask.h"
#include "engine/message.h"
#include "library.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int library_start(const struct mayfly_plan *plan, bool grouped,
                  struct mayfly_container **ret_container, struct err *err) {
    struct mayfly_container *container = malloc(sizeof *container);
    struct plan own = plan->life.plan; /* its parts are borrowed */
    int r = container ? 0 : err_nomem(err);

    own.limits.wanted = grouped;
    if (r == 0)
        *container = (struct mayfly_container){.holder = HOLDER_INIT, .owner = getpid()};
    if (r == 0)
        r = library_check_kind(plan, LIBRARY_CONTAINER, err);
    if (r == 0)
        r = plan_check(&own, err);
    if (r == 0)
        r = holder_start(&container->holder, &own, err);
    if (r == 0)
        *ret_container = container;
    else
        mayfly_destroy(container);
    return r;
}

int mayfly_start(const struct mayfly_plan *plan, struct mayfly_container **ret_container,
                 struct mayfly_error *error) {
    struct err err = {0};

    return library_return(library_start(plan, true, ret_container, &err), &err, error);
}

int mayfly_attach(const char *name, struct mayfly_container **ret_container,
                  struct mayfly_error *error) {
    struct mayfly_container *container = malloc(sizeof *container);
    struct err err = {0};
    int r = container ? 0 : err_nomem(&err);

    if (r == 0) {
        *container = (struct mayfly_container){.holder = HOLDER_INIT};
        r = attached_new(name, &container->attached, &err);
    }
    if (r == 0)
        *ret_container = container;
    else
        free(container);
    return library_return(r, &err, error);
}

/* PID 1 stands still as well: whoever asks it for something would wait for the thaw. */
static int check_thawed(const struct mayfly_container *container, struct err *err) {
    return atomic_load(&container->is_frozen)
               ? err_set(err, -EBUSY, "the container is frozen: it has to be thawed first")
               : 0;
}

int library_connect(const struct mayfly_container *container, struct err *err) {
    int r = check_thawed(container, err);

    if (r < 0)
        return r;
    return container->attached ? attached_connect(container->attached, err)
                               : holder_connect(&container->holder, err);
}

const char *mayfly_name(const struct mayfly_container *container) {
    return container->attached ? container->attached->kept.name : container->holder.name;
}

int mayfly_wait_fd(const struct mayfly_container *container) {
    return container->attached ? container->attached->wait_fd : container->holder.control_fd;
}

int mayfly_wait(struct mayfly_container *container, uint64_t timeout_nsec,
                struct mayfly_error *error) {
    struct err err = {0};
    int r = library_wait_fd(mayfly_wait_fd(container), clock_add(clock_monotonic(), timeout_nsec),
                            &err);

    if (r < 0)
        return library_return(r, &err, error);
    if (container->attached)
        attached_reason(container->attached, &err);
    else
        holder_reason(&container->holder, &err);
    (void)library_return(-EPIPE, &err, error);
    return 0;
}

int mayfly_signal(struct mayfly_container *container, int number, struct mayfly_error *error) {
    const struct message message = {.kind = MESSAGE_SIGNAL, .value = number};
    _cleanup_close_ int fd = -1;
    struct err err = {0};
    int r = 0;

    if (number < 0 || number >= NSIG)
        r = err_set(&err, -EINVAL, "%d is no signal", number);
    else if (library_wait_fd(mayfly_wait_fd(container), 0, &err) == 0)
        r = err_set(&err, -EPIPE, "the container has ended");
    else if (container->attached)
        return library_return(
            number ? ask_simple(&container->attached->kept, ASK_SIGNAL, number, NULL, &err) : 0,
            &err, error);
    if (r == 0)
        r = fd = library_connect(container, &err);
    if (r >= 0)
        r = message_send(fd, &message, NULL, 0) < 0
                ? err_set(&err, -EPIPE, "the container has ended")
                : 0;
    return library_return(r, &err, error);
}

static int switch_frozen(struct mayfly_container *container, bool freeze,
                         struct mayfly_error *error) {
    const enum ask call = freeze ? ASK_PAUSE : ASK_UNPAUSE;
    struct err err = {0};
    int r;

    if (container->attached)
        r = ask_simple(&container->attached->kept, call, 0, NULL, &err);
    else if (atomic_load(&container->is_frozen) == freeze)
        r = err_set(&err, -EINVAL, "the container is %s", freeze ? "frozen already" : "not frozen");
    else
        r = holder_freeze(&container->holder, freeze, &err);
    if (r == 0 && !container->attached)
        atomic_store(&container->is_frozen, freeze);
    return library_return(r, &err, error);
}

int mayfly_freeze(struct mayfly_container *container, struct mayfly_error *error) {
    return switch_frozen(container, true, error);
}

int mayfly_thaw(struct mayfly_container *container, struct mayfly_error *error) {
    return switch_frozen(container, false, error);
}

int mayfly_commit(struct mayfly_container *container, const char *name, char **ret_id,
                  struct mayfly_error *error) {
    _cleanup_free_ char *id = NULL;
    struct err err = {0};
    int r = container->attached ? attached_commit(container->attached, name, &id, &err)
                                : holder_commit(&container->holder, name, &id, &err);

    if (r == 0 && ret_id)
        *ret_id = take_ptr(id);
    return library_return(r, &err, error);
}

int mayfly_remove(struct mayfly_container *container, struct mayfly_error *error) {
    struct err err = {0};
    int r = container->attached
                ? attached_remove(container->attached, &err)
                : err_set(&err, -EINVAL, "this container ends with its handle: mayfly_destroy()");

    return library_return(r, &err, error);
}

void mayfly_destroy(struct mayfly_container *container) {
    if (container) {
        holder_end(&container->holder);
        attached_free(container->attached);
    }
    free(container);
}

int mayfly_health(struct mayfly_container *container, enum mayfly_health *ret_health,
                  struct mayfly_error *error) {
    static const enum mayfly_health healths[] = {
        [HEALTH_NONE] = MAYFLY_NOT_ASKED,
        [HEALTH_STARTING] = MAYFLY_STARTING,
        [HEALTH_HEALTHY] = MAYFLY_HEALTHY,
        [HEALTH_UNHEALTHY] = MAYFLY_UNHEALTHY,
    };
    struct err err = {0};
    int r = container->attached ? attached_health(container->attached, &err) : HEALTH_NONE;

    if (r >= 0)
        *ret_health = healths[r];
    return library_return(r < 0 ? r : 0, &err, error);
}
