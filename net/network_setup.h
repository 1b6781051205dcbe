/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NETWORK_SETUP_H
#define MAYFLY_NETWORK_SETUP_H

#include "dhcp_parameters.h"

#include "engine/base/err.h"

#include <stdint.h>

/**
 * network_set_lease() - give a link the address and the routes of a lease
 * @route_fd: a socket to rtnetlink in the link's namespace
 *
 * What is there already is kept or replaced, so that a lease can be set again.
 * Return: 0 or -errno with a text.
 */
int network_set_lease(int route_fd, uint32_t link, const struct dhcp_parameters *lease,
                      struct err *err);

#endif
