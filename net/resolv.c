/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The texts by which a container's C library finds names: /etc/resolv.conf
 * from a lease, /etc/hosts from the container's own address, and the reading
 * of the host's resolv.conf for containers that may use its servers.
 */
#include "resolv.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_FILE_BYTES 65536

static bool add_server(struct resolv *resolv, const char *text) {
    struct in6_addr *server = &resolv->servers[resolv->n_servers];
    struct in_addr v4;

    if (resolv->n_servers == RESOLV_MAX_SERVERS)
        return false;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        *server = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
        memcpy(server->s6_addr + 12, &v4, 4);
    } else if (inet_pton(AF_INET6, text, server) != 1) {
        return false;
    }
    resolv->n_servers++;
    return true;
}

static void add_search(struct resolv *resolv, const char *name) {
    size_t used = strlen(resolv->search);
    size_t length = strlen(name);
    char dotless[DHCP_MAX_NAME];

    if (length > 1 && length < sizeof dotless && name[length - 1] == '.') {
        memcpy(dotless, name, length - 1);
        dotless[--length] = '\0';
        name = dotless;
    }
    if (!dhcp_name_is_valid(name) || used + length + 2 > sizeof resolv->search)
        return;
    if (used > 0)
        resolv->search[used++] = ' ';
    memcpy(resolv->search + used, name, length + 1);
}

/** parse_line() - one line, which is cut into its words. */
static void parse_line(struct resolv *resolv, char *line) {
    char *rest;
    char *key = strtok_r(line, " \t", &rest);
    char *word;

    if (!key)
        return;
    if (str_eq(key, "nameserver")) {
        word = strtok_r(NULL, " \t", &rest);
        if (word)
            add_server(resolv, word);
    } else if (str_eq(key, "search") || str_eq(key, "domain")) {
        resolv->search[0] = '\0';
        while ((word = strtok_r(NULL, " \t", &rest)))
            add_search(resolv, word);
    }
}

void resolv_parse(struct resolv *ret, const char *text) {
    *ret = (struct resolv){0};
    while (*text) {
        size_t length = strcspn(text, "\r\n");
        char line[DHCP_MAX_SEARCH];

        if (length < sizeof line) {
            memcpy(line, text, length);
            line[length] = '\0';
            line[strcspn(line, "#;")] = '\0';
            parse_line(ret, line);
        }
        text += length;
        text += strspn(text, "\r\n");
    }
}

static bool is_loopback(const struct in6_addr *server) {
    return IN6_IS_ADDR_LOOPBACK(server) ||
           (IN6_IS_ADDR_V4MAPPED(server) && server->s6_addr[12] == 127);
}

void resolv_of_host(struct resolv *ret, bool is_host) {
    static const char *const paths[] = {"/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"};

    *ret = (struct resolv){0};
    for (size_t i = 0; i < N_ELEMENTS(paths) && ret->n_servers == 0; i++) {
        _cleanup_free_ char *text = NULL;
        size_t n = 0;

        if (fd_read_file(AT_FDCWD, paths[i], MAX_FILE_BYTES, &text, NULL) < 0)
            continue;
        resolv_parse(ret, text);
        for (size_t k = 0; k < ret->n_servers; k++)
            if (is_host || !is_loopback(&ret->servers[k]))
                ret->servers[n++] = ret->servers[k];
        ret->n_servers = n;
    }
}

/** has_name() - whether a list of names has one. */
static bool has_name(const char *names, const char *name) {
    size_t length = strlen(name);

    while (*names) {
        size_t n = strcspn(names, " ");

        if (n == length && strncmp(names, name, n) == 0)
            return true;
        names += n;
        names += strspn(names, " ");
    }
    return false;
}

void resolv_from_lease(struct resolv *ret, const struct dhcp_parameters *lease) {
    *ret = (struct resolv){0};
    for (size_t i = 0; i < lease->n_dns; i++) {
        char text[INET_ADDRSTRLEN];

        add_server(ret, inet_ntop(AF_INET, &lease->dns_be[i], text, sizeof text));
    }
    if (lease->domain[0] && !has_name(lease->search, lease->domain))
        add_search(ret, lease->domain);
    if (lease->search[0]) {
        size_t used = strlen(ret->search);

        snprintf(ret->search + used, sizeof ret->search - used, "%s%s", used > 0 ? " " : "",
                 lease->search);
    }
}

void resolv_format(const struct resolv *resolv, struct buf *buf) {
    for (size_t i = 0; i < resolv->n_servers; i++) {
        const struct in6_addr *server = &resolv->servers[i];
        char text[INET6_ADDRSTRLEN];

        if (IN6_IS_ADDR_V4MAPPED(server))
            inet_ntop(AF_INET, server->s6_addr + 12, text, sizeof text);
        else
            inet_ntop(AF_INET6, server, text, sizeof text);
        buf_printf(buf, "nameserver %s\n", text);
    }
    if (resolv->search[0])
        buf_printf(buf, "search %s\n", resolv->search);
}

void resolv_hosts_format(uint32_t address_be, const struct in6_addr *address6, const char *name,
                         struct buf *buf) {
    char text[INET6_ADDRSTRLEN];

    buf_puts(buf, "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    if (address_be != 0)
        buf_printf(buf, "%s\t%s\n", inet_ntop(AF_INET, &address_be, text, sizeof text), name);
    else
        buf_printf(buf, "127.0.1.1\t%s\n", name);
    if (address6)
        buf_printf(buf, "%s\t%s\n", inet_ntop(AF_INET6, address6, text, sizeof text), name);
}
