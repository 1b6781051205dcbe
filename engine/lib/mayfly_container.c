/* SPDX-License-Identifier: Apache-2.0 */
/* Containers: a holder behind a handle. */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/message.h"
#include "library.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

int mayfly_start(const struct mayfly_plan *plan, struct mayfly_container **ret_container,
                 struct mayfly_error *error) {
    struct mayfly_container *container = malloc(sizeof *container);
    struct err err = {0};
    int r = container ? plan_check(&plan->plan, &err) : err_nomem(&err);

    if (container) {
        container->holder = HOLDER_INIT;
        container->owner = getpid();
    }
    if (r == 0)
        r = holder_start(&container->holder, &plan->plan, &err);
    if (r == 0)
        *ret_container = container;
    else
        mayfly_destroy(container);
    return library_return(r, &err, error);
}

const char *mayfly_name(const struct mayfly_container *container) {
    return container->holder.name;
}

int mayfly_wait_fd(const struct mayfly_container *container) {
    return container->holder.control_fd;
}

int mayfly_wait(struct mayfly_container *container, uint64_t timeout_nsec,
                struct mayfly_error *error) {
    struct err err = {0};
    int r = library_wait_fd(container->holder.control_fd,
                            clock_add(clock_monotonic(), timeout_nsec), &err);

    if (r < 0)
        return library_return(r, &err, error);
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
    else if (library_wait_fd(container->holder.control_fd, 0, &err) == 0)
        r = err_set(&err, -EPIPE, "the container has ended");
    if (r == 0)
        r = fd = holder_connect(&container->holder, &err);
    if (r >= 0)
        r = message_send(fd, &message, NULL, 0) < 0
                ? err_set(&err, -EPIPE, "the container has ended")
                : 0;
    return library_return(r, &err, error);
}

int mayfly_commit(struct mayfly_container *container, const char *name, char **ret_id,
                  struct mayfly_error *error) {
    _cleanup_free_ char *id = NULL;
    struct err err = {0};
    int r = holder_commit(&container->holder, name, &id, &err);

    if (r == 0 && ret_id)
        *ret_id = take_ptr(id);
    return library_return(r, &err, error);
}

void mayfly_destroy(struct mayfly_container *container) {
    if (container)
        holder_end(&container->holder);
    free(container);
}
