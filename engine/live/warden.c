/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor of a container that lives longer: the parent of its PID 1, and
 * nothing else.
 *
 *   lock, socket → session, main program → MESSAGE_READY → one poll for all that can happen
 *     → the main program's end → the session's → (again, as the restart policy has it)
 *     → what is on its way to those attached → answers
 *
 * It is lean: no library is loaded for it, and what a start took is given back.
 * When it is killed, PID 1 is too (PR_SET_PDEATHSIG), and whoever next looks at
 * the container finds its lock gone.
 */
#include "warden.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/base/sys.h"
#include "engine/cgroup/cgroup.h"
#include "engine/inside/job.h"
#include "net/network.h"
#include "warden_private.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>

/* Of a container that ends again and again. */
#define RESTART_FIRST_NSEC (100 * NSEC_PER_MSEC)
#define RESTART_LAST_NSEC (60 * NSEC_PER_SEC)
/* Living this long, it has begun well. */
#define RESTART_WELL_NSEC (10 * NSEC_PER_SEC)

int warden_save(struct warden *k) {
    int r = kept_write_state(k->kept);
    char text[160];

    if (r == 0)
        return 0;
    snprintf(text, sizeof text, "mayfly: the container's state cannot be written: %s\n",
             strerror(-r));
    log_writer_put(&k->log, LOG_STREAM_ENGINE, text, strlen(text));
    errno = -r;
    return r;
}

/* --- the main program --------------------------------------------------------- */

/* Its streams: pipes, their inner ends in @inner, or /dev/null. */
static int make_streams(struct warden *k, int inner[3], struct err *err) {
    const struct idmap *map = &k->session.container.map;
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, r = 0;

    if (!k->life->keep_stdin)
        pipes[0][0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = k->life->keep_stdin ? 0 : 1; r == 0 && i < 3; i++)
        r = pipe2(pipes[i], O_CLOEXEC) < 0 ? err_errno(err, "cannot make a pipe") : 0;
    for (int i = 0; i < 3; i++) {
        bool is_input = i == 0;

        inner[i] = pipes[i][is_input ? 0 : 1];
        /* The container's root may open what belongs to it by name (/dev/stdout). */
        if (r == 0 && map->mode == IDMAP_SHIFTED && (i > 0 || k->life->keep_stdin) &&
            fchown(inner[i], map->uids[0].outside, map->gids[0].outside) < 0)
            r = err_errno(err, "cannot hand a pipe to the container");
    }
    relay_streams(&k->relay, pipes[0][1], pipes[1][0], pipes[2][0]);
    return r;
}

/*
 * Waits until it has begun; its terminal comes first.
 * Return: 0, EXIT_NOT_FOUND or EXIT_NOT_EXECUTABLE with a text, or -errno with a text.
 */
static int await_main(struct warden *k, struct err *err) {
    for (;;) {
        struct message message;
        int fd = -1, r = message_receive(k->main_fd, &message, &fd, 1, NULL);

        if (r < 0)
            return supervise_explain_death(&k->session.supervisor, err);
        if (message.kind == MESSAGE_TERMINAL && fd >= 0) {
            relay_terminal(&k->relay, fd);
            continue;
        }
        if (fd >= 0)
            close(fd);
        if (message.kind == MESSAGE_READY) {
            /* What an image's init takes, unless somebody has said so. */
            if (message.value > 0 && !k->life->stop_signal &&
                !k->session.container.image.config.stop_signal)
                k->stop_signal = message.value;
            return 0;
        }
        if (message.kind != MESSAGE_ERROR)
            return err_set(err, -EPROTO, "the container answered out of order");
        *err = message.err;
        return message.value ? message.value : err->code < 0 ? err->code : -EIO;
    }
}

/* Of an image's init.  Spec: systemd's CONTAINER_INTERFACE, $container. */
static int be_init(struct job *job, struct err *err) {
    job->user = strdup("0");
    return !job->user || strv_push(&job->env, "container=mayfly") < 0 ? err_nomem(err) : 0;
}

static int start_main(struct warden *k, struct err *err) {
    enum job_flags flags = JOB_TELL | (k->life->terminal ? JOB_TERMINAL : JOB_GIVE);
    const struct winsize window = {.ws_row = 24, .ws_col = 80};
    _cleanup_job_ struct job job = {0};
    int inner[3] = {-1, -1, -1};
    int r = life_argv(k->life, &k->session.container.image.config, &job.argv, err);

    if (r == 0 && k->life->plan.init_system) {
        flags |= JOB_INIT;
        r = be_init(&job, err);
    }
    if (r == 0)
        r = k->main_fd = session_connect(&k->session, err);
    if (r >= 0 && !k->life->terminal)
        r = make_streams(k, inner, err);
    if (r >= 0)
        r = job_start(k->main_fd, &job, flags, inner, &window, err);
    for (int i = 0; i < 3; i++)
        if (inner[i] >= 0)
            close(inner[i]);
    return r < 0 ? r : await_main(k, err);
}

