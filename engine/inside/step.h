/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_STEP_H
#define MAYFLY_STEP_H

#include "engine/base/err.h"
#include "engine/base/str.h"
#include "engine/confine/confine.h"
#include "engine/confine/ulimit.h"
#include "engine/confine/user.h"

#include <stdbool.h>
#include <sys/types.h>

/**
 * struct step - a program to start
 * @argv, @env: as for execve(2); argv[0] without a slash is looked up in the PATH of @env
 * @workdir: absolute
 * @ulimits: limits that it takes on; NULL: none
 * @user: NULL when ids cannot be changed
 * @stdio: its standard descriptors; -1 takes the terminal
 * @terminal_fd: becomes its controlling terminal; -1: none
 * @confine: the container's, for what each step does by itself
 * @enter: done first, before anything is given up; NULL: nothing is.  It may be called in PID 1's
 *         memory; 0, or -errno with a text that @argument leads to
 */
struct step {
    char *const *argv;
    char *const *env;
    const char *workdir;
    const struct ulimits *ulimits;
    const struct user *user;
    int stdio[3];
    int terminal_fd;
    const struct confine *confine;
    int (*enter)(void *argument);
    void *argument;
};

/**
 * step_spawn() - start a step in a session of its own
 *
 * Context: PID 1, after pivot; all signals at their default, all descriptors O_CLOEXEC.
 * Return: its pid, or -errno with a text; -ENOENT and -EACCES say that the program itself is
 * missing or cannot be executed.
 */
pid_t step_spawn(const struct step *step, struct err *err);

/**
 * step_enter() - become what a step is, but for its program
 *
 * Context: a child of PID 1 that has its memory for itself.
 * Return: 0 or -errno.
 */
int step_enter(const struct step *step);

#endif
