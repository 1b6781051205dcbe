/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TESTS_NS_H
#define MAYFLY_TESTS_NS_H

#include "net/network.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Tests of the network in namespaces of their own.  A test's body calls
 * ns_run(), which forks first (a test process of Criterion may have threads,
 * and a process with threads cannot enter a user namespace) and then plays the
 * host in new user, mount and network namespaces.  Containers are boxes.
 */

/** ns_run() - run @body as root of new namespaces.  Return: whether it came to its end. */
bool ns_run(void (*body)(void));

/** NS_CHECK() - like an assertion, inside ns_run(). */
#define NS_CHECK(condition, ...)                                                                   \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ns_fail(__FILE__, __LINE__, #condition, " " __VA_ARGS__);                              \
    } while (0)

void ns_fail(const char *file, int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 4, 5), noreturn));

/** struct box - a process in network and user namespaces of its own, and its connection */
struct box {
    pid_t pid;
    int socket_fd;
    struct network *network;
    struct network_lease lease;
    struct err err;
};

/** box_start() - a box without a connection. */
void box_start(struct box *box);

/** box_attach() - network_open() and network_attach() for a box. */
int box_attach(struct box *box, const struct network_request *request);

/** box_setup() - network_setup() in the box, served by everybody's network_dispatch(). */
int box_setup(struct box *box, const struct network_setup_request *request);

/** box_shell() - run a command of the shell in the box.  Return: its exit status. */
int box_shell(struct box *box, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** box_stop() - end the box and its connection. */
void box_stop(struct box *box);

/** ns_shell() - run a command of the shell on the "host", everybody served meanwhile. */
int ns_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/**
 * ns_start_machine() - a machine without a supervisor, behind a link
 * @far: the link's other end, which moves into the machine
 * @near: the link or bridge by which the machine is reached, once this returns
 * @address: what it has without having asked for it; its network has a prefix of 24
 */
void ns_start_machine(const char *far, const char *near, const char *address);

/** ns_address() - the address of a box as text, in a static buffer. */
const char *ns_address(const struct box *box);

/** ns_state_dir() - a directory for network state, removed at the end; a descriptor. */
int ns_state_dir(void);

/** ns_has() - whether a program is installed. */
bool ns_has(const char *program);

#endif
