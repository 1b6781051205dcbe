/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisors of one network's containers have to know of each other:
 * the subnet, who has which address, and where the bridge's namespace is.
 * There is no daemon that knows it, so it stands in a file that is replaced
 * whole, under a lock on its directory.
 *
 *     mayfly-network 2
 *     subnet 10.64.0.0/20
 *     leads closed
 *     next-port 18
 *     member 4711 9 4026532345 16 10.64.0.2 02a1b2c3d4e5 web web www.example
 *     end
 *
 * The file may be older than the machine's last start, or name supervisors
 * that were killed.  Nothing that it says of them is believed before it has
 * been tried.
 */
#include "network_state.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/process.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>

#define MAGIC "mayfly-network 2"
#define SUFFIX ".network"
#define MAX_FILE_BYTES (16u << 20)

void network_state_done(struct network_state *state) {
    free(state->members);
    free(state->publications);
    *state = NETWORK_STATE_INIT;
}

/** grow() - room for one more; the room is doubled whenever the number is a power of two. */
static int grow(void *place, size_t n, size_t size) {
    void **items = place;
    void *grown;

    if (n & (n - 1))
        return 0;
    grown = reallocarray(*items, n ? 2 * n : 1, size);
    if (!grown)
        return -ENOMEM;
    *items = grown;
    return 0;
}

int network_state_add(struct network_state *state, const struct network_member *member) {
    int r = grow(&state->members, state->n_members, sizeof *member);

    if (r == 0)
        state->members[state->n_members++] = *member;
    return r;
}

int network_state_publish(struct network_state *state, uint32_t address,
                          const struct nat_port *port) {
    int r = grow(&state->publications, state->n_publications, sizeof *state->publications);

    if (r == 0)
        state->publications[state->n_publications++] =
            (struct network_publication){.address = address, .port = *port};
    return r;
}

/** withdraw() - forget the ports of the container with an address. */
static void withdraw(struct network_state *state, uint32_t address) {
    size_t n = 0;

    for (size_t i = 0; i < state->n_publications; i++)
        if (state->publications[i].address != address)
            state->publications[n++] = state->publications[i];
    /* Here as below: appending relies on room for a power of two that is at least this. */
    state->n_publications = n;
}

void network_state_remove(struct network_state *state, uint32_t address) {
    withdraw(state, address);
    for (size_t i = 0; i < state->n_members; i++)
        if (state->members[i].address == address) {
            memmove(&state->members[i], &state->members[i + 1],
                    (state->n_members - i - 1) * sizeof *state->members);
            state->n_members--;
            break;
        }
}

void network_state_rest(struct network_state *state, uint32_t address) {
    for (size_t i = 0; i < state->n_members; i++)
        if (state->members[i].address == address && !str_eq(state->members[i].name, "-")) {
            withdraw(state, address);
            state->members[i].pid = 0;
            return;
        }
    network_state_remove(state, address);
}

struct network_member *network_state_find(const struct network_state *state, const char *name) {
    for (size_t i = 0; i < state->n_members; i++)
        if (str_eq(state->members[i].name, name))
            return &state->members[i];
    return NULL;
}

bool network_state_answers_to(const struct network_member *member, const char *name) {
    return member->pid > 0 && !str_eq(name, "-") &&
           (strcasecmp(member->container, name) == 0 || strcasecmp(member->hostname, name) == 0);
}

uint32_t network_state_gateway(const struct network_state *state) {
    return state->gateway ? state->gateway : subnet_first(&state->subnet);
}

uint32_t network_state_bridge(const struct network_state *state) {
    return state->way == NETWORK_CLOSED ? network_state_gateway(state)
                                        : subnet_middle(&state->subnet);
}

uint32_t network_state_free_address(const struct network_state *state, uint32_t start) {
    /* The first address is the gateway's as a rule, and nobody's where another is. */
    uint32_t first = subnet_first(&state->subnet) + 1;
    uint32_t n = subnet_last(&state->subnet) - first + 1;
    uint32_t gateway = network_state_gateway(state);
    uint8_t *taken = calloc(n, 1);
    uint32_t address = 0;

    for (size_t i = 0; taken && i < state->n_members; i++)
        if (state->members[i].address - first < n)
            taken[state->members[i].address - first] = 1;
    if (taken && gateway - first < n)
        taken[gateway - first] = 1;
    for (uint32_t i = 0; taken && i < n && address == 0; i++) {
        uint32_t k = (start - first < n ? start - first + i : i) % n;

        if (!taken[k])
            address = first + k;
    }
    free(taken);
    return address;
}

