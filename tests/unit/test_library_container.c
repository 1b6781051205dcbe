/* SPDX-License-Identifier: Apache-2.0 */
/* libmayfly: containers from their start to their end, in real ones of busybox alone. */
#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "ground.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

Test(library, a_container_ends_with_its_handle) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_process *process = NULL;
    struct mayfly_error error = {0};
    const struct mayfly_command command = {.shell = "while :; do :; done"};

    ground_init(&ground);
    ground_option(&ground, "name", "short");
    container = ground_start(&ground);
    cr_expect_str_eq(mayfly_name(container), "short");
    cr_expect_eq(mayfly_signal(container, 0, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_signal(container, 1000, &error), -EINVAL);
    cr_expect_eq(mayfly_wait(container, 0, &error), -ETIMEDOUT);
    cr_assert_eq(mayfly_spawn(container, &command, &process, &error), 0, "%s", error.message);
    mayfly_destroy(container);
    mayfly_destroy(NULL);
    mayfly_process_free(process);
    /* Its name is free again, so nothing is left of it. */
    container = ground_start(&ground);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, a_signal_reaches_every_program) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_process *processes[2] = {NULL, NULL};
    struct mayfly_error error = {0};
    const struct mayfly_command command = {.shell = "while :; do :; done"};

    ground_init(&ground);
    container = ground_start(&ground);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(mayfly_spawn(container, &command, &processes[i], &error), 0, "%s",
                     error.message);
    /* Both are there once a third has come and gone on the same way. */
    (void)ground_exec(container, &(struct mayfly_command){.shell = ":"});
    cr_assert_eq(mayfly_signal(container, SIGUSR1, &error), 0, "%s", error.message);
    for (int i = 0; i < 2; i++) {
        struct mayfly_result result;

        cr_assert_eq(mayfly_process_wait(processes[i], UINT64_MAX, &result, &error), 0);
        cr_expect_eq(result.signal, SIGUSR1);
        mayfly_process_free(processes[i]);
    }
    mayfly_destroy(container);
    ground_done(&ground);
}

static int end_init(const void *argument, size_t n_argument, void *result, size_t *n_result) {
    (void)argument;
    (void)n_argument;
    (void)result;
    *n_result = 0;
    /* The parent of all that runs in a container is its PID 1; nobody inside can end it. */
    return kill(1, SIGKILL) == 0 && kill(1, 0) == 0 ? 0 : 1;
}

