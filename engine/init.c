/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PID 1 of a container.
 *
 * It waits for three things at once: a request from the host's side, the end of
 * a child (its own steps and all orphans), and, where ids are emulated, a system
 * call to answer.  One action is under way at a time.  When the host's side is
 * gone it ends, and the kernel ends everything else in the container with it.
 */
#include "init.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/str.h"
#include "copy.h"
#include "copy_path.h"
#include "message.h"
#include "result.h"
#include "step.h"
#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#define MAX_USERS_BYTES (4u << 20)
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct init {
    const struct container *container;
    struct emulator *emulator;
    int signal_fd;
    int root_fd;
    struct user user;
    struct strv env;
    char *workdir;
    pid_t running;   /* the step or copy under way; 0: none */
    int terminal_fd; /* the step's terminal, so that it is not hung up when the step closes it */
    uint32_t index;  /* the action it belongs to */
};

static bool has_single_id(const struct init *init) {
    return init->container->map.mode == IDMAP_SINGLE;
}

static int find_user(struct init *init, struct err *err) {
    const struct container *c = init->container;
    const char *spec = c->plan->user ? c->plan->user : c->image.config.user;
    _cleanup_free_ char *passwd = NULL, *group = NULL;
    int r;

    /* A file that is missing, or no file at all, names nobody. */
    (void)fd_read_file(AT_FDCWD, "/etc/passwd", MAX_USERS_BYTES, &passwd, NULL);
    (void)fd_read_file(AT_FDCWD, "/etc/group", MAX_USERS_BYTES, &group, NULL);
    r = user_lookup(&init->user, spec, passwd ? passwd : "", group ? group : "", err);
    if (r < 0 || has_single_id(init))
        return r;
    if (!idmap_has(c->map.uids, c->map.n_uids, init->user.uid) ||
        !idmap_has(c->map.gids, c->map.n_gids, init->user.gid))
        return err_set(err, -EINVAL,
                       "user %s cannot be had: the container's user namespace has no id %u", spec,
                       idmap_has(c->map.uids, c->map.n_uids, init->user.uid) ? init->user.gid
                                                                             : init->user.uid);
    return 0;
}

static int set_env(struct strv *env, const char *name, const char *value) {
    _cleanup_free_ char *assignment = str_printf("%s=%s", name, value);

    return assignment ? strv_set_env(env, assignment) : -ENOMEM;
}

/* Later ones win: our defaults, the image's, the plan's. */
static int make_env(struct init *init, struct err *err) {
    const struct container *c = init->container;
    const struct strv *sources[] = {&c->image.config.env, &c->plan->env};
    const char *term = getenv("TERM");
    int r = strv_set_env(&init->env, DEFAULT_PATH);

    if (r == 0)
        r = set_env(&init->env, "HOME", init->user.home);
    if (r == 0)
        r = set_env(&init->env, "HOSTNAME", container_hostname(c));
    if (r == 0 && container_has_terminal(c))
        r = set_env(&init->env, "TERM", term && *term ? term : "xterm");
    for (size_t i = 0; r == 0 && i < N_ELEMENTS(sources); i++)
        for (size_t j = 0; r == 0 && j < sources[i]->n; j++)
            r = strv_set_env(&init->env, sources[i]->items[j]);
    return r < 0 ? err_nomem(err) : 0;
}

/* Makes what is missing of a directory, which belongs to the steps' user then. */
static int set_workdir(struct init *init, const char *dir, struct err *err) {
    _cleanup_free_ char *path =
        *dir == '/' ? strdup(dir)
                    : str_printf("%s/%s", str_eq(init->workdir, "/") ? "" : init->workdir, dir);
    _cleanup_close_ int fd = -1;

    if (!path)
        return err_nomem(err);
    fd = fd_mkdir_in_root(init->root_fd, path, 0755, has_single_id(init) ? 0 : init->user.uid,
                          has_single_id(init) ? 0 : init->user.gid);
    if (fd == -ENOTDIR || fd == -EEXIST)
        return err_set(err, -ENOTDIR, "workdir %s is not a directory: something else is in the way",
                       path);
    if (fd < 0) {
        errno = -fd;
        return err_errno(err, "cannot make the workdir %s", path);
    }
    free(init->workdir);
    init->workdir = take_ptr(path);
    return 0;
}

static int begin(struct init *init, struct err *err) {
    const char *dir = init->container->image.config.working_dir;
    sigset_t all;
    int r;

    sigfillset(&all);
    init->signal_fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    init->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    init->workdir = strdup("/");
    if (init->signal_fd < 0 || init->root_fd < 0 || !init->workdir)
        return err_errno(err, "cannot begin in the container");
    r = find_user(init, err);
    if (r == 0)
        r = make_env(init, err);
    if (r == 0 && dir && *dir && !str_eq(dir, "/"))
        r = set_workdir(init, dir, err);
    return r;
}

static int reply(const struct init *init, enum message_kind kind, int value, int fd) {
    const struct message message = {.kind = kind, .index = init->index, .value = value};

    return message_send(init->container->socket_fd, &message, &fd, fd >= 0);
}

static int reply_error(const struct init *init, const struct err *err) {
    const struct message message = {.kind = MESSAGE_ERROR, .index = init->index, .err = *err};

    return message_send(init->container->socket_fd, &message, NULL, 0);
}

