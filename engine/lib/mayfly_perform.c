/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole run, as the one-liner does it, in a child: run() takes signals and standard
 * streams for its own.  What it has to tell lies in a memory file when it has ended;
 * meanwhile its output is carried.
 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "engine/run.h"
#include "outlet.h"
#include "process.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A plan has no more actions than fit into this. */
#define ANSWER_BYTES_MAX (64U << 20)

/** struct performance - a run under way; @answer_fd: for its struct result, then its actions */
struct performance {
    pid_t pid;
    int pidfd;
    int answer_fd;
    struct outlet outlets[2];
};

static void performance_done(struct performance *p) {
    for (int i = 0; i < 2; i++)
        outlet_close(&p->outlets[i]);
    if (p->pidfd >= 0)
        close(take_fd(p->pidfd));
    if (p->answer_fd >= 0)
        close(take_fd(p->answer_fd));
}

/* Those that end a run find it ready, or over, and never in between. */
static void hold_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < N_ELEMENTS(signals); i++)
        sigaddset(&set, signals[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The child. */
static void perform(const struct plan *plan, const int stdio[3], int answer_fd, pid_t owner) {
    static const struct run_hooks no_hooks;
    struct result result;
    struct err err = {0};

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    answer_fd = getppid() == owner ? library_begin_child(stdio, answer_fd) : -1;
    if (answer_fd < 0)
        return;
    hold_signals();
    result_init(&result);
    (void)run(plan, &no_hooks, &result, &err);
    if (fd_write_all(answer_fd, &result, sizeof result) == 0)
        (void)fd_write_all(answer_fd, result.actions, result.n_actions * sizeof *result.actions);
}

static int start(struct performance *p, const struct plan *plan,
                 const struct mayfly_stream streams[3], struct err *err) {
    static const struct mayfly_stream nothing[3];
    const struct mayfly_stream *all = streams ? streams : nothing;
    const struct mayfly_command command = {.input = all[0], .output = all[1], .errors = all[2]};
    int fds[3], owned[3], r = process_stdio(&command, fds, owned, err);
    pid_t owner = getpid();

    for (int i = 0; r == 0 && i < 2; i++)
        r = outlet_open(&p->outlets[i], &all[i + 1], &fds[i + 1], err);
    p->answer_fd = r == 0 ? memfd_create("report", MFD_CLOEXEC) : -1;
    p->pid = p->answer_fd < 0 ? -1 : fork();
    if (p->pid == 0) {
        perform(plan, fds, p->answer_fd, owner);
        _exit(0);
    }
    if (r == 0 && p->pid < 0)
        r = err_errno(err, "cannot make a process for the run");
    if (r == 0) {
        p->pidfd = sys_pidfd_open(p->pid);
        r = p->pidfd < 0 ? err_errno(err, "cannot watch the run's process") : 0;
    }
    for (int i = 0; i < 3; i++)
        if (owned[i] >= 0)
            close(owned[i]);
    for (int i = 0; i < 2; i++)
        outlet_release(&p->outlets[i]);
    return r;
}

/* Carries bytes until the run has ended.  Return: 0, 1 when they were refused, or -errno. */
static int carry(struct performance *p, struct err *err) {
    bool is_over = false;
    int r = 0;

    while (!is_over) {
        struct pollfd fds[3] = {
            {.fd = p->pidfd, .events = POLLIN},
            {.fd = p->outlets[0].read_fd, .events = POLLIN},
            {.fd = p->outlets[1].read_fd, .events = POLLIN},
        };

        if (poll(fds, 3, -1) < 0 && errno != EINTR)
            return err_errno(err, "cannot wait for a run");
        is_over = fds[0].revents != 0;
        for (int i = 0; r == 0 && i < 2; i++)
            if (p->outlets[i].read_fd >= 0 && (is_over || fds[i + 1].revents))
                r = outlet_read(&p->outlets[i], err);
        if (r != 0 && !is_over) {
            /* It unwinds by itself; nobody takes its last words. */
            sys_pidfd_send_signal(p->pidfd, SIGTERM);
            outlet_close(&p->outlets[0]);
            outlet_close(&p->outlets[1]);
            (void)poll(fds, 1, -1);
            return r;
        }
    }
    return r;
}

static enum mayfly_end end_of(enum outcome outcome, int status) {
    if (outcome == OUTCOME_TIMEOUT)
        return MAYFLY_TIMED_OUT;
    if (outcome == OUTCOME_INTERRUPTED || outcome == OUTCOME_ERROR)
        return MAYFLY_LOST;
    return status > 128 ? MAYFLY_KILLED : MAYFLY_EXITED;
}

static int take_actions(struct mayfly_report *report, const struct action_result *actions,
                        size_t n) {
    report->actions = calloc(n + 1, sizeof *report->actions);
    if (!report->actions)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++)
        report->actions[i] = (struct mayfly_action_result){
            .index = actions[i].index,
            .end = end_of(actions[i].outcome, actions[i].status),
            .status = actions[i].status,
            .remembered = actions[i].remembered,
            .out_of_memory = actions[i].out_of_memory,
            .elapsed_nsec = actions[i].elapsed_nsec,
        };
    report->n_actions = n;
    return 0;
}

/* What the child has left. */
static int take_answer(const struct performance *p, struct mayfly_report *report, struct err *err) {
    _cleanup_free_ char *text = NULL;
    struct result result;
    size_t size = 0;
    int r = lseek(p->answer_fd, 0, SEEK_SET) < 0
                ? -errno
                : fd_read_all(p->answer_fd, ANSWER_BYTES_MAX, &text, &size);

    if (r < 0)
        return err_set(err, r, "cannot take what a run has to tell");
    if (size < sizeof result)
        return err_set(err, -EPIPE, "the run's process was killed");
    memcpy(&result, text, sizeof result);
    if (size != sizeof result + result.n_actions * sizeof *result.actions)
        return err_set(err, -EPIPE, "the run's process was killed");
    if (take_actions(report, (const void *)(text + sizeof result), result.n_actions) < 0)
        return err_nomem(err);
    report->result.end = end_of(result.outcome, result.exit_status);
    report->result.status = result.exit_status;
    report->result.signal = result.exit_status > 128 ? result.exit_status - 128 : 0;
    report->result.elapsed_nsec = result.elapsed_nsec;
    if (result.outcome != OUTCOME_ERROR)
        return 0;
    *err = result.error;
    return err->code < 0 ? err->code : err_set(err, -EPERM, "the run cannot be done");
}

int mayfly_perform(const struct mayfly_plan *plan, const struct mayfly_stream streams[3],
                   struct mayfly_report *ret_report, struct mayfly_error *error) {
    struct performance p = {
        .pid = -1, .pidfd = -1, .answer_fd = -1, .outlets = {OUTLET_INIT, OUTLET_INIT}};
    struct mayfly_result *result = &ret_report->result;
    struct plan own = plan->life.plan; /* its parts are borrowed */
    struct err err = {0};
    int r = library_check_kind(plan, LIBRARY_WHOLE_RUN, &err), refused = 0;

    *ret_report = (struct mayfly_report){.n_actions = 0};
    own.limits.wanted = false;
    if (r == 0)
        r = plan_check(&own, &err);
    if (r == 0)
        r = start(&p, &own, streams, &err);
    if (r == 0)
        r = refused = carry(&p, &err);
    /* -1 when the caller ignores its children's ends, or has waited for it itself. */
    while (p.pid > 0 && waitpid(p.pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (r >= 0)
        r = take_answer(&p, ret_report, &err);
    if (r == 0 && refused > 0) {
        result->end = MAYFLY_REFUSED;
        result->status = EXIT_ENGINE;
    }
    if (r == 0)
        r = outlet_give(&p.outlets[0], &result->output, &result->n_output, &err);
    if (r == 0)
        r = outlet_give(&p.outlets[1], &result->errors, &result->n_errors, &err);
    performance_done(&p);
    return library_return(r, &err, error);
}

void mayfly_report_done(struct mayfly_report *report) {
    mayfly_result_done(&report->result);
    free(report->actions);
    *report = (struct mayfly_report){.n_actions = 0};
}
