/* SPDX-License-Identifier: Apache-2.0 */
/* What registry.c and registry_push.c have in common. */
#ifndef MAYFLY_REGISTRY_LOGIN_H
#define MAYFLY_REGISTRY_LOGIN_H

#include "registry.h"

/**
 * registry_log_in() - do what a registry's 401 asks for
 * @header: its WWW-Authenticate, or NULL
 *
 * Return: 0, with a new @registry->authorization, or -errno with a text.
 */
int registry_log_in(struct registry *registry, const char *header, struct err *err);

#endif
