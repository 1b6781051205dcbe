/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_WARDEN_H
#define MAYFLY_WARDEN_H

#include "containers.h"
#include "engine/base/err.h"
#include "engine/run.h"

#include <sys/types.h>

/**
 * struct warden_request - what a container is started with
 * @kept: locked; its lock is the supervisor's from then on
 * @life: of @kept
 * @hooks: for messages until it runs
 * @socket_fd, @stdio: of somebody attached from the beginning (ASK_ATTACH); -1: nobody
 * @owner: the process that it dies with, where life->dies_with_owner
 */
struct warden_request {
    struct containers *containers;
    struct kept *kept;
    struct life *life;
    const struct run_hooks *hooks;
    int socket_fd;
    int stdio[3];
    pid_t owner;
};

/**
 * warden_start() - start a container with a supervisor of its own
 *
 * The supervisor is no child of this process, has no terminal and nothing of this process's
 * streams, and serves the container's socket (ask.h) until the container has ended for good. Until
 * it runs it shares this process's group, and the signals that end a command end it. Context: host,
 * a single-threaded process, session_exposes_program() dealt with. Return: 0 when the main program
 * runs; -ENOENT or -EACCES when it cannot be; -EINTR after a signal, with its number in
 * @ret_signal; or another -errno, with a text.
 */
int warden_start(const struct warden_request *request, int *ret_signal, struct err *err);

/**
 * warden_run() - be the supervisor
 * @report_fd: where MESSAGE_READY or MESSAGE_ERROR is sent to
 *
 * Context: a process of its own.
 */
void warden_run(const struct warden_request *request, int report_fd);

#endif
