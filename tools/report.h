/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_REPORT_H
#define MAYFLY_REPORT_H

#include "engine/base/err.h"
#include "engine/plan.h"
#include "engine/result.h"

/**
 * report_check() - find out before a run whether its report could be written after it
 *
 * Makes nothing.
 * Return: 0 or -errno with a text that names the file.
 */
int report_check(const char *path, struct err *err);

/**
 * report_write() - write a run's result as JSON
 * @path: a regular file, or none yet, is replaced as a whole; anything else (a pipe, a device) is
 *        written to
 *
 * Return: 0 or -errno with a text that names the file.
 */
int report_write(const char *path, const struct result *result, const struct plan *plan,
                 struct err *err);

#endif