/* --- beginning and end -------------------------------------------------------- */

static void write_pid_file(const struct warden *k) {
    _cleanup_close_ int fd = -1;

    if (!k->life->pid_file)
        return;
    fd = open(k->life->pid_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0 || dprintf(fd, "%d\n", (int)k->session.pid) < 0)
        log_warning(&k->hooks.log, "--pidfile %s: %s", k->life->pid_file, strerror(errno));
}

static int begin(struct warden *k, struct err *err) {
    _cleanup_free_ char *changes = str_printf("containers/%s", k->kept->id);
    const struct session_request request = {
        .plan = &k->life->plan,
        .hooks = &k->hooks,
        .signal_fd = k->signals.fd,
        .deadline_nsec = k->life->plan.timeout_nsec == CLOCK_NEVER
                             ? CLOCK_NEVER
                             : clock_add(clock_monotonic(), k->life->plan.timeout_nsec),
        .changes = k->life->remove ? NULL : changes,
    };
    bool is_first = k->kept->state.supervisor == 0;
    int r = changes ? session_start(&k->session, &request, err) : err_nomem(err);

    if (r == SUPERVISE_INTERRUPTED)
        return err_set(err, -EINTR, "interrupted");
    if (r == SUPERVISE_TIMEOUT)
        return err_set(err, -ETIMEDOUT, "time was up before the container had begun");
    if (r < 0)
        return r;
    k->in_session = true;
    k->stop_signal = life_stop_signal(k->life, &k->session.container.image.config);
    r = kept_check_image(k->kept, k->life->plan.image, k->session.container.image.id, err);
    if (r == 0)
        r = start_main(k, err);
    if (r != 0)
        return r;
    k->session.container.changes = NULL;
    write_pid_file(k);
    k->kept->state.status = KEPT_RUNNING;
    snprintf(k->kept->state.run, sizeof k->kept->state.run, "%s", k->session.container.state.name);
    k->kept->state.pid = k->session.pid;
    k->kept->state.supervisor = getpid();
    k->kept->state.started_nsec = clock_realtime();
    k->kept->state.exit_code = 0;
    k->kept->state.reason[0] = '\0';
    warden_health_begin(k);
    /* Others would take it for one that does not run. */
    if (warden_save(k) < 0 && is_first)
        return err_errno(err, "the state of container %s cannot be written", k->kept->name);
    return 0;
}

/* The container ends; what its streams still hold is read later. */
static void end(struct warden *k) {
    warden_health_end(k);
    if (k->main_fd >= 0)
        close(take_fd(k->main_fd));
    if (k->in_session)
        session_end(&k->session);
    k->in_session = false;
    k->kill_deadline_nsec = CLOCK_NEVER;
    k->kept->state.pid = 0;
    k->kept->state.finished_nsec = clock_realtime();
}

static bool must_restart(struct warden *k, int status) {
    const struct life *life = k->life;
    struct kept_state *state = &k->kept->state;

    if (k->is_stopping)
        return false;
    /* What was changed is gone with --rm. */
    if (k->wants_reboot && !life->remove) {
        k->restart_deadline_nsec = clock_monotonic();
        return true;
    }
    if (life->restart == RESTART_NO || (life->restart == RESTART_ON_FAILURE && status == 0))
        return false;
    if (life->restart == RESTART_ON_FAILURE && life->restart_max > 0 &&
        state->restarts >= life->restart_max)
        return false;
    if (state->finished_nsec - state->started_nsec >= RESTART_WELL_NSEC)
        k->restart_delay_nsec = RESTART_FIRST_NSEC;
    k->restart_deadline_nsec = clock_add(clock_monotonic(), k->restart_delay_nsec);
    if (k->restart_delay_nsec < RESTART_LAST_NSEC)
        k->restart_delay_nsec *= 2;
    return true;
}

static void finish(struct warden *k) {
    const struct err ended = {.code = -ESRCH, .message = "the container has ended"};

    k->is_over = true;
    k->kept->state.status = KEPT_EXITED;
    k->kept->state.supervisor = 0;
    (void)warden_save(k);
    warden_refuse(k, ASK_WAIT_HEALTHY, &ended);
    if (!k->life->remove)
        warden_answer(k, ASK_WAIT, k->kept->state.exit_code);
}