Test(library, the_container_cannot_be_ended_from_inside) {
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};

    ground_init(&ground);
    container = ground_start(&ground);
    cr_expect_eq(mayfly_call(container, end_init, NULL, 0, NULL, 0, NULL, NULL, &error), 0, "%s",
                 error.message);
    cr_expect_eq(mayfly_wait(container, 0, &error), -ETIMEDOUT);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, an_owner_that_dies_takes_its_containers_along) {
    struct ground ground;
    struct mayfly_container *container;
    int fds[2];
    char byte;
    pid_t pid;

    ground_init(&ground);
    ground_option(&ground, "name", "owned");
    cr_assert_eq(pipe(fds), 0);
    /* So that the holder's end can be waited for. */
    cr_assert_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    pid = fork();
    if (pid == 0) {
        const struct mayfly_command command = {
            .shell = "echo; while :; do :; done",
            .output = {.kind = MAYFLY_FD, .fd = fds[1]},
        };
        struct mayfly_process *process;

        if (mayfly_start(ground.plan, &container, NULL) == 0 &&
            mayfly_spawn(container, &command, &process, NULL) == 0)
            pause();
        _exit(1);
    }
    close(fds[1]);
    cr_assert_eq(read(fds[0], &byte, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    /* The program's end: nobody else holds its output. */
    cr_expect_eq(read(fds[0], &byte, 1), 0);
    close(fds[0]);
    while (waitpid(-1, NULL, 0) > 0)
        ;
    container = ground_start(&ground);
    mayfly_destroy(container);
    ground_done(&ground);
}

Test(library, what_cannot_be_started_is_said) {
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};
    struct mayfly_plan *plan = NULL;
    struct ground ground;

    ground_init(&ground);
    cr_assert_eq(mayfly_plan_new("/nowhere/at/all", &plan, &error), 0);
    cr_expect_eq(mayfly_start(plan, &container, &error), -ENOENT, "%s", error.message);
    cr_expect(strstr(error.message, "/nowhere/at/all"), "%s", error.message);
    cr_expect_null(container);
    mayfly_plan_free(plan);
    ground_done(&ground);
}

/* --- standing still ---------------------------------------------------------------- */

/* Takes all that is in a pipe now. */
static void drain(int fd) {
    char block[4096];

    while (read(fd, block, sizeof block) > 0)
        ;
    cr_assert_eq(errno, EAGAIN);
}

Test(library, a_frozen_container_stands_still) {
    struct mayfly_command command = {.shell = "while :; do echo; done",
                                     .output = {.kind = MAYFLY_FD}};
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_process *process = NULL;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    int fds[2], r;

    ground_init(&ground);
    ground_import(&ground, "still:1");
    cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
    cr_assert_eq(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    container = ground_start(&ground);
    cr_expect_eq(mayfly_thaw(container, &error), -EINVAL);
    command.output.fd = fds[1];
    cr_assert_eq(mayfly_spawn(container, &command, &process, &error), 0, "%s", error.message);
    cr_assert_eq(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, -1), 1);
    r = mayfly_freeze(container, &error);
    if (r == -EOPNOTSUPP) {
        /* Nobody has delegated a control group to this user. */
        cr_expect(strstr(error.message, "cgroup"), "%s", error.message);
    } else {
        cr_assert_eq(r, 0, "%s", error.message);
        drain(fds[0]);
        cr_expect_eq(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, 20), 0);
        cr_expect_eq(mayfly_freeze(container, &error), -EINVAL);
        cr_expect_eq(mayfly_signal(container, SIGKILL, &error), -EBUSY);
        cr_expect_eq(mayfly_exec(container, &command, &result, &error), -EBUSY);
        cr_expect_eq(mayfly_wait(container, 0, &error), -ETIMEDOUT);
        cr_expect_eq(mayfly_commit(container, "still:2", NULL, &error), 0, "%s", error.message);
        cr_assert_eq(mayfly_thaw(container, &error), 0, "%s", error.message);
        cr_expect_eq(poll(&(struct pollfd){.fd = fds[0], .events = POLLIN}, 1, -1), 1);
        cr_assert_eq(mayfly_freeze(container, &error), 0, "%s", error.message);
    }
    /* It ends in that state as well. */
    mayfly_destroy(container);
    mayfly_process_free(process);
    cr_expect_eq(scratch_count(&ground.scratch, "runs"), 0);
    close(fds[0]);
    close(fds[1]);
    ground_done(&ground);
}

/* --- images of containers ----------------------------------------------------------- */

