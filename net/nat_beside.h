/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_NAT_BESIDE_H
#define MAYFLY_NAT_BESIDE_H

#include "engine/base/err.h"

/**
 * nat_beside_open() - see that others' firewalls let a network's packets pass
 * @uplink: the host's link to the network
 *
 * Chains of others that drop what they do not know when it is passed on, as Docker's do, get two
 * rules that name the link.
 * Context: host's network namespace; CAP_NET_ADMIN.
 * Return: 0 or -errno with a text.
 */
int nat_beside_open(const char *uplink, struct err *err);

/** nat_beside_close() - take those rules away; there may be none.  Return: as above. */
int nat_beside_close(const char *uplink, struct err *err);

#endif
