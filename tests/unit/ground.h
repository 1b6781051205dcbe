/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TEST_GROUND_H
#define MAYFLY_TEST_GROUND_H

#include "engine/lib/mayfly.h"
#include "scratch.h"

/**
 * struct ground - what tests of the library stand on: a root file system of busybox alone, a store
 *                 of its own (MAYFLY_STORE), and a plan of a container without network
 */
struct ground {
    struct scratch scratch;
    struct mayfly_plan *plan;
};

void ground_init(struct ground *ground);
void ground_done(struct ground *ground);

/** ground_option() - mayfly_plan_option() that has to succeed. */
void ground_option(const struct ground *ground, const char *name, const char *value);

/** ground_start() - mayfly_start() that has to succeed. */
struct mayfly_container *ground_start(const struct ground *ground);

/** ground_import() - make the root file system an image of the store; the plan is of that then. */
void ground_import(struct ground *ground, const char *name);

/** ground_exec() - mayfly_exec() that has to succeed; its result is for mayfly_result_done(). */
struct mayfly_result ground_exec(struct mayfly_container *container,
                                 const struct mayfly_command *command);

/** ground_descriptors() - how many are open in this process, those of the looking included. */
int ground_descriptors(void);

/** ground_nothing() - a mayfly_function that returns 0. */
int ground_nothing(const void *argument, size_t n_argument, void *result, size_t *n_result);

#endif
