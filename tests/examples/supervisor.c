/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One event loop for several programs in several containers: each is started again when it fails,
 * three times at most, and all that happens comes through poll(2): supervisor IMAGE
 */
#include <mayfly.h>
#include <poll.h>
#include <stdio.h>

#define N_WORKERS 3
#define N_STARTS 3

struct worker {
    const char *name;
    const char *command;
    struct mayfly_container *container;
    struct mayfly_process *process;
    int n_starts;
};

static int start(struct worker *worker, struct mayfly_error *error) {
    const struct mayfly_command command = {.shell = worker->command};

    worker->n_starts++;
    return mayfly_spawn(worker->container, &command, &worker->process, error);
}

/* A worker's program has ended: again, or never again. */
static int attend(struct worker *worker, struct mayfly_error *error) {
    struct mayfly_result result;
    int r = mayfly_process_wait(worker->process, 0, &result, error);

    mayfly_process_free(worker->process);
    worker->process = NULL;
    if (r < 0)
        return r;
    if (result.end == MAYFLY_EXITED && result.status == 0) {
        printf("%s: done at the start number %d\n", worker->name, worker->n_starts);
        return 0;
    }
    if (worker->n_starts == N_STARTS) {
        printf("%s: given up, status %d\n", worker->name, result.status);
        return 0;
    }
    return start(worker, error);
}

/* Until no program runs any more. */
static int supervise(struct worker *workers, struct mayfly_error *error) {
    for (;;) {
        struct pollfd fds[N_WORKERS];
        int n_running = 0;

        for (int i = 0; i < N_WORKERS; i++) {
            fds[i].fd = workers[i].process ? mayfly_process_fd(workers[i].process) : -1;
            fds[i].events = POLLIN;
            n_running += workers[i].process != NULL;
        }
        if (n_running == 0)
            return 0;
        if (poll(fds, N_WORKERS, -1) < 0)
            continue;
        for (int i = 0; i < N_WORKERS; i++) {
            int r = fds[i].fd >= 0 && fds[i].revents ? attend(&workers[i], error) : 0;

            if (r < 0)
                return r;
        }
    }
}

int main(int argc, char **argv) {
    struct worker workers[N_WORKERS] = {
        {.name = "steady", .command = "exit 0"},
        {.name = "second thoughts", .command = "test -e /tried || { : >/tried; exit 1; }"},
        {.name = "hopeless", .command = "kill -ABRT $$"},
    };
    struct mayfly_plan *plan = NULL;
    struct mayfly_error error;
    int r;

    if (argc != 2)
        return 2;
    r = mayfly_plan_new(argv[1], &plan, &error);
    if (r == 0)
        r = mayfly_plan_option(plan, "net", "none", &error);
    for (int i = 0; r == 0 && i < N_WORKERS; i++) {
        r = mayfly_start(plan, &workers[i].container, &error);
        if (r == 0)
            r = start(&workers[i], &error);
    }
    if (r == 0)
        r = supervise(workers, &error);
    if (r < 0)
        fprintf(stderr, "%s\n", error.message);
    for (int i = 0; i < N_WORKERS; i++) {
        mayfly_process_free(workers[i].process);
        mayfly_destroy(workers[i].container);
    }
    mayfly_plan_free(plan);
    return r < 0;
}