/* The text. */

static const char *const ways[] = {
    [NETWORK_CLOSED] = "closed",
    [NETWORK_TO_HOST] = "host",
    [NETWORK_OUT] = "out",
};

static int parse_hex(const char *text, uint8_t *ret, size_t size) {
    if (strlen(text) != 2 * size || strspn(text, "0123456789abcdef") != 2 * size)
        return -EBADMSG;
    for (size_t i = 0; i < size; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1]};

        ret[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return 0;
}

static void format_hex(const uint8_t *bytes, size_t size, struct buf *buf) {
    for (size_t i = 0; i < size; i++)
        buf_printf(buf, "%02x", bytes[i]);
}

static int parse_address(const char *text, uint32_t *ret_address) {
    struct in_addr address;

    if (inet_pton(AF_INET, text, &address) != 1)
        return -EBADMSG;
    *ret_address = ntohl(address.s_addr);
    return 0;
}

static const char *format_address(uint32_t address, char ret[INET_ADDRSTRLEN]) {
    struct in_addr in = {htonl(address)};

    return inet_ntop(AF_INET, &in, ret, INET_ADDRSTRLEN);
}

static int parse_u32(const char *text, uint32_t *ret_value) {
    uint64_t value;

    if (str_to_u64(text, INT32_MAX, &value) < 0)
        return -EBADMSG;
    *ret_value = (uint32_t)value;
    return 0;
}

static int parse_member(struct network_state *state, const char *text) {
    struct network_member member = {0};
    char pid[12], ns_fd[12], inode[24], port[12], address[INET_ADDRSTRLEN], mac[16];
    uint64_t pid_value, ns_fd_value;

    if (sscanf(text, "%11s %11s %23s %11s %15s %15s %63s %63s %64s", pid, ns_fd, inode, port,
               address, mac, member.name, member.container, member.hostname) != 9 ||
        str_to_u64(pid, INT32_MAX, &pid_value) < 0 ||
        str_to_u64(ns_fd, INT32_MAX, &ns_fd_value) < 0 ||
        str_to_u64(inode, UINT64_MAX, &member.ns_inode) < 0 || parse_u32(port, &member.port) < 0 ||
        parse_address(address, &member.address) < 0 ||
        parse_hex(mac, member.mac, sizeof member.mac) < 0)
        return -EBADMSG;
    member.pid = (pid_t)pid_value;
    member.ns_fd = (int)ns_fd_value;
    return network_state_add(state, &member);
}

/** parse_publication() - "10.64.0.2 tcp 80 8080 0.0.0.0", the container's side first. */
static int parse_publication(struct network_state *state, const char *text) {
    char address[INET_ADDRSTRLEN], protocol[4], container_port[12], host_port[12];
    char host[INET6_ADDRSTRLEN];
    uint64_t container_value, host_value;
    struct nat_port port = {0};
    uint32_t value;

    if (sscanf(text, "%15s %3s %11s %11s %45s", address, protocol, container_port, host_port,
               host) != 5 ||
        parse_address(address, &value) < 0 ||
        str_to_u64(container_port, UINT16_MAX, &container_value) < 0 ||
        str_to_u64(host_port, UINT16_MAX, &host_value) < 0 ||
        (!str_eq(protocol, "tcp") && !str_eq(protocol, "udp")) || nat_parse_host(host, &port) < 0)
        return -EBADMSG;
    port.protocol = str_eq(protocol, "tcp") ? IPPROTO_TCP : IPPROTO_UDP;
    port.container_port = (uint16_t)container_value;
    port.host_port = (uint16_t)host_value;
    return network_state_publish(state, value, &port);
}

static int parse_way(const char *text, enum network_way *ret_way) {
    for (size_t i = 0; i < N_ELEMENTS(ways); i++)
        if (str_eq(text, ways[i])) {
            *ret_way = (enum network_way)i;
            return 0;
        }
    return -EBADMSG;
}

/** parse_subnet6() - "fd12:3456:789a::/64 from 18". */
static int parse_subnet6(struct network_state *state, const char *text) {
    char subnet[SUBNET6_TEXT_BYTES], port[12];

    if (sscanf(text, "%48s from %11s", subnet, port) != 2 || parse_u32(port, &state->first6) < 0)
        return -EBADMSG;
    return subnet6_parse(subnet, &state->prefix6, NULL) < 0 ? -EBADMSG : 0;
}

