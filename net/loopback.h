/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_LOOPBACK_H
#define MAYFLY_LOOPBACK_H

#include "engine/base/err.h"

/**
 * loopback_up() - bring up lo in this network namespace
 *
 * Context: child, CAP_NET_ADMIN over its network namespace.
 * Return: 0 or -errno with a text.
 */
int loopback_up(struct err *err);

#endif
