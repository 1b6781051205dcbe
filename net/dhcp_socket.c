/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DHCP over plain UDP sockets.
 *
 * A client without an address is usually written with a packet socket; a UDP
 * socket does as well on Linux as long as it is bound to its link and all
 * goes by broadcast, and unlike a packet socket it is closed without waiting
 * for a grace period (11 to 15 ms).
 *
 * A container's server hears its own client alone: a filter in the kernel
 * compares the client's hardware address, so that one container's flood wakes
 * nobody else's supervisor.
 */
#include "dhcp_socket.h"

#include "engine/base/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* A filter on a UDP socket sees the UDP header first. */
#define OFFSET_CHADDR (8 + 28)

int dhcp_socket_hear_only(int fd, const uint8_t mac[6], struct err *err) {
    uint32_t high =
        (uint32_t)mac[0] << 24 | (uint32_t)mac[1] << 16 | (uint32_t)mac[2] << 8 | mac[3];
    uint32_t low = (uint32_t)mac[4] << 8 | mac[5];
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, OFFSET_CHADDR),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, high, 0, 3),
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, OFFSET_CHADDR + 4),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, low, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = {.len = N_ELEMENTS(code), .filter = code};

    if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
        return err_errno(err, "DHCP socket: filter");
    return 0;
}

static int open_socket(const char *link, struct err *err) {
    _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int on = 1;

    if (fd < 0)
        return err_errno(err, "DHCP socket");
    if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, link, (socklen_t)strlen(link)) < 0)
        return err_errno(err, "DHCP socket: bind to %s", link);
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof on) < 0)
        return err_errno(err, "DHCP socket: options");
    return take_fd(fd);
}

static int bind_to(int fd, uint32_t address_be, uint16_t port, struct err *err) {
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {address_be}};

    if (bind(fd, (const struct sockaddr *)&address, sizeof address) < 0)
        return err_errno(err, "DHCP socket: bind to port %u", port);
    return 0;
}

int dhcp_socket_open_server(const char *link, struct err *err) {
    _cleanup_close_ int fd = open_socket(link, err);
    int r;

    if (fd < 0)
        return fd;
    r = bind_to(fd, htonl(INADDR_ANY), DHCP_SERVER_PORT, err);
    return r < 0 ? r : take_fd(fd);
}

int dhcp_socket_open_renewal(const char *link, uint32_t server_be, uint32_t client_be,
                             struct err *err) {
    const struct sockaddr_in client = {
        .sin_family = AF_INET, .sin_port = htons(DHCP_CLIENT_PORT), .sin_addr = {client_be}};
    _cleanup_close_ int fd = open_socket(link, err);
    int r;

    if (fd < 0)
        return fd;
    r = bind_to(fd, server_be, DHCP_SERVER_PORT, err);
    if (r < 0)
        return r;
    if (connect(fd, (const struct sockaddr *)&client, sizeof client) < 0)
        return err_errno(err, "DHCP socket: connect");
    return take_fd(fd);
}

int dhcp_socket_open_client(const char *link, struct err *err) {
    _cleanup_close_ int fd = open_socket(link, err);
    int r;

    if (fd < 0)
        return fd;
    r = bind_to(fd, htonl(INADDR_ANY), DHCP_CLIENT_PORT, err);
    return r < 0 ? r : take_fd(fd);
}

int dhcp_socket_receive(int fd, struct dhcp_message *ret_message) {
    uint8_t data[DHCP_MAX_BYTES + 1];
    ssize_t n = recv(fd, data, sizeof data, 0);

    /* An ICMP error that an earlier message met is not this one's. */
    if (n < 0)
        return errno == ECONNREFUSED || errno == EINTR ? 0 : -errno;
    return dhcp_message_decode(ret_message, data, (size_t)n) == 0;
}

int dhcp_socket_send(int fd, const struct dhcp_message *message, uint32_t address_be, uint16_t port,
                     size_t max_bytes) {
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(port),
                                   .sin_addr = {address_be ? address_be : htonl(INADDR_BROADCAST)}};
    uint8_t data[DHCP_MAX_BYTES];
    ssize_t size = dhcp_message_encode(message, data, max_bytes);

    if (size < 0)
        return (int)size;
    if (sendto(fd, data, (size_t)size, MSG_NOSIGNAL, (const struct sockaddr *)&to, sizeof to) < 0 &&
        errno != EAGAIN && errno != ENOBUFS)
        return -errno;
    return 0;
}