static int parse_listener(struct network_state *state, const char *text) {
    for (size_t i = 0; i < NETWORK_MAX_LISTENERS && strlen(text) < sizeof state->listeners[0]; i++)
        if (!state->listeners[i][0]) {
            memcpy(state->listeners[i], text, strlen(text) + 1);
            return 0;
        }
    return -EBADMSG;
}

static int parse_uplink(struct network_state *state, const char *text) {
    if (strlen(text) >= sizeof state->uplink)
        return -EBADMSG;
    memcpy(state->uplink, text, strlen(text) + 1);
    return 0;
}

/** parse_setting() - what a network is; -ENOENT for a line that is about something else. */
static int parse_setting(struct network_state *state, const char *line) {
    const char *rest;
    uint64_t value;

    if ((rest = str_after(line, "subnet ")))
        return subnet_parse(rest, &state->subnet, NULL) < 0 ? -EBADMSG : 0;
    if ((rest = str_after(line, "leads ")))
        return parse_way(rest, &state->way);
    if ((rest = str_after(line, "gateway ")))
        return parse_address(rest, &state->gateway);
    if ((rest = str_after(line, "created "))) {
        if (str_to_u64(rest, INT64_MAX, &value) < 0)
            return -EBADMSG;
        state->created_sec = (int64_t)value;
        return 0;
    }
    if ((rest = str_after(line, "mtu "))) {
        if (str_to_u64(rest, UINT16_MAX, &value) < 0)
            return -EBADMSG;
        state->mtu = (uint16_t)value;
        return 0;
    }
    return -ENOENT;
}

/** parse_line() - 1 at the last line, 0 at another that is well formed. */
static int parse_line(struct network_state *state, const char *line) {
    const char *rest;
    int r = parse_setting(state, line);

    if (r != -ENOENT)
        return r;
    if ((rest = str_after(line, "next-port ")))
        return parse_u32(rest, &state->next_port);
    if ((rest = str_after(line, "uplink ")))
        return parse_uplink(state, rest);
    if ((rest = str_after(line, "subnet6 ")))
        return parse_subnet6(state, rest);
    if ((rest = str_after(line, "listener ")))
        return parse_listener(state, rest);
    if (str_eq(line, "forwards") || str_eq(line, "forwards6")) {
        *(line[strlen("forwards")] ? &state->forwards6 : &state->forwards) = true;
        return 0;
    }
    if ((rest = str_after(line, "member ")))
        return parse_member(state, rest);
    if ((rest = str_after(line, "publish ")))
        return parse_publication(state, rest);
    return str_eq(line, "end") && state->subnet.prefix > 0 ? 1 : -EBADMSG;
}

int network_state_parse(const char *text, struct network_state *ret_state) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    const char *rest = str_after(text, MAGIC "\n");
    int r = rest ? 0 : -EBADMSG;

    while (r == 0) {
        size_t length = strcspn(rest, "\n");
        char line[384];

        if (rest[length] == '\0' || length >= sizeof line)
            return -EBADMSG;
        memcpy(line, rest, length);
        line[length] = '\0';
        r = parse_line(&state, line);
        rest += length + 1;
    }
    if (r < 0)
        return r;
    *ret_state = state;
    state = NETWORK_STATE_INIT;
    return 0;
}

static void format_settings(const struct network_state *state, struct buf *buf) {
    char text[SUBNET_TEXT_BYTES], address[INET_ADDRSTRLEN];

    subnet_format(&state->subnet, text);
    buf_printf(buf, "subnet %s\nleads %s\n", text, ways[state->way]);
    if (state->created_sec)
        buf_printf(buf, "created %" PRIi64 "\n", state->created_sec);
    if (state->gateway)
        buf_printf(buf, "gateway %s\n", format_address(state->gateway, address));
    if (state->mtu)
        buf_printf(buf, "mtu %u\n", state->mtu);
    if (network_state_has_ipv6(state)) {
        char subnet6[SUBNET6_TEXT_BYTES];

        subnet6_format(&state->prefix6, subnet6);
        buf_printf(buf, "subnet6 %s from %" PRIu32 "\n", subnet6, state->first6);
    }
}

