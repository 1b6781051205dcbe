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

#endif