/* The main program has ended, or PID 1 has, for the reason in @err. */
static void main_ended(struct warden *k, int status, const struct err *err) {
    end(k);
    k->kept->state.exit_code = status;
    if (err)
        snprintf(k->kept->state.reason, sizeof k->kept->state.reason, "%s", err->message);
    if (must_restart(k, status))
        (void)warden_save(k);
    else
        finish(k);
}

static void restart(struct warden *k) {
    struct err err = {0};
    int r;

    k->restart_deadline_nsec = CLOCK_NEVER;
    k->kept->state.restarts += !k->wants_reboot;
    k->wants_reboot = false;
    r = begin(k, &err);
    if (r != 0)
        main_ended(k, r > 0 ? r : EXIT_ENGINE, &err);
}

int warden_pause(struct warden *k, bool pause, struct err *err) {
    const struct cgroup *cgroup = k->in_session ? k->session.container.cgroup : NULL;
    enum kept_status wanted = pause ? KEPT_PAUSED : KEPT_RUNNING;
    int r;

    if (k->main_fd < 0)
        return err_set(err, -ENOTCONN, "container %s is not running", k->kept->name);
    if (k->kept->state.status == wanted)
        return err_set(err, -EINVAL, "container %s is %s", k->kept->name,
                       pause ? "paused already" : "not paused");
    if (!cgroup)
        return err_set(
            err, -EOPNOTSUPP,
            "container %s cannot be paused: it has no cgroup of its own; give it one with "
            "a limit, such as 'run --pids 10000'",
            k->kept->name);
    r = pause ? cgroup_freeze(cgroup, err) : cgroup_thaw(cgroup, err);
    if (r < 0)
        return r;
    k->kept->state.status = wanted;
    (void)warden_save(k);
    return 0;
}

void warden_stop(struct warden *k, uint64_t timeout_nsec) {
    uint64_t deadline = clock_add(clock_monotonic(), timeout_nsec);
    struct err err;

    if (k->kept->state.status == KEPT_PAUSED)
        (void)warden_pause(k, false, &err);
    if (!k->is_stopping)
        (void)warden_signal(k, k->stop_signal);
    k->is_stopping = true;
    if (deadline < k->kill_deadline_nsec)
        k->kill_deadline_nsec = deadline;
    if (k->restart_deadline_nsec != CLOCK_NEVER) {
        k->restart_deadline_nsec = CLOCK_NEVER;
        finish(k);
    }
}

/* --- the loop ----------------------------------------------------------------- */

enum own_poll {
    POLL_LISTEN,
    POLL_SIGNAL,
    POLL_OWNER,
    POLL_MAIN,
    POLL_CONTROL,
    POLL_HEALTH,
    N_OWN_POLL,
};

/* The exit status; an image's init that has called reboot(2) has ended well.  Spec: reboot(2),
 * "Behavior inside PID namespaces": the signals that its parent sees then. */
static int end_of_init(struct warden *k, const struct message *done) {
    if (k->life->plan.init_system && (done->index == SIGINT || done->index == SIGHUP)) {
        k->wants_reboot = done->index == SIGHUP;
        return 0;
    }
    return done->value & 255;
}

static void take_main_end(struct warden *k) {
    struct message message;
    struct err err = {0};
    int r = message_receive(k->main_fd, &message, NULL, 0, NULL);

    if (r < 0) {
        supervise_explain_death(&k->session.supervisor, &err);
        main_ended(k, 128 + SIGKILL, &err);
    } else if (message.kind == MESSAGE_DONE) {
        main_ended(k, end_of_init(k, &message), NULL);
    }
}

static void take_control(struct warden *k) {
    struct message message;
    struct err err = {0};

    if (supervise_receive(&k->session.supervisor, &message, &err) < 0)
        main_ended(k, 128 + SIGKILL, &err);
}

static void take_signals(struct warden *k) {
    int signal;

    while ((signal = signals_next(k->signals.fd)))
        if (signal != SIGWINCH)
            warden_stop(k, k->life->stop_timeout_nsec);
}

static uint64_t deadline(const struct warden *k) {
    uint64_t first = k->health_deadline_nsec;

    if (k->kill_deadline_nsec < first)
        first = k->kill_deadline_nsec;
    if (k->in_session && k->session.supervisor.deadline_nsec < first)
        first = k->session.supervisor.deadline_nsec;
    return k->restart_deadline_nsec < first ? k->restart_deadline_nsec : first;
}

