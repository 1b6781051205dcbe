/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_RUN_EXECUTE_H
#define MAYFLY_RUN_EXECUTE_H

#include "console.h"
#include "run_options.h"

#include <stdbool.h>

/**
 * run_execute() - do what the one-liner's command line says, once
 * @ret_interrupted: whether a signal to this process has ended it; may be NULL
 *
 * One image is run by this very process; several, and one whose output has to pass through here,
 * by matrix_command().
 * Return: the exit status.
 */
int run_execute(const struct run_options *options, struct console *messages, bool *ret_interrupted);

/** matrix_command() - the actions once for each image; as run_execute(). */
int matrix_command(const struct run_options *options, struct console *messages,
                   bool *ret_interrupted);

#endif