void network_state_format(const struct network_state *state, struct buf *buf) {
    char address[INET_ADDRSTRLEN], host[INET6_ADDRSTRLEN];

    buf_puts(buf, MAGIC "\n");
    format_settings(state, buf);
    buf_printf(buf, "next-port %" PRIu32 "\n", state->next_port);
    if (state->uplink[0])
        buf_printf(buf, "uplink %s\n", state->uplink);
    if (state->forwards)
        buf_puts(buf, "forwards\n");
    if (state->forwards6)
        buf_puts(buf, "forwards6\n");
    for (size_t i = 0; i < NETWORK_MAX_LISTENERS && state->listeners[i][0]; i++)
        buf_printf(buf, "listener %s\n", state->listeners[i]);
    for (size_t i = 0; i < state->n_members; i++) {
        const struct network_member *member = &state->members[i];

        buf_printf(buf, "member %d %d %" PRIu64 " %" PRIu32 " %s ", member->pid, member->ns_fd,
                   member->ns_inode, member->port, format_address(member->address, address));
        format_hex(member->mac, sizeof member->mac, buf);
        buf_printf(buf, " %s %s %s\n", member->name, member->container, member->hostname);
    }
    for (size_t i = 0; i < state->n_publications; i++) {
        const struct network_publication *publication = &state->publications[i];
        const struct nat_port *port = &publication->port;

        buf_printf(buf, "publish %s %s %u %u %s\n", format_address(publication->address, address),
                   port->protocol == IPPROTO_TCP ? "tcp" : "udp", port->container_port,
                   port->host_port, nat_format_host(port, host));
    }
    buf_puts(buf, "end\n");
}

/* The file. */

int network_state_lock(int dir_fd, struct err *err) {
    _cleanup_close_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(err, "network state");
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return err_errno(err, "network state: lock");
    return take_fd(fd);
}

static void file_name(const char *network, const char *suffix, char ret[NETWORK_NAME_BYTES + 16]) {
    snprintf(ret, NETWORK_NAME_BYTES + 16, "%s" SUFFIX "%s", network, suffix);
}

int network_state_load(int dir_fd, const char *network, struct network_state *ret_state,
                       struct err *err) {
    char name[NETWORK_NAME_BYTES + 16];
    _cleanup_free_ char *text = NULL;
    int r;

    *ret_state = NETWORK_STATE_INIT;
    file_name(network, "", name);
    r = fd_read_file(dir_fd, name, MAX_FILE_BYTES, &text, NULL);
    if (r == -ENOENT)
        return 0;
    if (r < 0)
        return err_set(err, r, "network %s: state: %s", network, strerror(-r));
    r = network_state_parse(text, ret_state);
    return r == -ENOMEM ? err_nomem(err) : 0;
}

int network_state_save(int dir_fd, const char *network, const struct network_state *state,
                       struct err *err) {
    char name[NETWORK_NAME_BYTES + 16], temporary[NETWORK_NAME_BYTES + 16];
    _cleanup_buf_ struct buf text = BUF_INIT;
    _cleanup_close_ int fd = -1;
    int r;

    file_name(network, "", name);
    file_name(network, "~", temporary);
    if (state->n_members == 0 && state->created_sec == 0)
        return network_state_delete(dir_fd, network, err);
    network_state_format(state, &text);
    if (buf_failed(&text))
        return err_nomem(err);
    fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "network %s: state", network);
    r = fd_write_all(fd, text.data, text.size);
    if (r == 0 && sys_renameat2(dir_fd, temporary, dir_fd, name, 0) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(dir_fd, temporary, 0);
        return err_set(err, r, "network %s: state: %s", network, strerror(-r));
    }
    return 0;
}

int network_state_delete(int dir_fd, const char *network, struct err *err) {
    char name[NETWORK_NAME_BYTES + 16];

    file_name(network, "", name);
    if (sys_unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
        return err_errno(err, "network %s: state", network);
    return 0;
}

bool network_state_name_of_file(const char *file, char ret_name[NETWORK_NAME_BYTES]) {
    size_t length = strlen(file), suffix = strlen(SUFFIX);

    if (length <= suffix || length - suffix >= NETWORK_NAME_BYTES ||
        !str_eq(file + length - suffix, SUFFIX))
        return false;
    memcpy(ret_name, file, length - suffix);
    ret_name[length - suffix] = '\0';
    return true;
}

void network_state_drop_dead(struct network_state *state) {
    for (size_t i = state->n_members; i-- > 0;) {
        struct network_member *member = &state->members[i];

        /* All supervisors are this user's, so that another's process is not the one meant. */
        if (member->pid > 0 && (kill(member->pid, 0) < 0 || !process_is_alive(member->pid)))
            network_state_rest(state, member->address);
    }
}

bool network_state_has_supervisor(const struct network_state *state) {
    for (size_t i = 0; i < state->n_members; i++)
        if (state->members[i].pid > 0)
            return true;
    return false;
}
