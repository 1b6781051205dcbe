/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_FORWARDING_H
#define MAYFLY_FORWARDING_H

#include "engine/base/err.h"

#include <net/if.h>
#include <stddef.h>

/* Context of all of these: host's network namespace; CAP_NET_ADMIN for those that set something.
 * @family: AF_INET, AF_INET6. */

/** forwarding_is_on() - Return: whether the host passes packets on; -errno with a text. */
int forwarding_is_on(int family, struct err *err);

/**
 * forwarding_allow() - see that the host passes packets on
 *
 * That it did not do so has to be on record already: whoever is killed here forbids it no more.
 * Return: 0 or -errno with a text.
 */
int forwarding_allow(int family, struct err *err);

/** forwarding_forbid() - as it was where forwarding_is_on() returned 0. */
void forwarding_forbid(int family);

/**
 * forwarding_allow_loopback() - let what comes from the host's IPv4 loopback addresses go out by a
 * link
 * Return: 0 or -errno with a text.
 */
int forwarding_allow_loopback(const char *link, struct err *err);

/**
 * forwarding_find_listeners() - links that have learned a route by a router advertisement, and
 * would learn no more if the host passed IPv6 packets on
 * @ret_names: room for @max; what is left over stays empty
 */
void forwarding_find_listeners(char (*ret_names)[IFNAMSIZ], size_t max);

/** forwarding_keep_listeners() - let them learn all the same.  Return: 0 or -errno with a text. */
int forwarding_keep_listeners(char (*names)[IFNAMSIZ], size_t max, struct err *err);

/** forwarding_release_listeners() - as before forwarding_keep_listeners(). */
void forwarding_release_listeners(char (*names)[IFNAMSIZ], size_t max);

#endif
