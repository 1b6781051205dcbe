/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container gets its address by itself, from DHCP, and may get another; the kernel knows it.
 * Its routes are read through /proc, for which nobody has to enter its network namespace.
 */
#include "kept_address.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>

#define MAX_FILE_BYTES (1u << 20)

static char *read_routes(const struct kept *kept, const char *name) {
    char path[40], *text = NULL;

    snprintf(path, sizeof path, "/proc/%d/net/%s", (int)kept->state.pid, name);
    return fd_read_file(AT_FDCWD, path, MAX_FILE_BYTES, &text, NULL) < 0 ? NULL : text;
}

/* A leaf of the tree, "|-- 10.64.0.37", and below it what it is, "/32 host LOCAL". */
static void find_address(char *text, char ret_address[INET_ADDRSTRLEN]) {
    const char *leaf = NULL;

    for (char *line; (line = strsep(&text, "\n"));) {
        const char *rest = str_after(line + strspn(line, " "), "|-- ");

        if (rest)
            leaf = rest;
        else if (leaf && strstr(line, "/32 host LOCAL") && !str_after(leaf, "127.")) {
            snprintf(ret_address, INET_ADDRSTRLEN, "%s", leaf);
            return;
        }
    }
}

/* The route to everywhere; addresses are numbers in the order of the machine's bytes. */
static void find_gateway(char *text, char ret_gateway[INET_ADDRSTRLEN]) {
    for (char *line; (line = strsep(&text, "\n"));) {
        struct in_addr gateway;
        unsigned destination, mask;

        if (sscanf(line, "%*s %x %x %*x %*d %*d %*d %x", &destination, &gateway.s_addr, &mask) ==
                3 &&
            destination == 0 && mask == 0 && gateway.s_addr != 0) {
            (void)inet_ntop(AF_INET, &gateway, ret_gateway, INET_ADDRSTRLEN);
            return;
        }
    }
}

void kept_address(const struct kept *kept, struct kept_address *ret_address) {
    _cleanup_free_ char *tree = NULL, *routes = NULL;

    *ret_address = (struct kept_address){0};
    if (!kept_is_live(kept) || kept->state.pid <= 0)
        return;
    tree = read_routes(kept, "fib_trie");
    routes = read_routes(kept, "route");
    if (tree)
        find_address(tree, ret_address->address);
    if (routes)
        find_gateway(routes, ret_address->gateway);
}