/* A terminal of the container's own; its master side goes to the host's. */
static int open_terminal(const struct init *init, const struct winsize *window, int *ret_fd,
                         struct err *err) {
    _cleanup_close_ int master = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    _cleanup_close_ int slave = -1;
    int unlock = 0, r;

    if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
        return err_errno(err, "cannot make a terminal in the container");
    slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave < 0 || ioctl(master, TIOCSWINSZ, window) < 0)
        return err_errno(err, "cannot set up a terminal in the container");
    if (!has_single_id(init) && fchown(slave, init->user.uid, (gid_t)-1) < 0)
        return err_errno(err, "cannot give the terminal to the step's user");
    r = reply(init, MESSAGE_TERMINAL, 0, master);
    if (r < 0)
        return err_set(err, r, "cannot hand the terminal over");
    *ret_fd = take_fd(slave);
    return 0;
}

static int start_step(struct init *init, char *const *argv, const struct winsize *window,
                      struct err *err) {
    const struct container *c = init->container;
    _cleanup_close_ int terminal = -1;
    struct step step = {
        .argv = argv,
        .env = init->env.items,
        .workdir = init->workdir,
        .user = has_single_id(init) ? NULL : &init->user,
        .terminal_fd = -1,
    };
    pid_t pid;

    if (container_has_terminal(c)) {
        int r = open_terminal(init, window, &terminal, err);

        if (r < 0)
            return r;
    }
    step.terminal_fd = terminal;
    for (int i = 0; i < 3; i++)
        step.stdio[i] = c->terminals[i] ? -1 : i;
    pid = step_spawn(&step, err);
    if (pid < 0)
        return pid;
    init->running = pid;
    init->terminal_fd = take_fd(terminal);
    if (init->emulator)
        emulator_set(init->emulator, pid, &init->user);
    return 0;
}

/* The container's side of -D and -U, in a process of its own. */
static int copy_in_container(const struct init *init, const struct action *action, int socket_fd) {
    struct copy copy = {
        .socket_fd = socket_fd,
        .chown = !has_single_id(init),
        .uid = init->user.uid,
        .gid = init->user.gid,
    };
    struct copy_place place = {.dir_fd = -1};
    struct err err;
    int r;

    if (chdir(init->workdir) < 0)
        r = err_errno(&err, "cannot enter the workdir %s", init->workdir);
    else if (action->kind == ACTION_DOWNLOAD)
        r = copy_source(action->source, &place, &err);
    else
        r = copy_target(action->target, action->source, true, &place, &err);
    if (r < 0)
        copy_fail(&copy, &err);
    else if (action->kind == ACTION_DOWNLOAD)
        r = copy_send(&copy, place.dir_fd, place.name, &err);
    else
        r = copy_receive(&copy, place.dir_fd, place.name, &err);
    return r < 0;
}

static int start_copy(struct init *init, const struct action *action, int socket_fd,
                      struct err *err) {
    pid_t pid = fork();

    if (pid < 0)
        return err_errno(err, "cannot start a copy");
    if (pid == 0)
        _exit(copy_in_container(init, action, socket_fd));
    init->running = pid;
    return 0;
}

static int start_action(struct init *init, const struct message *message, int fd, struct err *err) {
    static char *const shell[] = {(char *)"/bin/sh", NULL};
    const struct action *action;

    if (message->kind == MESSAGE_SHELL)
        return start_step(init, shell, &message->window, err);
    action = &init->container->plan->actions[message->index];
    switch (action->kind) {
    case ACTION_WORKDIR:
        return set_workdir(init, action->target, err);
    case ACTION_SHELL:
    case ACTION_EXEC:
        return start_step(init, action->argv.items, &message->window, err);
    case ACTION_DOWNLOAD:
    case ACTION_UPLOAD:
        return start_copy(init, action, fd, err);
    }
    return err_set(err, -EINVAL, "an unknown action");
}

/* One message from the host's side.  Return: negative when that is gone. */
static int take_request(struct init *init) {
    _cleanup_close_ int fd = -1;
    struct message message;
    struct err err = {0};
    int r = message_receive(init->container->socket_fd, &message, &fd, 1, NULL);

    if (r < 0)
        return r;
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
            init->container->plan->actions[message.index].kind != ACTION_EXEC)
            answer.value = 0;
        return message_send(init->container->socket_fd, &answer, NULL, 0);
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
        if (init->emulator)
            emulator_reap(init->emulator, pid);
        if (pid != init->running)
            continue;
        init->running = 0;
        if (init->terminal_fd >= 0)
            close(take_fd(init->terminal_fd));
        r = reply(init, MESSAGE_DONE,
                  WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), -1);
    }
    return r;
}

int init_run(const struct container *container, struct emulator *emulator, struct err *err) {
    struct init init = {
        .container = container,
        .emulator = emulator,
        .signal_fd = -1,
        .root_fd = -1,
        .terminal_fd = -1,
    };
    struct pollfd fds[3] = {
        {.fd = container->socket_fd, .events = POLLIN},
        {.fd = -1, .events = POLLIN},
        {.fd = emulator ? emulator_fd(emulator) : -1, .events = POLLIN},
    };
    int r = begin(&init, err);

    if (r < 0)
        return r;
    fds[1].fd = init.signal_fd;
    r = reply(&init, MESSAGE_READY, 0, -1);
    while (r >= 0) {
        if (poll(fds, N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
            break;
        if (fds[2].revents)
            emulator_dispatch(emulator);
        if (fds[1].revents)
            r = reap(&init);
        if (r >= 0 && fds[0].revents)
            r = take_request(&init);
    }
    /* The kernel frees the rest, and kills what still runs. */
    return 0;
}
