/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run, from plan to unwinding; child.c is its mirror in the container.
 *
 *   plan → idmap → store, state → image → clone → id maps, trees → supervise → unwind
 *
 * How ids are mapped decides where layers lie and how they are mounted, and what
 * a host allows is known for certain only when it was tried: the attempt is
 * repeated with the next mode when a host refuses one.
 */
#include "run.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sys.h"
#include "child.h"
#include "connect.h"
#include "container.h"
#include "images.h"
#include "signals.h"
#include "spawn.h"
#include "state.h"
#include "steps.h"
#include "supervise.h"
#include "trees.h"
#include "unwind.h"
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

/* One attempt's positive condition: the next mode of id mapping may do. */
#define ATTEMPT_FALL_BACK 12

#define NAMESPACES                                                                                 \
    (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP)

struct attempt {
    struct container container;
    struct supervisor supervisor;
    struct unwind unwind;
    int child_socket;
};

static void undo_store(void *argument) {
    store_close(argument);
}

static void undo_state(void *argument) {
    struct container *container = argument;
    struct err err;

    if (state_destroy(&container->state, &container->map, &err) < 0)
        log_warning(container->log, "%s", err.message);
}

static void undo_image(void *argument) {
    image_done(argument);
}

static void undo_volumes(void *argument) {
    struct container *container = argument;

    for (size_t i = 0; container->volumes && i < container->plan->n_volumes; i++) {
        if (container->volumes[i].fd >= 0)
            close(container->volumes[i].fd);
        free(container->volumes[i].path);
        free(container->volumes[i].name);
    }
    free(container->volumes);
}

static void undo_network(void *argument) {
    connect_destroy(argument);
}

static void undo_fd(void *argument) {
    int *fd = argument;

    if (*fd >= 0)
        close(take_fd(*fd));
}

/* The end of PID 1 is the end of every process, mount and interface of the container. */
static void undo_child(void *argument) {
    int *pidfd = argument;

    sys_pidfd_send_signal(*pidfd, SIGKILL);
    spawn_wait(*pidfd);
    close(take_fd(*pidfd));
}

static int open_state(struct attempt *a, struct err *err) {
    struct container *c = &a->container;
    int r = store_open(&c->store, c->plan->store, state_owners(c->map.mode), err);

    if (r < 0)
        return r;
    unwind_push(&a->unwind, undo_store, &c->store);
    state_clean(&c->store, &c->map, c->log);
    r = state_create(&c->state, &c->store, c->plan->name, err);
    if (r == 0)
        unwind_push(&a->unwind, undo_state, c);
    return r;
}

static int import(void *argument, struct err *err) {
    const struct container *c = argument;

    if (c->plan->pull == PULL_ALWAYS && images_is_remote(c->plan->image))
        return image_pull(&c->store, c->plan->image, c->log, err);
    return image_import(&c->store, c->plan->image, c->log, err);
}

/* Adds to @epoll a timer that becomes readable when the run's time is up; a descriptor. */
static int add_timer(int epoll, uint64_t deadline_nsec) {
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(deadline_nsec / NSEC_PER_SEC),
                     .tv_nsec = (long)(deadline_nsec % NSEC_PER_SEC)},
    };
    struct epoll_event event = {.events = EPOLLIN};
    _cleanup_close_ int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    if (fd < 0 || timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) < 0 ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
        return -errno;
    return take_fd(fd);
}

/* Brings the image into the store.  Return: 0, a condition of an attempt, or -errno with a text. */
static int bring_image(struct attempt *a, struct err *err) {
    struct container *c = &a->container;
    struct epoll_event event = {.events = EPOLLIN};
    _cleanup_close_ int ends = signals_open_ends(err), timer = -1;
    _cleanup_close_ int epoll = epoll_create1(EPOLL_CLOEXEC);
    int r = ends < 0 ? ends : 0, ended;

    if (r == 0 && (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends, &event) < 0))
        r = err_errno(err, "cannot wait for signals");
    if (r == 0 && a->supervisor.deadline_nsec != CLOCK_NEVER) {
        timer = add_timer(epoll, a->supervisor.deadline_nsec);
        r = timer < 0 ? err_set(err, timer, "cannot make a timer") : 0;
    }
    if (r == 0) {
        log_debug(c->log, "unpacking %s", c->plan->image);
        r = userns_call(&c->map, import, c, epoll, err);
    }
    ended = r == -EINTR ? supervise_check(&a->supervisor) : 0;
    if (ended > 0)
        r = ended;
    else if (r == USERNS_UNMAPPABLE)
        r = ATTEMPT_FALL_BACK;
    if (r != 0)
        (void)store_clean(&c->store);
    return r;
}

