/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PROTECT_H
#define MAYFLY_PROTECT_H

/**
 * protect_program() - start this program anew, from a sealed copy in memory
 *
 * With the same arguments and environment and no signal blocked.
 * Context: before anything was begun that a new start would repeat.
 * Return: only when it failed.
 */
void protect_program(void);

#endif
