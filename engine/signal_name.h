/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SIGNAL_NAME_H
#define MAYFLY_SIGNAL_NAME_H

#include "base/err.h"

/**
 * signal_name_parse() - a signal as people write it
 * @text: TERM, SIGTERM, sigterm, 15, RTMIN+3 or RTMAX-1
 *
 * Pure.  Spec: signal(7).
 * Return: its number, from 1, or -EINVAL with a text.
 */
int signal_name_parse(const char *text, struct err *err);

#endif
