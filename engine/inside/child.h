/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CHILD_H
#define MAYFLY_CHILD_H

#include "engine/container.h"

/**
 * child_main() - the container's side of a run, the mirror of session_start()
 *
 * Context: the child of the clone, in its new namespaces.
 * Return: the exit status of PID 1; nobody looks at it.
 */
int child_main(struct container *container);

/**
 * child_hide_arguments() - have "mayfly" alone for a command line
 *
 * The host's names paths of volumes and more.
 * Context: where /proc is still the host's.
 */
void child_hide_arguments(void);

/** child_reset_signals() - all at their default, and blocked: they are read from a descriptor. */
void child_reset_signals(void);

#endif
