/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's settings that say whether it passes on what is not for itself.
 *
 * A host that passes IPv6 packets on is a router, and a router takes no router
 * advertisements: it would lose its own way out if it got that by one.  So its
 * links that have listened to a router so far are told to go on
 * (accept_ra=2), before it becomes one itself.
 *
 * Spec: the kernel's Documentation/networking/ip-sysctl.rst.
 */
#include "forwarding.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define PATH_BYTES 96
/* Of a route in /proc/net/ipv6_route that came by an advertisement: RTF_ADDRCONF. */
#define LEARNED 0x00040000u

static const char *path_of(int family) {
    return family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
                             : "/proc/sys/net/ipv6/conf/all/forwarding";
}

/** get() - the first digit of a setting, or -errno with a text. */
static int get(const char *path, struct err *err) {
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char value;

    if (fd < 0 || read(fd, &value, 1) != 1)
        return err_errno(err, "%s", path);
    return value - '0';
}

static int set(const char *path, char value, struct err *err) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

    return fd < 0 || write(fd, &value, 1) != 1 ? err_errno(err, "%s", path) : 0;
}

/** turn_on() - writes only what is not so yet. */
static int turn_on(const char *path, struct err *err) {
    int r = get(path, err);

    return r == 0 ? set(path, '1', err) : r < 0 ? r : 0;
}

int forwarding_is_on(int family, struct err *err) {
    int r = get(path_of(family), err);

    return r < 0 ? r : r > 0;
}

int forwarding_allow(int family, struct err *err) {
    return turn_on(path_of(family), err);
}

void forwarding_forbid(int family) {
    (void)set(path_of(family), '0', NULL);
}

int forwarding_allow_loopback(const char *link, struct err *err) {
    char path[PATH_BYTES];

    snprintf(path, sizeof path, "/proc/sys/net/ipv4/conf/%s/route_localnet", link);
    return turn_on(path, err);
}

/* Listeners. */

static void accept_path(const char *link, char ret[PATH_BYTES]) {
    snprintf(ret, PATH_BYTES, "/proc/sys/net/ipv6/conf/%s/accept_ra", link);
}

static bool has_name(char (*names)[IFNAMSIZ], size_t n, const char *name) {
    for (size_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

void forwarding_find_listeners(char (*ret_names)[IFNAMSIZ], size_t max) {
    _cleanup_fclose_ FILE *routes = fopen("/proc/net/ipv6_route", "re");
    char line[256], path[PATH_BYTES];
    size_t n = 0;

    memset(ret_names, 0, max * sizeof *ret_names);
    while (routes && n < max && fgets(line, sizeof line, routes)) {
        char link[IFNAMSIZ], flags[9];

        /* Destination, source, next hop, metric, counts; flags and link are the last two. */
        if (sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %8s %15s", flags, link) != 2 ||
            !(strtoul(flags, NULL, 16) & LEARNED) || has_name(ret_names, n, link))
            continue;
        accept_path(link, path);
        if (get(path, NULL) == 1)
            snprintf(ret_names[n++], IFNAMSIZ, "%s", link);
    }
}

int forwarding_keep_listeners(char (*names)[IFNAMSIZ], size_t max, struct err *err) {
    char path[PATH_BYTES];
    int r = 0;

    for (size_t i = 0; r == 0 && i < max && names[i][0]; i++) {
        accept_path(names[i], path);
        r = set(path, '2', err);
    }
    return r;
}

void forwarding_release_listeners(char (*names)[IFNAMSIZ], size_t max) {
    char path[PATH_BYTES];

    for (size_t i = 0; i < max && names[i][0]; i++) {
        accept_path(names[i], path);
        if (get(path, NULL) == 2)
            (void)set(path, '1', NULL);
    }
}
