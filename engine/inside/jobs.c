/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever wants a program in the container has a connection to PID 1, which is
 * the program's life line: it is asked for there, its end is reported there, and
 * when the other side is gone the program is ended.  PID 1 itself keeps nothing
 * of a job beyond its connection, its pid and its terminal.
 */
#include "jobs.h"

#include "boot.h"
#include "closure.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/message.h"
#include "engine/result.h"
#include "enter.h"
#include "job.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

/* Words, standard input, output and error. */
#define N_FDS 4

struct running_job {
    int socket_fd;
    pid_t pid;           /* 0: not asked for yet, or ended */
    int terminal_fd;     /* so that it is not hung up when the program closes it */
    bool is_over;        /* to be forgotten */
    bool is_left;        /* @socket_fd is its terminal's master side, which nobody looks at */
    int shutdown_signal; /* of an image's init; 0 */
};

int jobs_add(struct jobs *jobs, int socket_fd) {
    struct running_job *items = reallocarray(jobs->items, jobs->n + 1, sizeof *items);

    if (!items) {
        close(socket_fd);
        return -ENOMEM;
    }
    jobs->items = items;
    items[jobs->n++] = (struct running_job){.socket_fd = socket_fd, .terminal_fd = -1};
    return 0;
}

struct pollfd *jobs_poll(struct jobs *jobs, size_t n_before) {
    struct pollfd *fds = reallocarray(jobs->fds, n_before + jobs->n, sizeof *fds);

    if (!fds)
        return NULL;
    jobs->fds = fds;
    for (size_t i = 0; i < jobs->n; i++)
        fds[n_before + i] = (struct pollfd){.fd = jobs->items[i].socket_fd, .events = POLLIN};
    return fds;
}

static void reply(const struct running_job *job, enum message_kind kind, int value, int signal) {
    const struct message message = {.kind = kind, .index = (uint32_t)signal, .value = value};

    (void)message_send(job->socket_fd, &message, NULL, 0);
}

static void reply_error(const struct running_job *job, int value, const struct err *err) {
    const struct message message = {.kind = MESSAGE_ERROR, .value = value, .err = *err};

    (void)message_send(job->socket_fd, &message, NULL, 0);
}

static int read_words(int fd, struct job *ret_job, struct err *err) {
    _cleanup_free_ char *data = NULL;
    size_t size = 0;
    int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fd_read_all(fd, JOB_MAX_BYTES, &data, &size);

    *ret_job = (struct job){0};
    if (r == 0)
        r = job_decode(data, size, ret_job);
    return r < 0 ? err_set(err, r, "what is to be started was not understood") : 0;
}

/* Later ones win: the container's, the user's home, the job's. */
static int make_env(const struct inside *inside, const struct job *job, const struct user *user,
                    bool terminal, struct strv *env) {
    _cleanup_free_ char *home = job->user ? str_printf("HOME=%s", user->home) : NULL;
    _cleanup_free_ char *term = NULL;
    int r = 0;

    for (size_t i = 0; r == 0 && i < inside->env.n; i++)
        r = strv_push(env, inside->env.items[i]);
    if (r == 0 && job->user)
        r = home ? strv_set_env(env, home) : -ENOMEM;
    if (r == 0 && terminal && !strv_get_env(env, "TERM")) {
        term = str_printf("TERM=%s", job->term && *job->term ? job->term : "xterm");
        r = term ? strv_set_env(env, term) : -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < job->env.n; i++)
        r = strv_set_env(env, job->env.items[i]);
    return r;
}

/* Makes the program's terminal and hands its master side over. */
static int give_terminal(struct running_job *running, const struct inside *inside,
                         const struct user *user, const struct winsize *window, struct err *err) {
    const struct message message = {.kind = MESSAGE_TERMINAL};
    _cleanup_close_ int master = -1;
    int r = inside_open_terminal(inside, user, window, &master, &running->terminal_fd, err);

    if (r == 0 && message_send(running->socket_fd, &message, &master, 1) < 0)
        r = err_set(err, -EPIPE, "cannot hand the terminal over");
    return r;
}

