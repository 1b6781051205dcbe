/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of a container.
 *
 * It waits for several things at once: a request from the host's side, the end of
 * a child (its own and all orphans), where ids are emulated a system call to
 * answer, and the programs that others have asked for (jobs.c).  One of the plan's
 * actions is under way at a time, any number of jobs beside it.  When the host's
 * side is gone it ends, and the kernel ends everything else in the container with
 * it.
 */
#include "init.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/message.h"
#include "engine/result.h"
#include "inside.h"
#include "jobs.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

struct init {
    struct inside inside;
    struct jobs jobs;
    int socket_fd; /* to the host's side */
    int signal_fd;
    pid_t running;   /* the step or copy under way; 0: none */
    int terminal_fd; /* the step's terminal, so that it is not hung up when the step closes it */
    uint32_t index;  /* the action it belongs to */
};

static int begin(struct init *init, struct err *err) {
    sigset_t all;

    sigfillset(&all);
    init->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return init->signal_fd < 0 ? err_errno(err, "cannot begin in the container") : 0;
}

static int reply(const struct init *init, enum message_kind kind, int value, int fd) {
    const struct message message = {.kind = kind, .index = init->index, .value = value};

    return message_send(init->socket_fd, &message, &fd, fd >= 0);
}

static int reply_error(const struct init *init, const struct err *err) {
    const struct message message = {.kind = MESSAGE_ERROR, .index = init->index, .err = *err};

    return message_send(init->socket_fd, &message, NULL, 0);
}

/* A terminal of the container's own; its master side goes to the host's. */
static int open_terminal(const struct init *init, const struct winsize *window, int *ret_fd,
                         struct err *err) {
    const struct inside *inside = &init->inside;
    _cleanup_close_ int master = -1, slave = -1;
    int r = inside_open_terminal(inside, &inside->user, window, &master, &slave, err);

    if (r < 0)
        return r;
    r = reply(init, MESSAGE_TERMINAL, 0, master);
    if (r < 0)
        return err_set(err, r, "cannot hand the terminal over");
    *ret_fd = take_fd(slave);
    return 0;
}

static int start_step(struct init *init, char *const *argv, bool on_terminal,
                      const struct winsize *window, struct err *err) {
    const struct container *c = init->inside.container;
    _cleanup_close_ int terminal = -1;
    struct step step = {
        .argv = argv,
        .env = init->inside.env.items,
        .workdir = init->inside.workdir,
        .ulimits = &init->inside.container->plan->ulimits,
        .user = inside_has_single_id(&init->inside) ? NULL : &init->inside.user,
        .terminal_fd = -1,
        .confine = &c->confine,
    };
    pid_t pid;

    if (on_terminal) {
        int r = open_terminal(init, window, &terminal, err);

        if (r < 0)
            return r;
    }
    step.terminal_fd = terminal;
    for (int i = 0; i < 3; i++)
        step.stdio[i] = on_terminal && c->terminals[i] ? -1 : i;
    pid = step_spawn(&step, err);
    if (pid < 0)
        return pid;
    init->running = pid;
    init->terminal_fd = take_fd(terminal);
    if (init->inside.emulator)
        emulator_set(init->inside.emulator, pid, &init->inside.user);
    return 0;
}

static int start_copy(struct init *init, const struct action *action, int socket_fd,
                      struct err *err) {
    bool down = action->kind == ACTION_DOWNLOAD;
    pid_t pid =
        inside_copy(&init->inside, down, false, action->source, action->target, socket_fd, err);

    if (pid < 0)
        return pid;
    init->running = pid;
    return 0;
}

