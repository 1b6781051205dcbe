/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sockets of a container's name server.  Each container has an address of
 * its own to ask at (subnet.h), so that every supervisor has a socket to
 * itself; a filter in the kernel drops what other containers send there.
 */
#include "dns_socket.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define IPV4_SOURCE 12
/* Connections that the kernel keeps until there is a place for them. */
#define MAX_WAITING 16

int dns_socket_hear_only(int fd, uint32_t client_be, struct err *err) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_NET_OFF + IPV4_SOURCE),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ntohl(client_be), 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = N_ELEMENTS(code), .filter = code};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
        return err_errno(err, "name server's socket: filter");
    return 0;
}

static int open_own(int type, uint32_t address_be, struct err *err) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(DNS_PORT), .sin_addr = {address_be}};
    _cleanup_close_ int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return err_errno(err, "name server's socket");
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return err_errno(err, "name server's socket");
    return take_fd(fd);
}

int dns_socket_open_server(uint32_t address_be, struct err *err) {
    return open_own(SOCK_DGRAM, address_be, err);
}

int dns_socket_open_listener(uint32_t address_be, struct err *err) {
    _cleanup_close_ int fd = open_own(SOCK_STREAM, address_be, err);

    if (fd < 0)
        return fd;
    if (listen(fd, MAX_WAITING) < 0)
        return err_errno(err, "name server's socket");
    return take_fd(fd);
}

int dns_socket_open_upstream(const struct in6_addr *server, int type) {
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DNS_PORT)};
    struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(DNS_PORT), .sin6_addr = *server};
    bool is_v4 = IN6_IS_ADDR_V4MAPPED(server);
    _cleanup_close_ int fd =
        socket(is_v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r;

    memcpy(&v4.sin_addr, server->s6_addr + 12, 4);
    if (fd < 0)
        return -errno;
    r = is_v4 ? connect(fd, (const struct sockaddr *)&v4, sizeof v4)
              : connect(fd, (const struct sockaddr *)&v6, sizeof v6);
    return r < 0 && errno != EINPROGRESS ? -errno : take_fd(fd);
}
