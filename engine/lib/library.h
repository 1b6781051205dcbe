/* SPDX-License-Identifier: Apache-2.0 */
/* What the library's own files share; not installed. */
#ifndef MAYFLY_LIBRARY_H
#define MAYFLY_LIBRARY_H

#include "engine/base/buf.h"
#include "engine/base/err.h"
#include "engine/live/life.h"
#include "holder.h"
#include "mayfly.h"

#include <stdatomic.h>
#include <sys/types.h>

/**
 * struct mayfly_plan
 * @life: with the plan of the container in it
 * @lasting: the first option that only a container of mayfly_run() can have; to free(3)
 * @performed: the first option or action that only mayfly_perform() knows; to free(3)
 * @is_transient, @is_forgotten: what the next step will be
 */
struct mayfly_plan {
    struct life life;
    char *lasting;
    char *performed;
    bool is_transient;
    bool is_forgotten;
};

/** enum library_kind - what a plan is used for */
enum library_kind {
    LIBRARY_CONTAINER, /* mayfly_start() and the like */
    LIBRARY_LASTING,   /* mayfly_run() */
    LIBRARY_WHOLE_RUN, /* mayfly_perform() */
};

/** library_check_kind() - an error if a plan has what only others can have.  Return: 0 or -EINVAL
 * with a text. */
int library_check_kind(const struct mayfly_plan *plan, enum library_kind kind, struct err *err);

struct attached;

/**
 * struct mayfly_container
 * @holder: of one that this library has started
 * @owner: the process that has started it, whose functions it knows; 0: none
 * @is_frozen: by mayfly_freeze(); of one that this library has started
 * @attached: of one that somebody else has started; else NULL
 */
struct mayfly_container {
    struct holder holder;
    pid_t owner;
    atomic_bool is_frozen;
    struct attached *attached;
};

/**
 * library_start() - see mayfly_start()
 * @grouped: it has a control group where the host gives one, which takes its time
 */
int library_start(const struct mayfly_plan *plan, bool grouped,
                  struct mayfly_container **ret_container, struct err *err);

/**
 * library_connect() - a connection to a container's PID 1, for one job
 *
 * Return: a descriptor, or -errno with a text.
 */
int library_connect(const struct mayfly_container *container, struct err *err);

/**
 * library_return() - hand an error to the caller
 * @r: what the engine returned; a positive condition becomes -EPERM
 *
 * Return: @r, never positive.
 */
int library_return(int r, const struct err *err, struct mayfly_error *error);

/**
 * library_call() - have work done by a child
 * @work: appends to @answer what the caller is to know
 * @ret_answer: that, NUL-terminated, for free(3); may be NULL
 *
 * The engine takes signals and waits for children of its own: in a child that is nobody else's
 * business, and safe whatever the caller's other threads hold.
 * Context: host.
 * Return: what @work returned, or a negative errno with a text.
 */
int library_call(int (*work)(void *argument, struct buf *answer, struct err *err), void *argument,
                 char **ret_answer, struct err *err);

/**
 * library_begin_child() - in a child that stays for a while: signals as at a program's start, and
 *                         nothing of the caller's open but what it is given
 * @stdio: what become 0, 1 and 2; NULL: the null device
 * @fd: becomes 3, O_CLOEXEC set
 *
 * Return: 3 or -errno.
 */
int library_begin_child(const int *stdio, int fd);

/**
 * library_wait_fd() - wait until a descriptor is readable or hung up
 * @deadline_nsec: CLOCK_MONOTONIC; CLOCK_NEVER; 0: just look
 *
 * Return: 0, -ETIMEDOUT or another -errno with a text.
 */
int library_wait_fd(int fd, uint64_t deadline_nsec, struct err *err);

#endif
