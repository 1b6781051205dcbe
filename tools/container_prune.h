/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONTAINER_PRUNE_H
#define MAYFLY_CONTAINER_PRUNE_H

#include "verb.h"

/**
 * struct container_prune - which containers go of those that do not run
 * @labels: all of them, each wanted or, behind a '!', not
 * @until_nsec: they have not run since; CLOCK_NEVER: whenever it was
 */
struct container_prune {
    struct strv labels;
    uint64_t until_nsec;
};

/**
 * container_prune() - remove them, and print the id of each
 * @before: stands before each id
 *
 * Return: 0 or -errno with a text.
 */
int container_prune(struct verb_job *job, const struct container_prune *which, const char *before,
                    struct err *err);

#endif
