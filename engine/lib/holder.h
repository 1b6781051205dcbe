/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_HOLDER_H
#define MAYFLY_HOLDER_H

#include "engine/base/err.h"
#include "engine/plan/plan.h"

/**
 * struct holder - the caller's end of a holder
 * @control_fd: readable when the container has ended by itself; its end ends the container
 * @pidfd: of the holder
 * @name: the container's; to free(3)
 */
struct holder {
    int control_fd;
    int pidfd;
    char *name;
};

#define HOLDER_INIT ((struct holder){.control_fd = -1, .pidfd = -1})

/**
 * holder_start() - start a container, held by a process of its own
 * @plan: checked
 *
 * Context: host; any thread.
 * Return: 0 or -errno with a text; holder_end() is due either way.
 */
int holder_start(struct holder *holder, const struct plan *plan, struct err *err);

/**
 * holder_connect() - a connection to PID 1, for one job
 *
 * Return: a descriptor, or -errno with a text.
 */
int holder_connect(const struct holder *holder, struct err *err);

/**
 * holder_commit() - make an image of the container, see session_commit()
 * @ret_id: to free(3)
 */
int holder_commit(const struct holder *holder, const char *name, char **ret_id, struct err *err);

/**
 * holder_freeze() - stop all processes of the container, or let them go on
 *
 * Return: 0, -EOPNOTSUPP with a text where there is no control group, or another -errno with a
 * text.
 */
int holder_freeze(const struct holder *holder, bool freeze, struct err *err);

/** holder_reason() - after the container has ended by itself: why, in words. */
void holder_reason(const struct holder *holder, struct err *err);

/** holder_end() - end the container and wait until it is unwound; a second call does nothing. */
void holder_end(struct holder *holder);

#endif