static int spawn_job(struct running_job *running, struct inside *inside, const struct job *job,
                     const struct message *message, const int *stdio, struct err *err) {
    bool terminal = message->value & JOB_TERMINAL, is_init = message->value & JOB_INIT;
    struct boot boot = {.inside = inside, .err = err};
    _cleanup_strv_ struct strv env = {0};
    _cleanup_free_ char *workdir = inside_path(inside, job->workdir ? job->workdir : ".");
    _cleanup_(user_done) struct user own = {0};
    const struct user *user = job->user ? &own : &inside->user;
    struct step step = {
        .argv = job->argv.items,
        .workdir = job->workdir ? workdir : inside->workdir,
        .ulimits = &inside->container->plan->ulimits,
        .user = inside_has_single_id(inside) ? NULL : user,
        .terminal_fd = -1,
        .confine = &inside->container->confine,
    };
    int r = job->user ? inside_find_user(inside, job->user, &own, err) : 0;

    if (r == 0 && (!workdir || make_env(inside, job, user, terminal, &env) < 0))
        r = err_nomem(err);
    if (r == 0 && terminal)
        r = give_terminal(running, inside, user, &message->window, err);
    if (r < 0)
        return r;
    step.env = env.items;
    /* A console is nobody's terminal until somebody logs in there. */
    boot.console_fd = running->terminal_fd;
    step.terminal_fd = is_init ? -1 : running->terminal_fd;
    for (int i = 0; i < 3; i++) {
        step.stdio[i] = terminal ? running->terminal_fd : stdio[i];
        /* For programs that open /dev/stdout by its name; others do without. */
        if (!terminal && message->value & JOB_GIVE && user->uid != 0 && step.user &&
            fchown(stdio[i], user->uid, (gid_t)-1) < 0)
            continue;
    }
    if (is_init) {
        r = boot_begin(inside, job->argv.items[0], &running->shutdown_signal, err);
        if (r < 0)
            return r;
        step.enter = boot_enter;
        step.argument = &boot;
    }
    running->pid = step_spawn(&step, err);
    if (running->pid < 0) {
        r = running->pid;
        running->pid = 0;
        return r;
    }
    if (inside->emulator)
        emulator_set(inside->emulator, running->pid, user);
    return 0;
}

static int spawn_closure(struct running_job *running, const struct inside *inside, const int *fds,
                         struct err *err) {
    const struct step step = {
        .workdir = inside->workdir,
        .ulimits = &inside->container->plan->ulimits,
        .user = inside_has_single_id(inside) ? NULL : &inside->user,
        .stdio = {fds[1], fds[2], fds[3]},
        .terminal_fd = -1,
        .confine = &inside->container->confine,
    };
    pid_t pid;

    if (!inside->container->takes_closures)
        return err_set(err, -ENOTSUP, "functions run in a container of their own process alone");
    pid = closure_spawn(&step, fds[0], err);
    if (pid < 0)
        return pid;
    running->pid = pid;
    if (inside->emulator)
        emulator_set(inside->emulator, pid, &inside->user);
    return 0;
}

static int spawn_copy(struct running_job *running, const struct inside *inside,
                      const struct job *job, int flags, int socket_fd, struct err *err) {
    const char *target = job->argv.n > 1 ? job->argv.items[1] : NULL;
    pid_t pid = inside_copy(inside, flags & JOB_DOWNLOAD, flags & JOB_UPLOAD_TAR,
                            job->argv.items[0], target, socket_fd, err);

    if (pid < 0)
        return pid;
    running->pid = pid;
    return 0;
}

static int spawn(struct running_job *running, struct inside *inside, const struct message *message,
                 const int *fds, const int *stdio, struct err *err) {
    _cleanup_job_ struct job job = {0};
    int r;

    if (message->value & JOB_CLOSURE)
        return spawn_closure(running, inside, fds, err);
    r = read_words(fds[0], &job, err);
    if (r == 0 && message->value & (JOB_DOWNLOAD | JOB_UPLOAD | JOB_UPLOAD_TAR))
        return spawn_copy(running, inside, &job, message->value, fds[1], err);
    return r < 0 ? r : spawn_job(running, inside, &job, message, stdio, err);
}

/* How many descriptors a request has to bring. */
static size_t n_fds_of(int flags) {
    if (flags & (JOB_DOWNLOAD | JOB_UPLOAD | JOB_UPLOAD_TAR))
        return 2;
    return flags & (JOB_TERMINAL | JOB_DETACHED) ? 1 : N_FDS;
}

