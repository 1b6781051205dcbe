/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_PLAN_OPTION_H
#define MAYFLY_PLAN_OPTION_H

#include "engine/base/err.h"
#include "plan.h"

/**
 * plan_option() - write to a plan what an option about the container says
 * @name: as on the command line, without "--": "volume", "read-only"
 * @value: its argument; NULL where it takes none
 *
 * Return: 0, -ENOENT with a text for a name that is no option, -EINVAL with a text that names the
 * option and the mend, -ENOMEM.
 */
int plan_option(struct plan *plan, const char *name, const char *value, struct err *err);

/**
 * plan_run_option() - the same for what an option says of a whole run: "remember", "remember-for",
 *                     "timeout", "step-timeout"
 */
int plan_run_option(struct plan *plan, const char *name, const char *value, struct err *err);

#endif
