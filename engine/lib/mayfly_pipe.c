/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Containers in a row, each writing what the next reads: pipes between them that
 * nobody here touches.  They are one unit; the first that fails takes the others
 * with it.  Who writes to a stage that has had enough (head) is killed by SIGPIPE,
 * as in a shell, and has not failed.
 */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/result.h"
#include "outlet.h"
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct link {
    struct mayfly_container *container;
    struct mayfly_process process;
    struct mayfly_result result;
    int input_fd; /* the pipe from the stage before */
    bool is_over;
};

struct pipeline {
    const struct mayfly_stage *stages;
    size_t n;
    struct link *links;
    struct pollfd *fds; /* one for each link, and one for the output */
    struct outlet outlet;
    size_t failed;
};

static int pipeline_init(struct pipeline *p, const struct mayfly_stage *stages, size_t n,
                         struct err *err) {
    *p = (struct pipeline){.stages = stages, .n = n, .outlet = OUTLET_INIT, .failed = n};
    if (n == 0)
        return err_set(err, -EINVAL, "a pipeline needs at least one stage");
    p->links = calloc(n, sizeof *p->links);
    p->fds = calloc(n + 1, sizeof *p->fds);
    if (!p->links || !p->fds)
        return err_nomem(err);
    for (size_t i = 0; i < n; i++) {
        p->links[i].process = PROCESS_INIT;
        p->links[i].input_fd = -1;
    }
    return 0;
}

static void pipeline_done(struct pipeline *p) {
    for (size_t i = 0; p->links && i < p->n; i++) {
        struct link *link = &p->links[i];

        process_end(&link->process);
        mayfly_destroy(link->container);
        mayfly_result_done(&link->result);
        if (link->input_fd >= 0)
            close(link->input_fd);
    }
    outlet_close(&p->outlet);
    free(p->links);
    free(p->fds);
}

static int start_containers(struct pipeline *p, struct err *err) {
    struct mayfly_error error;
    int r = 0;

    for (size_t i = 0; r == 0 && i < p->n; i++)
        r = mayfly_start(p->stages[i].plan, &p->links[i].container, &error);
    return r < 0 ? err_set(err, r, "%s", error.message) : 0;
}

/* Starts stage @i; its output goes to the next one's input, or to @output. */
static int start_stage(struct pipeline *p, size_t i, const struct mayfly_stream *input,
                       const struct mayfly_stream *output, struct err *err) {
    static const struct mayfly_stream nothing;
    struct mayfly_command command = p->stages[i].command;
    int fds[3], owned[3], pipe_fds[2] = {-1, -1}, r = 0;

    command.input = i == 0 ? *input : nothing;
    command.output = i == p->n - 1 ? *output : nothing;
    if (command.errors.kind == MAYFLY_DATA || command.errors.kind == MAYFLY_CALLBACK)
        return err_set(err, -EINVAL, "a stage's errors go to a descriptor or to nothing");
    if (i < p->n - 1 && pipe2(pipe_fds, O_CLOEXEC) < 0)
        return err_errno(err, "cannot make a pipe");
    r = process_stdio(&command, fds, owned, err);
    if (r == 0 && i == p->n - 1)
        r = outlet_open(&p->outlet, output, &fds[1], err);
    if (i > 0)
        fds[0] = p->links[i].input_fd;
    if (i < p->n - 1) {
        p->links[i + 1].input_fd = pipe_fds[0];
        fds[1] = pipe_fds[1];
    }
    if (r == 0)
        r = process_start(&p->links[i].process, p->links[i].container, &command, fds, err);
    for (int j = 0; j < 3; j++)
        if (owned[j] >= 0)
            close(owned[j]);
    if (pipe_fds[1] >= 0)
        close(pipe_fds[1]);
    if (i > 0)
        close(take_fd(p->links[i].input_fd));
    return r;
}

static bool has_failed(const struct pipeline *p, size_t i) {
    const struct mayfly_result *result = &p->links[i].result;

    if (result->end == MAYFLY_KILLED && result->signal == SIGPIPE && i < p->n - 1)
        return false;
    return result->end != MAYFLY_EXITED || result->status != 0;
}

/* What has happened to the stages.  Return: how many go on, or -errno with a text. */
static int look_at_stages(struct pipeline *p, struct err *err) {
    int n_running = 0;

    for (size_t i = 0; i < p->n; i++) {
        struct link *link = &p->links[i];

        if (!link->is_over && p->fds[i].revents) {
            int r = process_finish(&link->process, &link->result, err);

            if (r < 0)
                return r;
            link->is_over = true;
            if (has_failed(p, i) && p->failed == p->n)
                p->failed = i;
        }
        n_running += !link->is_over;
    }
    return n_running;
}

/* Until all have ended or one has failed. */
static int carry(struct pipeline *p, uint64_t deadline_nsec, struct mayfly_result *last,
                 struct err *err) {
    int n_running = 1;

    while (n_running > 0 && p->failed == p->n) {
        int r;

        for (size_t i = 0; i < p->n; i++)
            p->fds[i] = (struct pollfd){
                .fd = p->links[i].is_over ? -1 : p->links[i].process.socket_fd, .events = POLLIN};
        p->fds[p->n] = (struct pollfd){.fd = p->outlet.read_fd, .events = POLLIN};
        r = poll(p->fds, p->n + 1, clock_poll_timeout(clock_monotonic(), deadline_nsec));
        if (r < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for a pipeline");
        if (r == 0 && clock_monotonic() >= deadline_nsec) {
            last->end = MAYFLY_TIMED_OUT;
            last->status = EXIT_TIMEOUT;
            return 0;
        }
        if (r <= 0)
            continue;
        n_running = look_at_stages(p, err);
        r = n_running < 0 ? n_running : p->outlet.read_fd >= 0 ? outlet_read(&p->outlet, err) : 0;
        if (r > 0)
            last->end = MAYFLY_REFUSED;
        if (r != 0)
            return r < 0 ? r : 0;
    }
    return 0;
}

int mayfly_pipe(const struct mayfly_stage *stages, size_t n_stages,
                const struct mayfly_stream *input, const struct mayfly_stream *output,
                uint64_t timeout_nsec, size_t *ret_failed, struct mayfly_result *ret_result,
                struct mayfly_error *error) {
    uint64_t deadline_nsec =
        timeout_nsec ? clock_add(clock_monotonic(), timeout_nsec) : CLOCK_NEVER;
    struct pipeline p;
    struct err err = {0};
    int r = pipeline_init(&p, stages, n_stages, &err);

    *ret_result = (struct mayfly_result){0};
    if (r == 0)
        r = start_containers(&p, &err);
    for (size_t i = 0; r == 0 && i < n_stages; i++)
        r = start_stage(&p, i, input, output, &err);
    outlet_release(&p.outlet);
    if (r == 0)
        r = carry(&p, deadline_nsec, ret_result, &err);
    if (r == 0 && ret_result->end == MAYFLY_EXITED) {
        struct mayfly_result *result =
            &p.links[p.failed < n_stages ? p.failed : n_stages - 1].result;

        *ret_result = *result;
        *result = (struct mayfly_result){0};
    }
    if (r == 0)
        r = outlet_give(&p.outlet, &ret_result->output, &ret_result->n_output, &err);
    if (ret_failed)
        *ret_failed = p.failed;
    pipeline_done(&p);
    return library_return(r, &err, error);
}
