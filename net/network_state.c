/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the supervisors of one network's containers have to know of each other:
 * the subnet, who has which address, and where the bridge's namespace is.
 * There is no daemon that knows it, so it stands in a file that is replaced
 * whole, under a lock on its directory.
 *
 *     mayfly-network 1
 *     subnet 10.64.0.0/20
 *     next-port 18
 *     member 4711 9 4026532345 16 10.64.0.2 02a1b2c3d4e5 web
 *     end
 *
 * The file may be older than the machine's last start, or name supervisors
 * that were killed.  Nothing that it says of them is believed before it has
 * been tried.
 */
#include "network_state.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#define MAGIC "mayfly-network 1"
#define MAX_FILE_BYTES (16u << 20)

void network_state_done(struct network_state *state) {
    free(state->members);
    *state = NETWORK_STATE_INIT;
}

int network_state_add(struct network_state *state, const struct network_member *member) {
    /* Doubled whenever the number is a power of two. */
    if ((state->n_members & (state->n_members - 1)) == 0) {
        size_t capacity = state->n_members ? 2 * state->n_members : 1;
        struct network_member *members = reallocarray(state->members, capacity, sizeof *members);

        if (!members)
            return -ENOMEM;
        state->members = members;
    }
    state->members[state->n_members++] = *member;
    return 0;
}

void network_state_remove(struct network_state *state, uint32_t address) {
    for (size_t i = 0; i < state->n_members; i++)
        if (state->members[i].address == address) {
            memmove(&state->members[i], &state->members[i + 1],
                    (state->n_members - i - 1) * sizeof *state->members);
            /* Appending relies on a capacity that is a power of two and at least this. */
            state->n_members--;
            break;
        }
}

struct network_member *network_state_find(const struct network_state *state, const char *name) {
    for (size_t i = 0; i < state->n_members; i++)
        if (str_eq(state->members[i].name, name))
            return &state->members[i];
    return NULL;
}

uint32_t network_state_free_address(const struct network_state *state, uint32_t start) {
    /* The first address is the bridge's own, the last one the host's where it is there. */
    uint32_t first = subnet_first(&state->subnet) + 1;
    uint32_t n = subnet_last(&state->subnet) - first + (state->uplink[0] ? 0 : 1);
    uint8_t *taken = calloc(n, 1);
    uint32_t address = 0;

    for (size_t i = 0; taken && i < state->n_members; i++)
        if (state->members[i].address - first < n)
            taken[state->members[i].address - first] = 1;
    for (uint32_t i = 0; taken && i < n && address == 0; i++) {
        uint32_t k = (start - first < n ? start - first + i : i) % n;

        if (!taken[k])
            address = first + k;
    }
    free(taken);
    return address;
}

static int parse_mac(const char *text, uint8_t ret[6]) {
    if (strlen(text) != 12 || strspn(text, "0123456789abcdef") != 12)
        return -EBADMSG;
    for (size_t i = 0; i < 6; i++) {
        const char digits[3] = {text[2 * i], text[2 * i + 1]};

        ret[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return 0;
}

static int parse_member(struct network_state *state, const char *text) {
    struct network_member member = {0};
    char pid[12], ns_fd[12], inode[24], port[12], address_text[INET_ADDRSTRLEN], mac[16];
    uint64_t pid_value, ns_fd_value, port_value;
    struct in_addr address;

    if (sscanf(text, "%11s %11s %23s %11s %15s %15s %63s", pid, ns_fd, inode, port, address_text,
               mac, member.name) != 7 ||
        str_to_u64(pid, INT32_MAX, &pid_value) < 0 ||
        str_to_u64(ns_fd, INT32_MAX, &ns_fd_value) < 0 ||
        str_to_u64(inode, UINT64_MAX, &member.ns_inode) < 0 ||
        str_to_u64(port, INT32_MAX, &port_value) < 0 ||
        inet_pton(AF_INET, address_text, &address) != 1 || parse_mac(mac, member.mac) < 0)
        return -EBADMSG;
    member.pid = (pid_t)pid_value;
    member.ns_fd = (int)ns_fd_value;
    member.port = (uint32_t)port_value;
    member.address = ntohl(address.s_addr);
    return network_state_add(state, &member);
}

/** parse_line() - 1 at the last line, 0 at another that is well formed. */
static int parse_line(struct network_state *state, const char *line) {
    const char *rest;
    uint64_t value;

    if ((rest = str_after(line, "subnet ")))
        return subnet_parse(rest, &state->subnet, NULL) < 0 ? -EBADMSG : 0;
    if ((rest = str_after(line, "next-port "))) {
        if (str_to_u64(rest, INT32_MAX, &value) < 0)
            return -EBADMSG;
        state->next_port = (uint32_t)value;
        return 0;
    }
    if ((rest = str_after(line, "uplink "))) {
        if (strlen(rest) >= sizeof state->uplink)
            return -EBADMSG;
        memcpy(state->uplink, rest, strlen(rest) + 1);
        return 0;
    }
    if (str_eq(line, "forwards")) {
        state->forwards = true;
        return 0;
    }
    if ((rest = str_after(line, "member ")))
        return parse_member(state, rest);
    return str_eq(line, "end") && state->subnet.prefix > 0 ? 1 : -EBADMSG;
}

int network_state_parse(const char *text, struct network_state *ret_state) {
    _cleanup_network_state_ struct network_state state = NETWORK_STATE_INIT;
    const char *rest = str_after(text, MAGIC "\n");
    int r = rest ? 0 : -EBADMSG;

    while (r == 0) {
        size_t length = strcspn(rest, "\n");
        char line[256];

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

void network_state_format(const struct network_state *state, struct buf *buf) {
    char text[SUBNET_TEXT_BYTES];

    subnet_format(&state->subnet, text);
    buf_printf(buf, MAGIC "\nsubnet %s\nnext-port %" PRIu32 "\n", text, state->next_port);
    if (state->uplink[0])
        buf_printf(buf, "uplink %s\n", state->uplink);
    if (state->forwards)
        buf_puts(buf, "forwards\n");
    for (size_t i = 0; i < state->n_members; i++) {
        const struct network_member *member = &state->members[i];
        const uint8_t *mac = member->mac;
        struct in_addr address = {htonl(member->address)};
        char address_text[INET_ADDRSTRLEN];

        buf_printf(buf, "member %d %d %" PRIu64 " %" PRIu32 " %s %02x%02x%02x%02x%02x%02x %s\n",
                   member->pid, member->ns_fd, member->ns_inode, member->port,
                   inet_ntop(AF_INET, &address, address_text, sizeof address_text), mac[0], mac[1],
                   mac[2], mac[3], mac[4], mac[5], member->name);
    }
    buf_puts(buf, "end\n");
}

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
    snprintf(ret, NETWORK_NAME_BYTES + 16, "%s.network%s", network, suffix);
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
    if (state->n_members == 0) {
        if (sys_unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
            return err_errno(err, "network %s: state", network);
        return 0;
    }
    network_state_format(state, &text);
    if (buf_failed(&text))
        return err_nomem(err);
    fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "network %s: state", network);
    r = fd_write_all(fd, text.data, text.size);
    if (r < 0)
        return err_set(err, r, "network %s: state: %s", network, strerror(-r));
    if (sys_renameat2(dir_fd, temporary, dir_fd, name, 0) < 0)
        return err_errno(err, "network %s: state", network);
    return 0;
}
