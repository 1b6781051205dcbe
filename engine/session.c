/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container from its plan to its unwinding; child.c is its mirror in the
 * container.
 *
 *   plan → idmap → store, state → image → clone → id maps, trees → ready → ... → unwind
 *
 * How ids are mapped decides where layers lie and how they are mounted, and what
 * a host allows is known for certain only when it was tried: the attempt is
 * repeated with the next mode when a host refuses one.
 */
#include "session.h"

#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sys.h"
#include "build.h"
#include "connect.h"
#include "devices.h"
#include "engine/inside/child.h"
#include "relabel.h"
#include "session_image.h"
#include "session_streams.h"
#include "spawn.h"
#include "steps.h"
#include "trees.h"
#include "userns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

static void undo_store(void *argument) {
    store_close(argument);
}

static void undo_state(void *argument) {
    struct container *container = argument;
    struct err err;

    if (state_destroy(&container->state, &container->map, &err) < 0)
        log_warning(container->log, "%s", err.message);
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

static void undo_confine(void *argument) {
    confine_done(argument);
}

static void undo_keeps(void *argument) {
    keeps_close(argument);
}

static int open_keeps(struct session *s, struct err *err) {
    struct container *c = &s->container;

    if (c->plan->n_keeps == 0 || s->request.keeps)
        return 0;
    c->keeps = &s->keeps;
    unwind_push(&s->unwind, undo_keeps, &s->keeps);
    return keeps_open(&s->keeps, c->plan, &c->store, &s->supervisor, err);
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
    struct session *s = argument;

    cgroup_kill(s->container.cgroup);
    sys_pidfd_send_signal(s->supervisor.pidfd, SIGKILL);
    spawn_wait(s->supervisor.pidfd);
    close(take_fd(s->supervisor.pidfd));
}

static void undo_cgroup(void *argument) {
    struct container *container = argument;

    container->state.is_left |= cgroup_destroy(take_ptr(container->cgroup), container->log) < 0;
}

static void undo_keep(void *argument) {
    struct session *session = argument;
    struct err err;

    if (session->container.overlays_given && build_older_mark(&session->container, &err) < 0)
        log_warning(session->container.log, "%s", err.message);
    if (session->keep)
        session->keep(session->keep_context, &session->container);
}

static int open_store(struct session *s, struct err *err) {
    struct container *c = &s->container;
    int r = store_open(&c->store, c->plan->store, state_owners(c->map.mode), err);

    if (r < 0)
        return r;
    unwind_push(&s->unwind, undo_store, &c->store);
    wishes_apply(&c->plan->wishes, &c->store);
    state_clean(&c->store, &c->map, c->log);
    return 0;
}

static int open_state(struct session *s, struct err *err) {
    struct container *c = &s->container;
    int r = open_store(s, err);

    if (r < 0)
        return r;
    r = state_create(&c->state, &c->store, c->plan->name, err);
    if (r == 0)
        unwind_push(&s->unwind, undo_state, c);
    return r;
}

/* A cgroup namespace shows the group that its maker was in: with a group of its own the container
 * makes it once it is there. */
static uint64_t namespaces(const struct container *c) {
    return (c->map.mode == IDMAP_HOST ? NAMESPACES & ~(uint64_t)CLONE_NEWUSER : NAMESPACES) |
           (c->plan->net == NET_HOST || connect_is_childs(c) ? 0 : CLONE_NEWNET) |
           (c->cgroup ? 0 : CLONE_NEWCGROUP);
}

static int make_cgroup(struct session *s, struct err *err) {
    struct container *c = &s->container;
    /* Both may make groups themselves: of containers inside, of an init's services. */
    bool is_delegated = c->plan->confinement.privileged || c->plan->init_system;
    struct limits limits = c->plan->limits; /* lent */
    int r;

    limits.wanted |= is_delegated;
    unwind_push(&s->unwind, undo_cgroup, c);
    r = cgroup_create(&c->cgroup, &limits, c->state.name, c->state.fd, c->log, err);
    if (r == 0 && is_delegated)
        r = cgroup_delegate(c->cgroup, c->map.uids[0].outside, c->map.gids[0].outside, err);
    return r;
}

/* While the child is still this process's user. */
static int set_oom_score(pid_t pid, int score, struct err *err) {
    char path[40], text[16];
    _cleanup_close_ int fd = -1;
    int r;

    snprintf(path, sizeof path, "/proc/%d/oom_score_adj", (int)pid);
    snprintf(text, sizeof text, "%d", score);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    r = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
    if (r == -EACCES)
        return err_set(err, r,
                       "--oom-score-adj %d is less than this process's own, which takes root with "
                       "CAP_SYS_RESOURCE",
                       score);
    errno = -r;
    return r < 0 ? err_errno(err, "--oom-score-adj %d", score) : 0;
}

static int start_child(struct session *s, struct err *err) {
    struct container *c = &s->container;
    uint64_t flags = namespaces(c);
    int cgroup_fd = cgroup_birth_fd(c->cgroup);
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    c->socket_fd = pair[0];
    unwind_push(&s->unwind, undo_fd, &c->socket_fd);
    s->pid = c->owner_fd >= 0
                 ? spawn_within(c->owner_fd, flags, cgroup_fd, &s->supervisor.pidfd, err)
                 : spawn(flags, cgroup_fd, &s->supervisor.pidfd, err);
    if (s->pid == 0) {
        close(c->socket_fd);
        c->socket_fd = pair[1];
        _exit(child_main(c));
    }
    close(pair[1]);
    if (s->pid < 0)
        return s->pid;
    unwind_push(&s->unwind, undo_child, s);
    r = cgroup_enter(c->cgroup, s->pid, err);
    if (r == 0)
        r = ulimits_prepare(&c->plan->ulimits, s->pid, err);
    if (r == 0 && c->plan->oom_score_adj != PLAN_OOM_SCORE_INHERITED)
        r = set_oom_score(s->pid, c->plan->oom_score_adj, err);
    return r;
}

/* The user namespace of the container, by which root's mounts are mapped; -1 in other modes. */
static int open_userns(const struct container *c, pid_t pid) {
    char path[40];

    snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
    return c->map.mode == IDMAP_SHIFTED ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* Maps the container's ids and hands over what it is built from. */
static int build_child(struct session *s, struct err *err) {
    const struct message message = {.kind = MESSAGE_BUILD};
    struct container *c = &s->container;
    struct trees trees = TREES_INIT;
    _cleanup_close_ int userns = -1;
    int r = c->owner_fd >= 0 ? userns_map_within(c->owner_fd, &c->map, s->pid, err)
                             : userns_map(&c->map, s->pid, err);

    if (r == USERNS_UNMAPPABLE)
        return SESSION_FALL_BACK;
    if (r == 0)
        r = connect_begin(c, s->pid, err);
    if (r < 0)
        return r;
    userns = open_userns(c, s->pid);
    if (c->map.mode == IDMAP_SHIFTED && userns < 0)
        return err_errno(err, "cannot open the container's user namespace");
    if (idmap_is_roots(&c->map))
        r = trees_open(&trees, c, userns, err);
    if (r == 0 && message_send(c->socket_fd, &message, trees.fds, trees.n) < 0)
        r = supervise_explain_death(&s->supervisor, err);
    trees_close(&trees);
    return r == TREES_UNMAPPABLE ? SESSION_FALL_BACK : r;
}

/* Gives a container with a bridge its link. */
static int link_child(struct session *s, struct err *err) {
    struct container *c = &s->container;
    int r = connect_open(c, err);

    if (r == 0 && connect_is_childs(c))
        r = steps_await_ready(&s->supervisor, err);
    if (r == 0)
        r = connect_attach(c, s->pid, err);
    /* PID 1 has ended meanwhile: why, it has left word of. */
    return r == -ESRCH ? steps_await_ready(&s->supervisor, err) : r;
}

/* One try with one way of mapping ids. */
static int attempt(struct session *s, struct err *err) {
    struct container *c = &s->container;
    int r = open_state(s, err);

    if (r == 0 && c->map.mode == IDMAP_IDENTITY)
        c->overlays_given |= build_older_is_better(c);
    if (r == 0)
        r = session_find_image(s, err);
    if (r == 0) {
        unwind_push(&s->unwind, undo_confine, &c->confine);
        r = confine_prepare(&c->confine, c->plan, c->map.mode == IDMAP_SINGLE, err);
    }
    if (r == 0)
        r = selinux_prepare(&c->confine.selinux, &c->plan->confinement, c->plan->init_system,
                            c->state.runs_fd, c->state.fd, err);
    if (r == 0) {
        unwind_push(&s->unwind, undo_volumes, c);
        r = trees_check_volumes(c, err);
        if (r == 0)
            r = devices_check(c, err);
    }
    if (r == 0)
        r = open_keeps(s, err);
    if (r == 0)
        r = relabel_store(c, err);
    if (r == 0)
        r = relabel_sources(c, err);
    if (r == 0) {
        unwind_push(&s->unwind, undo_keep, s);
        /* Before the network, whose helper would be one process more to be moved. */
        r = make_cgroup(s, err);
    }
    if (r == 0) {
        /* Below the child on the stack: it is destroyed after that has ended. */
        unwind_push(&s->unwind, undo_network, c);
        r = connect_prepare(c, err);
        r = r == CONNECT_UNMAPPABLE ? SESSION_FALL_BACK : r;
    }
    if (r == 0)
        r = session_streams_open(s, err);
    if (r == 0)
        r = start_child(s, err);
    if (r == 0)
        session_streams_begin(s);
    if (r == 0)
        r = build_child(s, err);
    if (r == 0 && plan_has_bridge(c->plan))
        r = link_child(s, err);
    if (r == 0) {
        if (s->request.ask_first && !connect_is_late(c))
            steps_ask_first(&s->supervisor);
        r = steps_await_ready(&s->supervisor, err);
    }
    if (r == 0 && connect_is_late(c))
        r = connect_finish(c, err);
    return r;
}

/* Which are terminals.  A directory would lead out of the container: "..", openat(2). */
static int look_at_standard_streams(struct container *c, struct err *err) {
    static const char *const names[] = {"input", "output", "error"};
    struct stat st;

    for (int i = 0; i < 3; i++) {
        c->terminals[i] = isatty(i);
        if (c->terminals[i] || fstat(i, &st) < 0)
            continue;
        if (i == 0)
            c->input_is_file = S_ISREG(st.st_mode);
        if (S_ISDIR(st.st_mode))
            return err_set(err, -EISDIR,
                           "standard %s is a directory, which would let the container out: give a "
                           "file, a pipe or /dev/null",
                           names[i]);
    }
    return 0;
}

int session_choose_ids(const struct plan *plan, struct idmap *ret_map, struct err *err) {
    return plan->userns_host ? idmap_choose_host(ret_map, err) : idmap_choose(ret_map, err);
}

bool session_exposes_program(const struct idmap *map) {
    struct stat st;

    return map->mode != IDMAP_SHIFTED && stat("/proc/self/exe", &st) == 0 && st.st_nlink > 0 &&
           st.st_uid == map->uids[0].outside;
}

static void protect_program(const struct container *c, const struct run_hooks *hooks) {
    if (!hooks->protect_program || !session_exposes_program(&c->map))
        return;
    hooks->protect_program(hooks->context);
    log_warning(&hooks->log,
                "the container could change this program's own file: install it as another user's");
}

static void fill_in(struct session *s, const struct session_request *request) {
    const struct run_hooks *hooks = request->hooks;

    *s = (struct session){
        .request = *request,
        .container = {.plan = request->plan,
                      .log = &hooks->log,
                      .layers = request->layers,
                      .volume_layers = request->volume_layers,
                      .workdir = request->workdir,
                      .keeps = request->keeps,
                      .changes = request->changes,
                      .has_streams = request->has_streams,
                      .takes_closures = request->takes_closures,
                      .socket_fd = -1,
                      .between = {-1, -1, -1},
                      .owner_fd = -1,
                      .outside = OUTSIDE_INIT,
                      .state = STATE_INIT},
        .supervisor = {.hooks = hooks,
                       .signal_fd = request->signal_fd,
                       .pidfd = -1,
                       .deadline_nsec = request->deadline_nsec,
                       .step_deadline_nsec = CLOCK_NEVER,
                       .grace_deadline_nsec = CLOCK_NEVER},
    };
    s->supervisor.container = &s->container;
}

int session_look_up(struct session *s, const struct session_request *request,
                    const struct idmap *map, struct err *err) {
    int r = 0;

    fill_in(s, request);
    if (map)
        s->container.map = *map;
    else
        r = session_choose_ids(s->container.plan, &s->container.map, err);
    while (r == 0) {
        r = open_store(s, err);
        if (r == 0)
            r = session_find_image(s, err);
        if (r != SESSION_FALL_BACK)
            break;
        unwind_all(&s->unwind);
        r = idmap_fall_back(&s->container.map) ? 0 : -EPERM;
    }
    if (r != 0)
        unwind_all(&s->unwind);
    return r;
}

/* What there is to try where an overlay was refused. */
static int mount_otherwise(struct container *container, struct err *err) {
    if (container->map.mode == IDMAP_SHIFTED)
        return err_set(err, SESSION_FALL_BACK,
                       "layers cannot be mounted with mapped ids (Linux 5.19 or later can)");
    if (!idmap_is_roots(&container->map) || container->overlays_given)
        return -EOPNOTSUPP;
    container->overlays_given = true;
    return SESSION_AGAIN;
}

int session_start(struct session *s, const struct session_request *request, struct err *err) {
    const struct run_hooks *hooks = request->hooks;
    struct err why = {0};
    int r = 0;

    fill_in(s, request);
    if (request->has_streams)
        r = look_at_standard_streams(&s->container, err);
    terminal_init(&s->supervisor.terminal, s->container.terminals);
    if (request->like) {
        s->container.map = request->like->map;
        s->container.overlays_given = request->like->overlays_given;
    } else if (r == 0) {
        r = session_choose_ids(s->container.plan, &s->container.map, err);
    }
    while (r == 0) {
        log_debug(&hooks->log, "ids: %s", idmap_name(s->container.map.mode));
        protect_program(&s->container, hooks);
        r = attempt(s, err);
        if (r == -EOPNOTSUPP)
            r = mount_otherwise(&s->container, err);
        if (r != SESSION_FALL_BACK && r != SESSION_AGAIN)
            break;
        unwind_all(&s->unwind);
        s->supervisor.pidfd = -1;
        s->supervisor.asked_first = false;
        if (r == SESSION_FALL_BACK)
            why = *err;
        r = r == SESSION_AGAIN || idmap_fall_back(&s->container.map) ? 0 : -EPERM;
    }
    if (r == 0 && why.code)
        log_warning(&hooks->log, "%s: going on with ids mapped as '%s'", why.message,
                    idmap_name(s->container.map.mode));
    if (r == -ENOSYS)
        (void)err_wrap(err, "the kernel lacks a call that mayfly needs (Linux 5.11 or later)");
    if (r != 0)
        session_end(s);
    return r;
}

int session_introduce(const struct session *s, int fd, struct err *err) {
    const struct message message = {.kind = MESSAGE_CLIENT};

    if (message_send(s->container.socket_fd, &message, &fd, 1) < 0)
        return supervise_explain_death(&s->supervisor, err);
    return 0;
}

int session_connect(const struct session *s, struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    theirs = pair[1];
    r = session_introduce(s, theirs, err);
    return r < 0 ? r : take_fd(ours);
}

void session_end(struct session *s) {
    unwind_all(&s->unwind);
    terminal_done(&s->supervisor.terminal);
}
