/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program or function from its start to its end, with its outputs carried: to
 * memory or to a callback.  When it has ended, what it has written is in the
 * pipes; what a daemon that it left behind may write later is not waited for.
 */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/result.h"
#include "outlet.h"
#include "process.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* Ends a program whose time is up, or whose output nobody wants. */
static void stop(struct mayfly_process *process, enum mayfly_end end,
                 struct mayfly_result *result) {
    result->end = end;
    result->status = end == MAYFLY_TIMED_OUT ? EXIT_TIMEOUT : EXIT_ENGINE;
    result->elapsed_nsec = clock_monotonic() - process->started_nsec;
    process_end(process);
}

/* Carries bytes until the program has ended. */
static int carry(struct mayfly_process *process, struct outlet outlets[2], uint64_t deadline_nsec,
                 struct mayfly_result *result, struct err *err) {
    bool is_over = false;

    while (!is_over) {
        struct pollfd fds[3] = {
            {.fd = process->socket_fd, .events = POLLIN},
            {.fd = outlets[0].read_fd, .events = POLLIN},
            {.fd = outlets[1].read_fd, .events = POLLIN},
        };
        int r = poll(fds, 3, clock_poll_timeout(clock_monotonic(), deadline_nsec));

        if (r < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for a program");
        if (r < 0)
            continue;
        is_over = fds[0].revents != 0;
        /* Its end comes after its last words. */
        for (int i = 0; i < 2; i++) {
            r = outlets[i].read_fd >= 0 && (is_over || fds[i + 1].revents)
                    ? outlet_read(&outlets[i], err)
                    : 0;
            if (r > 0)
                stop(process, MAYFLY_REFUSED, result);
            if (r != 0)
                return r < 0 ? r : 0;
        }
        if (!is_over && clock_monotonic() >= deadline_nsec) {
            stop(process, MAYFLY_TIMED_OUT, result);
            return 0;
        }
    }
    return process_finish(process, result, err);
}

static int start(struct mayfly_process *process, struct outlet outlets[2],
                 struct mayfly_container *container, const struct mayfly_command *command,
                 struct err *err) {
    int fds[3], owned[3];
    int r = process_stdio(command, fds, owned, err);

    if (r == 0)
        r = outlet_open(&outlets[0], &command->output, &fds[1], err);
    if (r == 0)
        r = outlet_open(&outlets[1], &command->errors, &fds[2], err);
    if (r == 0)
        r = process_start(process, container, command, fds, err);
    for (int i = 0; i < 3; i++)
        if (owned[i] >= 0)
            close(owned[i]);
    for (int i = 0; i < 2; i++)
        outlet_release(&outlets[i]);
    return r;
}

int mayfly_exec(struct mayfly_container *container, const struct mayfly_command *command,
                struct mayfly_result *ret_result, struct mayfly_error *error) {
    struct outlet outlets[2] = {OUTLET_INIT, OUTLET_INIT};
    struct mayfly_process process = PROCESS_INIT;
    uint64_t deadline_nsec =
        command->timeout_nsec ? clock_add(clock_monotonic(), command->timeout_nsec) : CLOCK_NEVER;
    struct err err = {0};
    int r;

    *ret_result = (struct mayfly_result){0};
    r = start(&process, outlets, container, command, &err);
    if (r == 0)
        r = carry(&process, outlets, deadline_nsec, ret_result, &err);
    if (r == 0)
        r = outlet_give(&outlets[0], &ret_result->output, &ret_result->n_output, &err);
    if (r == 0)
        r = outlet_give(&outlets[1], &ret_result->errors, &ret_result->n_errors, &err);
    for (int i = 0; i < 2; i++)
        outlet_close(&outlets[i]);
    process_end(&process);
    return library_return(r, &err, error);
}
