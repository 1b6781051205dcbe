/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_WATCH_COMMAND_H
#define MAYFLY_WATCH_COMMAND_H

#include "console.h"
#include "run_options.h"

/**
 * watch_command() - run_execute() once, and again after each change of what --watch names
 *
 * Ends by a signal, and when nothing is left to watch.
 * Return: the exit status.
 */
int watch_command(const struct run_options *options, struct console *messages);

#endif