static void expect_file(const char *image, const char *text) {
    struct mayfly_plan *plan = NULL;
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};
    struct mayfly_result result;

    cr_assert_eq(mayfly_plan_new(image, &plan, &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_plan_option(plan, "net", "none", &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_start(plan, &container, &error), 0, "%s", error.message);
    result = ground_exec(
        container, &(struct mayfly_command){.shell = "cat /made", .output = {.kind = MAYFLY_DATA}});
    cr_expect_str_eq(result.output, text);
    mayfly_result_done(&result);
    mayfly_destroy(container);
    mayfly_plan_free(plan);
}

Test(library, an_image_is_made_of_a_container) {
    const struct mayfly_command make = {.shell = "echo here >/made"};
    struct ground ground;
    struct mayfly_container *container;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    _cleanup_free_ char *id = NULL;

    ground_init(&ground);
    container = ground_start(&ground);
    cr_expect_eq(mayfly_commit(container, "none:1", NULL, &error), -EINVAL, "%s", error.message);
    mayfly_destroy(container);
    ground_import(&ground, "base:1");
    container = ground_start(&ground);
    result = ground_exec(container, &make);
    mayfly_result_done(&result);
    cr_assert_eq(mayfly_commit(container, "made:1", &id, &error), 0, "%s", error.message);
    cr_expect_gt(strlen(id), 10);
    mayfly_destroy(container);
    expect_file("made:1", "here\n");
    ground_done(&ground);
}

/* --- containers that live on --------------------------------------------------------- */

Test(library, a_container_lives_on_and_is_removed) {
    static const char *const argv[] = {"sh", "-c", "trap 'exit 7' USR1; while :; do sleep 1; done",
                                       NULL};
    const struct mayfly_command make = {.shell = "echo there >/made"};
    struct ground ground;
    struct mayfly_container *container = NULL, *other = NULL;
    struct mayfly_port *ports = NULL;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    enum mayfly_health health = MAYFLY_NOT_ASKED;
    size_t n = 1;
    int r;

    ground_init(&ground);
    ground_import(&ground, "base:1");
    ground_option(&ground, "name", "lasting");
    ground_option(&ground, "health-cmd", "[ -e /made ]");
    ground_option(&ground, "health-interval", "10ms");
    ground_option(&ground, "health-start-period", "1h");
    cr_expect_eq(mayfly_start(ground.plan, &container, &error), -EINVAL);
    cr_expect(strstr(error.message, "health-cmd"), "%s", error.message);
    cr_assert_eq(mayfly_run(ground.plan, argv, &container, &error), 0, "%s", error.message);
    cr_expect_str_eq(mayfly_name(container), "lasting");
    cr_expect_eq(mayfly_run(ground.plan, argv, &other, &error), -EEXIST, "%s", error.message);
    cr_assert_eq(mayfly_health(container, &health, &error), 0, "%s", error.message);
    cr_expect_eq(health, MAYFLY_STARTING);
    result = ground_exec(container, &make);
    mayfly_result_done(&result);
    while (health != MAYFLY_HEALTHY)
        cr_assert_eq(mayfly_health(container, &health, &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_ports(container, &ports, &n, &error), 0, "%s", error.message);
    cr_expect_eq(n, 0);
    free(ports);
    cr_assert_eq(mayfly_commit(container, "made:1", NULL, &error), 0, "%s", error.message);
    expect_file("made:1", "there\n");
    r = mayfly_freeze(container, &error);
    if (r == 0) {
        cr_expect_lt(mayfly_exec(container, &make, &result, &error), 0);
        cr_assert_eq(mayfly_thaw(container, &error), 0, "%s", error.message);
    } else {
        cr_expect_eq(r, -EOPNOTSUPP, "%s", error.message);
    }

    /* It goes on without this handle, and another one finds it. */
    mayfly_destroy(container);
    cr_assert_eq(mayfly_attach("lasting", &container, &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_signal(container, SIGUSR1, &error), 0, "%s", error.message);
    cr_assert_eq(mayfly_wait(container, UINT64_MAX, &error), 0, "%s", error.message);
    cr_expect(strstr(error.message, "status 7"), "%s", error.message);
    cr_assert_eq(mayfly_remove(container, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_remove(container, &error), -ENOENT, "%s", error.message);
    mayfly_destroy(container);
    cr_expect_eq(mayfly_attach("lasting", &container, &error), -ENOENT);
    ground_done(&ground);
}

Test(library, what_cannot_live_on_leaves_nothing) {
    static const char *const argv[] = {"/no/such/program", NULL};
    struct ground ground;
    struct mayfly_container *container = NULL;
    struct mayfly_error error = {0};

    ground_init(&ground);
    ground_option(&ground, "name", "lasting");
    cr_expect_eq(mayfly_plan_option(ground.plan, "restart", NULL, &error), -EINVAL);
    cr_expect_lt(mayfly_run(ground.plan, argv, &container, &error), 0);
    cr_expect(strstr(error.message, "/no/such/program"), "%s", error.message);
    cr_expect_eq(mayfly_attach("lasting", &container, &error), -ENOENT);
    ground_done(&ground);
    ground_init(&ground);
    container = ground_start(&ground);
    cr_expect_eq(mayfly_remove(container, &error), -EINVAL);
    mayfly_destroy(container);
    ground_done(&ground);
}

/* --- the caller ---------------------------------------------------------------------- */

struct caller {
    char cwd[4096];
    sigset_t mask;
    void (*handlers[NSIG])(int number);
    mode_t umask;
    char *environ[256];
    int n_descriptors;
    pid_t group, session;
};

static void caller_note(struct caller *caller) {
    memset(caller, 0, sizeof *caller);
    cr_assert(getcwd(caller->cwd, sizeof caller->cwd));
    sigprocmask(SIG_SETMASK, NULL, &caller->mask);
    for (int i = 1; i < NSIG; i++) {
        struct sigaction action = {0};

        (void)sigaction(i, NULL, &action);
        caller->handlers[i] = action.sa_handler;
    }
    caller->umask = umask(0);
    umask(caller->umask);
    for (size_t i = 0; i < N_ELEMENTS(caller->environ) && environ[i]; i++)
        caller->environ[i] = environ[i];
    caller->n_descriptors = ground_descriptors();
    caller->group = getpgrp();
    caller->session = getsid(0);
}

static void on_signal(int number) {
    (void)number;
}

Test(library, the_caller_of_containers_is_left_alone) {
    static const char *const argv[] = {"sleep", "1000", NULL};
    static struct caller before, after;
    struct mayfly_container *container;
    struct mayfly_process *process;
    struct mayfly_error error = {0};
    struct mayfly_result result;
    struct ground ground;
    char path[300];

    ground_init(&ground);
    ground_import(&ground, "base:1");
    snprintf(path, sizeof path, "%s/root/bin/busybox", ground.scratch.path);
    for (int i = 0; i < 3; i++)
        signal(((int[]){SIGINT, SIGCHLD, SIGPIPE})[i], on_signal);
    umask(027);
    caller_note(&before);

    container = ground_start(&ground);
    result = ground_exec(container, &(struct mayfly_command){.shell = "cd /; umask 0; export A=1",
                                                             .output = {.kind = MAYFLY_DATA}});
    mayfly_result_done(&result);
    cr_expect_eq(mayfly_call(container, ground_nothing, NULL, 0, NULL, 0, NULL, NULL, &error), 0);
    cr_assert_eq(mayfly_spawn(container, &(struct mayfly_command){.argv = argv}, &process, &error),
                 0, "%s", error.message);
    cr_expect_eq(mayfly_copy_in(container, path, "/copied", &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_signal(container, SIGTERM, &error), 0);
    cr_expect_eq(mayfly_process_wait(process, UINT64_MAX, &result, &error), 0);
    mayfly_process_free(process);
    cr_expect_eq(mayfly_commit(container, "made:1", NULL, &error), 0, "%s", error.message);
    cr_expect_eq(poll(&(struct pollfd){.fd = mayfly_wait_fd(container), .events = POLLIN}, 1, 0),
                 0);
    mayfly_destroy(container);
    cr_assert_eq(mayfly_run(ground.plan, argv, &container, &error), 0, "%s", error.message);
    cr_expect_eq(mayfly_remove(container, &error), 0, "%s", error.message);
    cr_expect_eq(poll(&(struct pollfd){.fd = mayfly_wait_fd(container), .events = POLLIN}, 1, -1),
                 1);
    mayfly_destroy(container);

    caller_note(&after);
    cr_expect_str_eq(after.cwd, before.cwd);
    cr_expect_eq(memcmp(&before.mask, &after.mask, sizeof before.mask), 0);
    cr_expect_eq(memcmp(before.handlers, after.handlers, sizeof before.handlers), 0);
    cr_expect_eq(memcmp(before.environ, after.environ, sizeof before.environ), 0);
    cr_expect_eq(after.umask, before.umask);
    cr_expect_eq(after.n_descriptors, before.n_descriptors);
    cr_expect(after.group == before.group && after.session == before.session);
    cr_expect(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    ground_done(&ground);
}