static int find_image(struct attempt *a, struct err *err) {
    struct container *c = &a->container;
    bool is_remote = c->plan->pull != PULL_MISSING && images_is_remote(c->plan->image);
    int r = is_remote && c->plan->pull == PULL_ALWAYS ? bring_image(a, err) : 0;

    if (r == 0)
        r = image_find(&c->image, &c->store, c->plan->image, err);
    if (r == IMAGE_MISSING && is_remote && c->plan->pull == PULL_NEVER)
        return err_set(err, -ENOENT,
                       "image %s: it is not here, and with --pull never nobody is asked for it",
                       c->plan->image);
    if (r == IMAGE_MISSING) {
        r = bring_image(a, err);
        if (r == 0)
            r = image_find(&c->image, &c->store, c->plan->image, err);
        if (r == IMAGE_MISSING)
            return err_set(err, -ESTALE, "image %s: it changed while it was unpacked",
                           c->plan->image);
    }
    if (r == 0)
        unwind_push(&a->unwind, undo_image, &c->image);
    return r;
}

static int start_child(struct attempt *a, pid_t *ret_pid, struct err *err) {
    struct container *c = &a->container;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    c->socket_fd = pair[0];
    unwind_push(&a->unwind, undo_fd, &c->socket_fd);
    *ret_pid = spawn(NAMESPACES | (c->plan->net == NET_HOST ? 0 : CLONE_NEWNET),
                     &a->supervisor.pidfd, err);
    if (*ret_pid == 0) {
        close(c->socket_fd);
        c->socket_fd = pair[1];
        _exit(child_main(c));
    }
    close(pair[1]);
    if (*ret_pid < 0)
        return *ret_pid;
    unwind_push(&a->unwind, undo_child, &a->supervisor.pidfd);
    return 0;
}