static void check_deadlines(struct warden *k) {
    uint64_t now = clock_monotonic();

    if (k->in_session && now >= k->session.supervisor.deadline_nsec) {
        const struct err late = {.message = "time was up (--timeout)"};

        k->is_stopping = true;
        main_ended(k, EXIT_TIMEOUT, &late);
    }
    if (now >= k->kill_deadline_nsec) {
        k->kill_deadline_nsec = CLOCK_NEVER;
        if (k->main_fd >= 0)
            main_ended(k, 128 + SIGKILL, NULL);
    }
    if (now >= k->restart_deadline_nsec)
        restart(k);
}

static bool is_pending(const struct warden *k) {
    if (!k->is_over)
        return true;
    /* Who wants it to be gone does not wait for those who look on. */
    for (size_t i = 0; i < k->n_callers; i++)
        if (k->callers[i].has_asked && k->callers[i].call == ASK_STOP)
            return false;
    return !relay_is_over(&k->relay);
}

static void dispatch(struct warden *k, const struct pollfd *fds, size_t n_callers) {
    const struct pollfd *callers = fds + N_OWN_POLL, *relay = callers + n_callers;
    size_t n_viewers = k->relay.n_viewers;

    relay_dispatch(&k->relay, relay);
    /* The relay may have let go of some: each is known by its descriptor. */
    for (size_t i = n_viewers; i-- > 0;)
        if (i < k->relay.n_viewers && relay[relay_viewer_poll(i)].revents &&
            relay[relay_viewer_poll(i)].fd == k->relay.viewers[i].socket_fd)
            warden_serve_viewer(k, i);
    if (k->in_session && fds[POLL_CONTROL].revents)
        take_control(k);
    if (k->main_fd >= 0 && fds[POLL_MAIN].revents)
        take_main_end(k);
    if (k->in_session)
        warden_health_dispatch(k, fds[POLL_HEALTH].fd >= 0 && fds[POLL_HEALTH].revents);
    if (fds[POLL_SIGNAL].revents)
        take_signals(k);
    if (fds[POLL_OWNER].revents) {
        close(take_fd(k->owner_fd));
        warden_stop(k, k->life->stop_timeout_nsec);
    }
    check_deadlines(k);
    /* Serving, and answering before this, forgets some: each is known by its descriptor. */
    for (size_t i = n_callers; i-- > 0;)
        for (size_t j = k->n_callers; callers[i].revents && j-- > 0;)
            if (k->callers[j].fd == callers[i].fd) {
                warden_serve(k, j);
                break;
            }
    if (fds[POLL_LISTEN].revents)
        warden_accept(k);
}

static int turn(struct warden *k) {
    size_t n_callers = k->n_callers, n = N_OWN_POLL + n_callers + relay_n_poll(&k->relay);
    _cleanup_free_ struct pollfd *fds = calloc(n + NETWORK_MAX_POLL, sizeof *fds);
    int r;

    if (!fds)
        return -ENOMEM;
    for (size_t i = 0; i < N_OWN_POLL; i++)
        fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
    fds[POLL_LISTEN].fd = k->listen_fd;
    fds[POLL_SIGNAL].fd = k->signals.fd;
    fds[POLL_OWNER].fd = k->owner_fd;
    fds[POLL_MAIN].fd = k->main_fd;
    fds[POLL_CONTROL].fd = k->in_session ? k->session.container.socket_fd : -1;
    fds[POLL_HEALTH].fd = k->health_fd;
    for (size_t i = 0; i < n_callers; i++)
        fds[N_OWN_POLL + i] = (struct pollfd){.fd = k->callers[i].fd, .events = POLLIN};
    relay_poll(&k->relay, fds + N_OWN_POLL + n_callers);
    r = k->in_session ? supervise_poll(&k->session.supervisor, fds, n, deadline(k))
                      : poll(fds, n, clock_poll_timeout(clock_monotonic(), deadline(k)));
    if (r < 0 && errno != EINTR)
        return r;
    dispatch(k, fds, n_callers);
    return 0;
}

/* --- a process of its own ----------------------------------------------------- */

static bool is_ours(const struct warden_request *request, int report_fd, int fd) {
    const int ours[] = {
        report_fd,
        request->socket_fd,
        request->stdio[0],
        request->stdio[1],
        request->stdio[2],
        request->containers->fd,
        request->containers->names_fd,
        request->containers->store.fd,
        request->kept->dir_fd,
        request->kept->lock_fd,
    };

    for (size_t i = 0; i < N_ELEMENTS(ours); i++)
        if (ours[i] == fd)
            return true;
    return fd <= 2;
}