static int start_action(struct init *init, const struct message *message, int fd, struct err *err) {
    static char *const shell[] = {(char *)"/bin/sh", NULL};
    const struct container *c = init->inside.container;
    const struct action *action;

    if (message->kind == MESSAGE_SHELL)
        return start_step(init, shell, true, &message->window, err);
    action = &c->plan->actions[message->index];
    switch (action->kind) {
    case ACTION_WORKDIR:
        return inside_set_workdir(&init->inside, action->target, err);
    case ACTION_SHELL:
    case ACTION_EXEC:
        return start_step(init, action->argv.items, container_has_terminal(c), &message->window,
                          err);
    case ACTION_DOWNLOAD:
    case ACTION_UPLOAD:
        return start_copy(init, action, fd, err);
    case ACTION_COMMIT:
        break; /* the host's side does it */
    }
    return err_set(err, -EINVAL, "an unknown action");
}

/* One message from the host's side.  Return: negative when that is gone. */
static int take_request(struct init *init) {
    _cleanup_close_ int fd = -1;
    struct message message;
    struct err err = {0};
    int r = message_receive(init->socket_fd, &message, &fd, 1, NULL);

    if (r < 0)
        return r;
    if (message.kind == MESSAGE_CLIENT)
        return fd < 0 ? -EPROTO : jobs_add(&init->jobs, take_fd(fd));
    if (message.kind == MESSAGE_SIGNAL) {
        /* The whole group, as a terminal would. */
        if (init->running > 0)
            kill(-init->running, message.value);
        return 0;
    }
    init->index = message.index;
    r = start_action(init, &message, fd, &err);
    if (r == -ENOENT || r == -EACCES) {
        struct message answer = {
            .kind = MESSAGE_ERROR,
            .index = init->index,
            .value = r == -ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
            .err = err,
        };

        if (message.kind != MESSAGE_ACTION ||
            init->inside.container->plan->actions[message.index].kind != ACTION_EXEC)
            answer.value = 0;
        return message_send(init->socket_fd, &answer, NULL, 0);
    }
    if (r < 0)
        return reply_error(init, &err);
    return init->running ? 0 : reply(init, MESSAGE_DONE, 0, -1);
}

static int reap(struct init *init) {
    struct signalfd_siginfo info[16];
    int status, r = 0;
    pid_t pid;

    while (read(init->signal_fd, info, sizeof info) == (ssize_t)sizeof info)
        ;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (init->inside.emulator)
            emulator_reap(init->inside.emulator, pid);
        if (pid != init->running) {
            jobs_reap(&init->jobs, pid, status);
            continue;
        }
        init->running = 0;
        if (init->terminal_fd >= 0)
            close(take_fd(init->terminal_fd));
        r = reply(init, MESSAGE_DONE,
                  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), -1);
    }
    return r;
}

#define N_OWN 3

/* One wait for all that can happen, and what has to be done then. */
static int turn(struct init *init) {
    struct emulator *emulator = init->inside.emulator;
    struct pollfd *fds = jobs_poll(&init->jobs, N_OWN);
    int r = 0;

    if (!fds)
        return -ENOMEM;
    fds[0] = (struct pollfd){.fd = init->socket_fd, .events = POLLIN};
    fds[1] = (struct pollfd){.fd = init->signal_fd, .events = POLLIN};
    fds[2] = (struct pollfd){.fd = emulator ? emulator_fd(emulator) : -1, .events = POLLIN};
    if (poll(fds, N_OWN + init->jobs.n, -1) < 0)
        return errno == EINTR ? 0 : -errno;
    if (fds[2].revents)
        emulator_dispatch(emulator);
    if (fds[1].revents)
        r = reap(init);
    jobs_dispatch(&init->jobs, &init->inside, fds + N_OWN);
    return r >= 0 && fds[0].revents ? take_request(init) : r;
}

int init_run(const struct container *container, struct emulator *emulator, struct err *err) {
    struct init init = {
        .socket_fd = container->socket_fd,
        .signal_fd = -1,
        .terminal_fd = -1,
    };
    int r = begin(&init, err);

    if (r == 0)
        r = inside_init(&init.inside, container, emulator, err);
    if (r < 0)
        return r;
    r = reply(&init, MESSAGE_READY, 0, -1);
    while (r >= 0)
        r = turn(&init);
    /* The kernel frees the rest, and kills what still runs. */
    return 0;
}
