/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PROCESS_H
#define MAYFLY_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

/**
 * process_is_alive() - whether there is a process of that number that has not ended
 *
 * One that has ended keeps its number until somebody has asked how, which not every process 1 does
 * at once.
 */
bool process_is_alive(pid_t pid);

#endif
