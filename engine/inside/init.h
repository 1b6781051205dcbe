/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_INIT_H
#define MAYFLY_INIT_H

#include "engine/base/err.h"
#include "engine/confine/emulate.h"
#include "engine/container.h"

/**
 * init_run() - be PID 1 of a container: do actions as they are asked for, reap, forward signals
 * @emulator: NULL unless ids are emulated
 *
 * Context: PID 1, after pivot, confined; every signal blocked.
 * Return: 0 when the host's side is gone, or -errno with a text when it could not begin.
 */
int init_run(const struct container *container, struct emulator *emulator, struct err *err);

#endif
