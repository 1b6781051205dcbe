/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor of a container that lives longer: the parent of its PID 1, and
 * nothing else.
 *
 *   lock, socket → session, main program → MESSAGE_READY → one poll for all that can happen
 *     → the main program's end → the session's → (again, as the restart policy has it)
 *     → what is on its way to those attached → answers
 *
 * It is lean: no library is loaded for it, and what a start or other work took is given back.
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

#define REST_NSEC NSEC_PER_SEC

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
        warden_finish(k);
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
        warden_main_ended(k, 128 + SIGKILL, &err);
    } else if (message.kind == MESSAGE_DONE) {
        warden_main_ended(k, end_of_init(k, &message), NULL);
    }
}

static void take_control(struct warden *k) {
    struct message message;
    struct err err = {0};

    if (supervise_receive(&k->session.supervisor, &message, &err) < 0)
        warden_main_ended(k, 128 + SIGKILL, &err);
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
    if (k->rest_deadline_nsec < first)
        first = k->rest_deadline_nsec;
    if (k->in_session && k->session.supervisor.deadline_nsec < first)
        first = k->session.supervisor.deadline_nsec;
    return k->restart_deadline_nsec < first ? k->restart_deadline_nsec : first;
}

static void check_deadlines(struct warden *k) {
    uint64_t now = clock_monotonic();

    if (k->in_session && now >= k->session.supervisor.deadline_nsec) {
        const struct err late = {.message = "time was up (--timeout)"};

        k->is_stopping = true;
        warden_main_ended(k, EXIT_TIMEOUT, &late);
    }
    if (now >= k->kill_deadline_nsec) {
        k->kill_deadline_nsec = CLOCK_NEVER;
        if (k->main_fd >= 0)
            warden_main_ended(k, 128 + SIGKILL, NULL);
    }
    if (now >= k->restart_deadline_nsec)
        warden_restart(k);
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

struct pages {
    char *start;
    char *end;
};

/*
 * Finds what can be let go: code, and constants.  What has been relocated would not come back: it
 * is the last mapping of a file that can only be read, so that those behind the code are constants
 * only where one more follows them.
 */
static size_t find_pages(struct pages *pages, size_t max) {
    _cleanup_fclose_ FILE *maps = fopen("/proc/self/maps", "re");
    struct pages found, constants = {0};
    bool is_after_code = false;
    char line[512], mode[5];
    size_t n = 0;

    while (maps && n + 1 < max && fgets(line, sizeof line, maps)) {
        bool is_code, is_read_only;

        if (sscanf(line, "%p-%p %4s", (void **)&found.start, (void **)&found.end, mode) != 3 ||
            !strchr(line, '/'))
            continue;
        is_code = str_eq(mode, "r-xp");
        is_read_only = str_eq(mode, "r--p");
        if (is_code)
            pages[n++] = found;
        else if (is_read_only && constants.start)
            pages[n++] = constants;
        constants = is_read_only && is_after_code ? found : (struct pages){0};
        is_after_code = is_code;
    }
    return n;
}

/* A supervisor mostly waits.  What it needs comes back by itself, 64 kB at a time, so after the
 * first is let go as little as possible is called. */
static void forget_code(struct warden *k) {
    struct pages pages[16];
    size_t n = find_pages(pages, N_ELEMENTS(pages));

    k->rest_deadline_nsec = CLOCK_NEVER;
    for (size_t i = 0; i < n; i++)
        (void)madvise(pages[i].start, (size_t)(pages[i].end - pages[i].start), MADV_DONTNEED);
}

/* Once there has been nothing to do for a moment. */
static void rest(struct warden *k, bool is_busy) {
    uint64_t now = clock_monotonic();

    if (is_busy)
        k->rest_deadline_nsec = clock_add(now, REST_NSEC);
    else if (now >= k->rest_deadline_nsec)
        forget_code(k);
}

static int turn(struct warden *k) {
    size_t n_callers = k->n_callers, n = N_OWN_POLL + n_callers + relay_n_poll(&k->relay);
    _cleanup_free_ struct pollfd *fds = calloc(n + NETWORK_MAX_POLL, sizeof *fds);
    bool is_busy = false;
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
    for (size_t i = 0; i < n; i++)
        is_busy |= fds[i].revents != 0;
    dispatch(k, fds, n_callers);
    rest(k, is_busy);
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

static void let_go(struct warden *k) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    k->hooks = (struct run_hooks){0};
    for (int i = 0; null >= 0 && i < 3; i++)
        dup2(null, i);
    if (null > 2)
        close(null);
    malloc_trim(0);
    forget_code(k);
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
    k->rest_deadline_nsec = CLOCK_NEVER;
    k->restart_delay_nsec = WARDEN_RESTART_NSEC;
    close_inherited(request, report_fd);
    /* Who looks on may be gone when something is written to them; PID 1 has its own signals. */
    signal(SIGPIPE, SIG_IGN);
    relay_init(&k->relay, &k->log);
    r = open_all(k, request, &err);
    if (r == 0)
        r = warden_begin(k, &err);
    if (r != 0) {
        warden_end(k);
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