/* Starts what a request asks for; @fds: N_FDS of which @n came. */
static void start(struct running_job *running, struct inside *inside, const struct message *message,
                  const int *fds, size_t n) {
    bool has_stdio = !(message->value & (JOB_TERMINAL | JOB_DETACHED));
    _cleanup_close_ int null = has_stdio ? -1 : open("/dev/null", O_RDWR | O_CLOEXEC);
    const int nothing[3] = {null, null, null};
    struct err err = {0};
    int r = n == n_fds_of(message->value)
                ? spawn(running, inside, message, fds, has_stdio ? fds + 1 : nothing, &err)
                : err_set(&err, -EPROTO, "descriptors are missing");

    if (r < 0)
        reply_error(running,
                    r == -ENOENT   ? EXIT_NOT_FOUND
                    : r == -EACCES ? EXIT_NOT_EXECUTABLE
                                   : 0,
                    &err);
    else if (message->value & JOB_DETACHED)
        reply(running, MESSAGE_DONE, 0, 0);
    else if (message->value & JOB_TELL)
        reply(running, MESSAGE_READY, running->shutdown_signal, 0);
    running->is_over = r < 0 || message->value & JOB_DETACHED;
}

static void give_namespaces(const struct running_job *running, const struct inside *inside) {
    const struct message message = {.kind = MESSAGE_READY};
    int fds[ENTER_N_NAMESPACES];
    struct err err;

    if (enter_open(inside, fds, &err) < 0) {
        reply_error(running, 0, &err);
        return;
    }
    (void)message_send(running->socket_fd, &message, fds, ENTER_N_NAMESPACES);
    for (size_t i = 0; i < ENTER_N_NAMESPACES; i++)
        close(fds[i]);
}

/* Everything in the session that the program began, the program itself first. */
static void end_session(const struct inside *inside, pid_t leader) {
    int own = inside->proc_fd >= 0 ? openat(inside->proc_fd, ".", O_RDONLY | O_CLOEXEC) : -1;
    _cleanup_closedir_ DIR *proc = own >= 0 ? fdopendir(own) : opendir("/proc");
    struct dirent *entry;

    kill(-leader, SIGKILL);
    kill(leader, SIGKILL);
    while (proc && (entry = readdir(proc))) {
        pid_t pid = atoi(entry->d_name);

        if (pid > 1 && getsid(pid) == leader)
            kill(pid, SIGKILL);
    }
}

/* Who asked for it has gone, and left the terminal here: what it shows is read, for it not to wait.
 */
static void leave(struct running_job *running, int master_fd) {
    close(running->socket_fd);
    running->socket_fd = master_fd;
    running->is_left = true;
    fcntl(master_fd, F_SETFL, O_NONBLOCK);
}

static void pass_over(const struct running_job *running) {
    char bytes[4096];

    while (read(running->socket_fd, bytes, sizeof bytes) > 0)
        ;
}

static void take_request(struct running_job *running, struct inside *inside) {
    int fds[N_FDS] = {-1, -1, -1, -1};
    struct message message;
    size_t n = 0;

    if (message_receive(running->socket_fd, &message, fds, N_FDS, &n) < 0) {
        if (running->pid > 0)
            end_session(inside, running->pid);
        running->is_over = true;
        return;
    }
    if (message.kind == MESSAGE_SIGNAL && message.value >= 0)
        kill(running->pid > 0 ? running->pid : -1, message.value);
    else if (message.kind == MESSAGE_RUN && running->pid == 0)
        start(running, inside, &message, fds, n);
    else if (message.kind == MESSAGE_TERMINAL && running->terminal_fd >= 0 && n == 1)
        leave(running, fds[--n]);
    else if (message.kind == MESSAGE_ENTER)
        give_namespaces(running, inside);
    while (n-- > 0)
        close(fds[n]);
}

static void forget(struct jobs *jobs, size_t i) {
    close(jobs->items[i].socket_fd);
    if (jobs->items[i].terminal_fd >= 0)
        close(jobs->items[i].terminal_fd);
    jobs->items[i] = jobs->items[--jobs->n];
}

void jobs_dispatch(struct jobs *jobs, struct inside *inside, const struct pollfd *fds) {
    /* By the descriptor, as jobs may have been added, and forgotten by jobs_reap(), since. */
    for (size_t i = 0, n = jobs->n; i < n; i++)
        if (fds[i].revents && !jobs->items[i].is_over && jobs->items[i].socket_fd == fds[i].fd) {
            if (jobs->items[i].is_left)
                pass_over(&jobs->items[i]);
            else
                take_request(&jobs->items[i], inside);
        }
    for (size_t i = jobs->n; i-- > 0;)
        if (jobs->items[i].is_over)
            forget(jobs, i);
}

void jobs_reap(struct jobs *jobs, pid_t pid, int status) {
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

    for (size_t i = 0; i < jobs->n; i++) {
        struct running_job *running = &jobs->items[i];

        if (running->pid != pid)
            continue;
        reply(running, MESSAGE_DONE, signal ? 128 + signal : WEXITSTATUS(status), signal);
        running->pid = 0;
        running->is_over = true;
    }
}
