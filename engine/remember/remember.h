/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REMEMBER_H
#define MAYFLY_REMEMBER_H

#include "engine/base/err.h"
#include "engine/result.h"
#include "engine/session.h"

#include <stdbool.h>

/** remember_is_asked() - whether a plan has what takes more than one container. */
bool remember_is_asked(const struct plan *plan);

/**
 * remember_run() - carry out a plan, with the results of earlier runs where they are known
 * @ret_interrupted: the signal that ended it, with SUPERVISE_INTERRUPTED
 *
 * Context, Return: as of session_start() and steps_run() together.
 */
int remember_run(const struct session_request *request, struct result *result, int *ret_interrupted,
                 struct err *err);

#endif
