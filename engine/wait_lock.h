/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_WAIT_LOCK_H
#define MAYFLY_WAIT_LOCK_H

#include "base/err.h"
#include "supervise.h"

/**
 * wait_lock() - take a lock, however long it takes, unless the run is to end
 * @operation: LOCK_SH or LOCK_EX
 *
 * Spec: flock(2).
 * Return: 0, a SUPERVISE_ condition, or -errno with a text.
 */
int wait_lock(struct supervisor *supervisor, int fd, int operation, struct err *err);

#endif