/* Nothing of the caller's is ours to hold: somebody may wait for the end of a pipe. */
static void close_inherited(const struct warden_request *request, int report_fd) {
    _cleanup_closedir_ DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        int fd = atoi(entry->d_name);

        if (fd != dirfd(dir) && !is_ours(request, report_fd, fd))
            close(fd);
    }
}

/*
 * The pages of code and constants that only a start needs; those that are needed come back by
 * themselves.  Constants follow the code of their file; what follows them has been relocated and
 * would not come back.
 */
static void forget_code(void) {
    _cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
    bool is_after_code = false;
    char line[512];
    void *start, *end;
    char mode[5];

    while (maps && fgets(line, sizeof line, maps)) {
        bool is_code;

        if (sscanf(line, "%p-%p %4s", &start, &end, mode) != 3 || !strchr(line, '/'))
            continue;
        is_code = str_eq(mode, "r-xp");
        if (is_code || (is_after_code && str_eq(mode, "r--p")))
            (void)madvise(start, (size_t)((char *)end - (char *)start), MADV_DONTNEED);
        is_after_code = is_code;
    }
}

static void let_go(struct warden *k) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    k->hooks = (struct run_hooks){0};
    for (int i = 0; null >= 0 && i < 3; i++)
        dup2(null, i);
    if (null > 2)
        close(null);
    malloc_trim(0);
    forget_code();
    if (chdir("/") < 0)
        return; /* it keeps its directory busy, and does all else as well */
}

static void report(int fd, int status, const struct err *err) {
    const struct message message = {
        .kind = err ? MESSAGE_ERROR : MESSAGE_READY,
        .value = status,
        .err = err ? *err : (struct err){0},
    };

    (void)message_send(fd, &message, NULL, 0);
}

static int open_all(struct warden *k, const struct warden_request *request, struct err *err) {
    int r = signals_take(&k->signals, err);

    if (r == 0 && !k->life->log_off)
        r = log_writer_open(&k->log, k->kept->dir_fd, k->life->log_max_bytes, err);
    if (r == 0)
        r = warden_listen(k, err);
    if (r == 0 && k->life->dies_with_owner) {
        k->owner_fd = sys_pidfd_open(request->owner);
        if (k->owner_fd < 0)
            r = err_errno(err, "--lifetime owner: cannot watch process %d", (int)request->owner);
    }
    if (r == 0 && request->socket_fd >= 0 &&
        relay_attach(&k->relay, request->socket_fd, request->stdio, true) < 0)
        r = err_nomem(err);
    return r;
}

/* All is over: what is left of it goes, then everybody is told. */
static void say_goodbye(struct warden *k) {
    const struct message message = {.kind = MESSAGE_DONE, .value = k->kept->state.exit_code};
    struct err err;

    close(k->listen_fd);
    (void)sys_unlinkat(k->kept->dir_fd, "socket", 0);
    if (k->life->remove)
        (void)containers_remove(k->containers, k->kept, &err);
    kept_unlock(k->kept);
    warden_answer(k, ASK_WAIT, message.value);
    warden_answer(k, ASK_STOP, message.value);
    for (size_t i = 0; i < k->relay.n_viewers; i++)
        (void)message_send(k->relay.viewers[i].socket_fd, &message, NULL, 0);
    relay_done(&k->relay);
}

void warden_run(const struct warden_request *request, int report_fd) {
    struct warden *k = calloc(1, sizeof *k);
    struct err err = {0};
    int r;

    if (!k)
        return;
    /* One by one: most of it is buffers, whose pages are better not touched. */
    k->containers = request->containers;
    k->kept = request->kept;
    k->life = request->life;
    k->hooks = *request->hooks;
    k->signals = SIGNALS_INIT;
    k->log.fd = k->listen_fd = k->main_fd = k->owner_fd = k->health_fd = -1;
    k->kill_deadline_nsec = k->restart_deadline_nsec = k->health_deadline_nsec = CLOCK_NEVER;
    k->restart_delay_nsec = RESTART_FIRST_NSEC;
    close_inherited(request, report_fd);
    /* Who looks on may be gone when something is written to them; PID 1 has its own signals. */
    signal(SIGPIPE, SIG_IGN);
    relay_init(&k->relay, &k->log);
    r = open_all(k, request, &err);
    if (r == 0)
        r = begin(k, &err);
    if (r != 0) {
        end(k);
        (void)sys_unlinkat(k->kept->dir_fd, "socket", 0);
        report(report_fd, r > 0 ? r : 0, &err);
        return;
    }
    /* From now on the end of the caller's terminal is none of its concern. */
    setsid();
    report(report_fd, 0, NULL);
    close(report_fd);
    let_go(k);
    while (is_pending(k) && turn(k) == 0)
        ;
    say_goodbye(k);
}
