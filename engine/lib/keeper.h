/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEEPER_H
#define MAYFLY_KEEPER_H

#include "engine/base/err.h"
#include "engine/plan.h"

/**
 * struct keeper - the caller's end of a keeper
 * @control_fd: readable when the container has ended by itself; its end ends the container
 * @pidfd: of the keeper
 * @name: the container's; to free(3)
 */
struct keeper {
    int control_fd;
    int pidfd;
    char *name;
};

#define KEEPER_INIT ((struct keeper){.control_fd = -1, .pidfd = -1})

/**
 * keeper_start() - start a container, held by a process of its own
 * @plan: checked
 *
 * Context: host; any thread.
 * Return: 0 or -errno with a text; keeper_end() is due either way.
 */
int keeper_start(struct keeper *keeper, const struct plan *plan, struct err *err);

/**
 * keeper_connect() - a connection to PID 1, for one job
 *
 * Return: a descriptor, or -errno with a text.
 */
int keeper_connect(const struct keeper *keeper, struct err *err);

/** keeper_reason() - after the container has ended by itself: why, in words. */
void keeper_reason(const struct keeper *keeper, struct err *err);

/** keeper_end() - end the container and wait until it is unwound; a second call does nothing. */
void keeper_end(struct keeper *keeper);

#endif
