/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_MOMENT_H
#define MAYFLY_MOMENT_H

#include "engine/base/err.h"

#include <stdint.h>

/**
 * moment_parse() - a moment as people write it
 * @option: for errors
 * @text: RFC 3339 (a date alone, and no zone for UTC, as well), seconds since the epoch with a
 *        fraction, or a length of time with a unit: so long before @now_nsec
 *
 * Pure.
 * Return: 0 with nanoseconds since the epoch, or -EINVAL with a text.
 */
int moment_parse(const char *option, const char *text, uint64_t now_nsec, uint64_t *ret_nsec,
                 struct err *err);

#endif
