/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_KEPT_ADDRESS_H
#define MAYFLY_KEPT_ADDRESS_H

#include "containers.h"

#include <netinet/in.h>

/** struct kept_address - where a container is on its network, as text; "": nowhere, none */
struct kept_address {
    char address[INET_ADDRSTRLEN];
    char gateway[INET_ADDRSTRLEN];
};

/**
 * kept_address() - ask the kernel for a container's IPv4 address and its way out
 *
 * Without I/O beside /proc, and nothing of it for one that does not run.
 * Spec: proc(5), /proc/[pid]/net.
 */
void kept_address(const struct kept *kept, struct kept_address *ret_address);

#endif
