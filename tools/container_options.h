/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CONTAINER_OPTIONS_H
#define MAYFLY_CONTAINER_OPTIONS_H

#include "engine/base/err.h"
#include "engine/plan/plan.h"
#include "options.h"

#include <stddef.h>

/** CONTAINER_OPTION_FIRST - the ids of these options are from here on; commands' own are below. */
#define CONTAINER_OPTION_FIRST 2000

/**
 * container_options_append() - add the options about a container to a command's table
 * @specs: room for OPTIONS_MAX; @n_specs of them are taken
 */
void container_options_append(struct option_spec *specs, size_t *n_specs);

/**
 * container_options_apply() - write to a plan what one of these options says
 * @options: as options_next() has left it
 *
 * Return: 0, -EINVAL with a text that names the option and the mend, -ENOMEM.
 */
int container_options_apply(struct plan *plan, const struct options *options, struct err *err);

#endif
