/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_ENTER_H
#define MAYFLY_NETWORK_ENTER_H

#include "engine/base/err.h"

#include <stdbool.h>

/** network_enter_new() - make a network namespace, owned by this process's user namespace.
 * Context: CAP_SYS_ADMIN.  Return: a descriptor of it, or -errno with a text. */
int network_enter_new(struct err *err);

/**
 * network_enter() - call a function in a network namespace
 * @with_owner: also in the user namespace that owns it, as its root; needed without privileges
 * @function: may change memory and open descriptors, which are this process's; may not end it
 *
 * Context: single-threaded.  With @with_owner the user who made that user namespace; else
 * CAP_SYS_ADMIN.
 * Return: what @function returned, or -errno with a text.
 */
int network_enter(int ns_fd, bool with_owner, int (*function)(void *argument, struct err *err),
                  void *argument, struct err *err);

/** network_enter_owner() - the user namespace that owns a network namespace.
 * Return: a descriptor, or -errno with a text. */
int network_enter_owner(int ns_fd, struct err *err);

#endif