/* The user namespace of the container, by which root's mounts are mapped; -1 in other modes. */
static int open_userns(const struct container *c, pid_t pid) {
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    return c->map.mode == IDMAP_SHIFTED ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* Maps the container's ids and hands over what it is built from. */
static int build_child(struct attempt *a, pid_t pid, struct err *err) {
    const struct message message = {.kind = MESSAGE_BUILD};
    struct container *c = &a->container;
    struct trees trees = TREES_INIT;
    _cleanup_close_ int userns = -1;
    int r = userns_map(&c->map, pid, err);

    if (r == USERNS_UNMAPPABLE)
        return ATTEMPT_FALL_BACK;
    if (r < 0)
        return r;
    userns = open_userns(c, pid);
    if (c->map.mode == IDMAP_SHIFTED && userns < 0)
        return err_errno(err, "cannot open the container's user namespace");
    if (c->map.mode == IDMAP_SHIFTED || c->map.mode == IDMAP_IDENTITY)
        r = trees_open(&trees, c, userns, err);
    if (r == 0 && message_send(c->socket_fd, &message, trees.fds, trees.n) < 0)
        r = supervise_explain_death(&a->supervisor, err);
    trees_close(&trees);
    return r == TREES_UNMAPPABLE ? ATTEMPT_FALL_BACK : r;
}

/* One try with one way of mapping ids. */
static int attempt(struct attempt *a, struct result *result, struct err *err) {
    struct container *c = &a->container;
    const struct message connected = {.kind = MESSAGE_NETWORK};
    pid_t pid = -1;
    int r = open_state(a, err);

    if (r == 0)
        r = find_image(a, err);
    if (r == 0) {
        unwind_push(&a->unwind, undo_volumes, c);
        r = trees_check_volumes(c, err);
    }
    if (r == 0) {
        /* Below the child on the stack: it is destroyed after that has ended. */
        unwind_push(&a->unwind, undo_network, c);
        r = start_child(a, &pid, err);
    }
    if (r == 0)
        r = build_child(a, pid, err);
    if (r == 0 && plan_has_bridge(c->plan)) {
        r = connect_attach(c, pid, err);
        if (r == 0 && message_send(c->socket_fd, &connected, NULL, 0) < 0)
            r = supervise_explain_death(&a->supervisor, err);
    }
    if (r == 0) {
        steps_ask_first(&a->supervisor);
        r = steps_await_ready(&a->supervisor, err);
    }
    if (r == 0) {
        result->setup_nsec = clock_realtime() - result->started_nsec;
        r = steps_run(&a->supervisor, result, err);
    }
    return r;
}

/* Which are terminals.  A directory would lead out of the container: "..", openat(2). */
static int look_at_standard_streams(bool terminals[3], struct err *err) {
    static const char *const names[] = {"input", "output", "error"};
    struct stat st;

    for (int i = 0; i < 3; i++) {
        terminals[i] = isatty(i);
        if (!terminals[i] && fstat(i, &st) == 0 && S_ISDIR(st.st_mode))
            return err_set(err, -EISDIR,
                           "standard %s is a directory, which would let the container out: give a "
                           "file, a pipe or /dev/null",
                           names[i]);
    }
    return 0;
}

/*
 * Until its execve(2) a step is this program, and an image can make it execute /proc/self/exe: with
 * a loader of the image's it then holds this program's file, and may change it if its root is the
 * owner.  A sealed copy has no name and cannot be changed.
 */
static void protect_program(const struct container *c, const struct run_hooks *hooks) {
    struct stat st;

    if (c->map.mode == IDMAP_SHIFTED || stat("/proc/self/exe", &st) < 0 || st.st_nlink == 0 ||
        st.st_uid != c->map.uids[0].outside || !hooks->protect_program)
        return;
    hooks->protect_program(hooks->context);
    log_warning(&hooks->log,
                "the container could change this program's own file: install it as another user's");
}

/* Attempts with each mode in turn. */
static int attempt_modes(const struct plan *plan, const struct run_hooks *hooks, int signal_fd,
                         struct result *result, struct err *err) {
    struct attempt a = {
        .container = {.plan = plan, .log = &hooks->log, .socket_fd = -1, .state = STATE_INIT},
        .supervisor = {.hooks = hooks,
                       .signal_fd = signal_fd,
                       .deadline_nsec = clock_add(clock_monotonic(), plan->timeout_nsec),
                       .step_deadline_nsec = CLOCK_NEVER,
                       .grace_deadline_nsec = CLOCK_NEVER},
    };
    int r = look_at_standard_streams(a.container.terminals, err);

    if (r == 0)
        r = idmap_choose(&a.container.map, err);
    if (r < 0)
        return r;
    terminal_init(&a.supervisor.terminal, a.container.terminals);
    a.supervisor.container = &a.container;
    for (;;) {
        a.unwind = UNWIND_INIT;
        a.supervisor.pidfd = -1;
        a.supervisor.asked_first = false;
        log_debug(&hooks->log, "ids: %s", idmap_name(a.container.map.mode));
        protect_program(&a.container, hooks);
        r = attempt(&a, result, err);
        unwind_all(&a.unwind);
        if (r != ATTEMPT_FALL_BACK)
            break;
        if (!idmap_fall_back(&a.container.map)) {
            r = -EPERM;
            break;
        }
        log_warning(&hooks->log, "%s: going on with ids mapped as '%s'", err->message,
                    idmap_name(a.container.map.mode));
    }
    terminal_done(&a.supervisor.terminal);
    if (r == SUPERVISE_INTERRUPTED) {
        result->outcome = OUTCOME_INTERRUPTED;
        result->exit_status = 128 + a.supervisor.interrupted;
    } else if (r == SUPERVISE_TIMEOUT) {
        result->outcome = OUTCOME_TIMEOUT;
        result->exit_status = EXIT_TIMEOUT;
    }
    return r < 0 ? r : 0;
}

int run(const struct plan *plan, const struct run_hooks *hooks, struct result *ret_result,
        struct err *err) {
    struct signals signals = SIGNALS_INIT;
    uint64_t started = clock_monotonic();
    int r;

    ret_result->started_nsec = clock_realtime();
    r = signals_take(&signals, err);
    if (r == 0)
        r = attempt_modes(plan, hooks, signals.fd, ret_result, err);
    ret_result->elapsed_nsec = clock_monotonic() - started;
    if (r == -ENOSYS)
        (void)err_wrap(err, "the kernel lacks a call that mayfly needs (Linux 5.12 or later)");
    if (r < 0) {
        ret_result->outcome = OUTCOME_ERROR;
        ret_result->exit_status = EXIT_ENGINE;
        ret_result->error = *err;
    }
    signals_release(&signals);
    return r;
}
