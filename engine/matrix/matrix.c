/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One poll(2) over all runs of a matrix.  A run is a process that does what a
 * command of its own would do; the store's locks let two that need the same image
 * do that work once.
 *
 *   this process                          a run's process
 *   ------------                          ---------------
 *   fork  ----------------------------->  run(), with hooks that send events
 *   <------------------------- event      waits
 *   what is in the pipes, then the hook
 *   answer ---------------------------->  goes on
 *   <--- standard output and error        (or straight to where ours go)
 *   feed ------------------------------>  standard input
 *
 * Signals: a run has a process group of its own, so that what a terminal or
 * timeout(1) sends to ours reaches it once, from here.  Only a run that has our
 * terminal has to be in our group, to read from it; then what the terminal sends
 * (SI_KERNEL) has reached it already.
 */
#include "matrix.h"

#include "engine/base/cleanup.h"
#include "engine/base/sys.h"
#include "engine/session.h"
#include "engine/signals.h"
#include "engine/spawn.h"
#include "matrix_event.h"
#include "matrix_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>

#define OUTPUT_BYTES (64 * 1024)
#define NO_RUN SIZE_MAX

/** struct execution - a matrix under way */
struct execution {
    struct matrix *matrix;
    const struct matrix_hooks *hooks;
    struct matrix_input input;
    struct signals signals;
    struct sigaction pipe_action; /* what SIGPIPE did before */
    bool shares_terminal;         /* runs are in this process's group */
    bool is_stopping;             /* nothing further begins */
    size_t n_running;
    struct pollfd *fds;
    size_t *owners; /* the run of each of @fds; NO_RUN: none */
    size_t n_fds;
};

static size_t processors(void) {
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0
               ? (size_t)CPU_COUNT(&set)
               : 1;
}

int matrix_init(struct matrix *matrix, const struct plan *plan, const struct strv *images,
                size_t jobs, struct err *err) {
    _cleanup_strv_ struct strv labels = {0};
    int r;

    *matrix = (struct matrix){.plan = plan, .jobs = jobs ? jobs : processors()};
    r = matrix_plan_check(plan, images->n, matrix->jobs > 1, err);
    if (r < 0)
        return r;
    if (matrix_labels(images, &labels) < 0)
        return err_nomem(err);
    matrix->runs = calloc(images->n + 1, sizeof *matrix->runs);
    if (!matrix->runs)
        return err_nomem(err);
    for (size_t i = 0; i < images->n; i++) {
        struct matrix_run *run = &matrix->runs[matrix->n_runs++];

        *run = (struct matrix_run){
            .pidfd = -1, .event_fd = -1, .output_fds = {-1, -1}, .feed = MATRIX_FEED_INIT};
        result_init(&run->result);
        run->label = take_ptr(labels.items[i]);
        r = matrix_plan_init(&run->plan, plan, images->items[i], run->label, err);
        if (r == 0)
            r = plan_check(&run->plan, err);
        if (r < 0)
            return r;
        if (images->n > 1 && str_eq(images->items[i], "tar:-"))
            return err_set(err, -EINVAL,
                           "-i tar:-: standard input can be one run's image alone; bring it in "
                           "before, with mayfly import - NAME");
    }
    return 0;
}

void matrix_done(struct matrix *matrix) {
    for (size_t i = 0; i < matrix->n_runs; i++) {
        matrix_plan_done(&matrix->runs[i].plan, matrix->plan);
        result_done(&matrix->runs[i].result);
        free(matrix->runs[i].label);
    }
    free(matrix->runs);
    *matrix = (struct matrix){0};
}

int matrix_exit_status(const struct matrix *matrix) {
    if (matrix->interrupted)
        return 128 + matrix->interrupted;
    for (size_t i = 0; i < matrix->n_runs; i++)
        if (matrix->runs[i].result.exit_status != 0)
            return matrix->runs[i].result.exit_status;
    return 0;
}

/* --- a run's process -------------------------------------------------------- */

static void close_fd(int *fd) {
    if (*fd >= 0)
        close(take_fd(*fd));
}

static void close_run(struct matrix_run *run) {
    close_fd(&run->event_fd);
    close_fd(&run->output_fds[0]);
    close_fd(&run->output_fds[1]);
    close_fd(&run->pidfd);
    matrix_input_close(&run->feed);
}

/* The new process: as if it had been started by itself. */
static void be_run(struct execution *execution, size_t index, const int streams[3], int event_fd,
                   pid_t parent) {
    struct matrix *matrix = execution->matrix;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    if (!execution->shares_terminal)
        setpgid(0, 0);
    for (int i = 0; i < 3; i++)
        if (streams[i] >= 0)
            dup2(streams[i], i);
    for (size_t i = 0; i < matrix->n_runs; i++)
        close_run(&matrix->runs[i]);
    matrix_input_done(&execution->input);
    sigaction(SIGPIPE, &execution->pipe_action, NULL);
    signals_release(&execution->signals);
    matrix_event_run(&matrix->runs[index].plan, event_fd, execution->hooks->log.debug,
                     execution->hooks->progress != NULL);
    _exit(0);
}

/* Whether standard output and error are one and the same, whose order is then kept. */
static bool outputs_are_one(void) {
    struct stat out, error;

    return fstat(STDOUT_FILENO, &out) == 0 && fstat(STDERR_FILENO, &error) == 0 &&
           out.st_dev == error.st_dev && out.st_ino == error.st_ino;
}

/* Makes the pipes by which a run's output is captured; @streams become its standard streams. */
static int open_outputs(struct matrix_run *run, int streams[3], struct err *err) {
    bool one = outputs_are_one();

    for (int i = 0; i < (one ? 1 : 2); i++) {
        int pair[2];

        if (pipe2(pair, O_CLOEXEC) < 0)
            return err_errno(err, "cannot make a pipe");
        run->output_fds[i] = pair[0];
        streams[1 + i] = pair[1];
        if (fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
            return err_errno(err, "cannot set up a pipe");
    }
    if (one) {
        streams[2] = fcntl(streams[1], F_DUPFD_CLOEXEC, 3);
        if (streams[2] < 0)
            return err_errno(err, "cannot duplicate a pipe");
    }
    return 0;
}

static int begin_run(struct execution *execution, size_t index, struct err *err) {
    struct matrix_run *run = &execution->matrix->runs[index];
    int streams[3] = {-1, -1, -1}, pair[2];
    pid_t parent = getpid(), pid = -1;
    int r = matrix_input_open(&execution->input, &run->feed, &streams[0], err);

    if (r == 0 && execution->matrix->captured)
        r = open_outputs(run, streams, err);
    if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        r = err_errno(err, "cannot make a socket");
    if (r == 0) {
        run->event_fd = pair[0];
        pid = spawn(0, -1, &run->pidfd, err);
        if (pid == 0)
            be_run(execution, index, streams, pair[1], parent);
        close(pair[1]);
        r = pid < 0 ? (int)pid : 0;
    }
    for (int i = 0; i < 3; i++)
        close_fd(&streams[i]);
    if (r < 0) {
        close_run(run);
        return r;
    }
    run->state = MATRIX_RUNNING;
    execution->n_running++;
    if (execution->hooks->begun)
        execution->hooks->begun(execution->hooks->context, index);
    return 0;
}

/* --- what comes from it ----------------------------------------------------- */

/* Reads what is in the pipe now. */
static void drain(struct execution *execution, size_t index, int which) {
    const struct matrix_hooks *hooks = execution->hooks;
    struct matrix_run *run = &execution->matrix->runs[index];
    static char bytes[OUTPUT_BYTES];

    while (run->output_fds[which] >= 0) {
        ssize_t n = read(run->output_fds[which], bytes, sizeof bytes);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0 || !hooks->output(hooks->context, index, which + 1, bytes, (size_t)n))
            close_fd(&run->output_fds[which]);
    }
}

static void drain_both(struct execution *execution, size_t index) {
    drain(execution, index, 0);
    drain(execution, index, 1);
}

static void take_event(struct execution *execution, size_t index, struct matrix_event *event) {
    const struct matrix_hooks *hooks = execution->hooks;
    struct matrix_run *run = &execution->matrix->runs[index];
    struct action_result *actions = run->result.actions;
    size_t n_actions = run->result.n_actions;

    drain_both(execution, index);
    switch (event->kind) {
    case MATRIX_EVENT_LOG:
        if (hooks->message)
            hooks->message(hooks->context, index, event->level, event->text);
        break;
    case MATRIX_EVENT_PROGRESS:
        event->progress.label = event->text;
        if (hooks->progress)
            hooks->progress(hooks->context, index, &event->progress);
        break;
    case MATRIX_EVENT_STARTED:
        if (hooks->action_started)
            hooks->action_started(hooks->context, index, event->index);
        break;
    case MATRIX_EVENT_FINISHED:
        (void)result_add(&run->result, &event->action);
        if (hooks->action_finished)
            hooks->action_finished(hooks->context, index, &event->action);
        break;
    case MATRIX_EVENT_ENDED:
        run->result = event->result;
        run->result.actions = actions;
        run->result.n_actions = n_actions;
        run->has_result = true;
        break;
    }
}

static void take_events(struct execution *execution, size_t index) {
    struct matrix_run *run = &execution->matrix->runs[index];
    struct matrix_event event;
    int r;

    while (run->event_fd >= 0 && (r = matrix_event_receive(run->event_fd, &event)) != 0) {
        if (r < 0) {
            close_fd(&run->event_fd);
            return;
        }
        take_event(execution, index, &event);
        matrix_event_answer(run->event_fd);
    }
}

static void end_run(struct execution *execution, size_t index) {
    struct matrix_run *run = &execution->matrix->runs[index];
    int status;

    take_events(execution, index);
    drain_both(execution, index);
    status = spawn_wait(run->pidfd);
    close_run(run);
    if (!run->has_result) {
        run->result.outcome = OUTCOME_ERROR;
        run->result.exit_status = EXIT_ENGINE;
        err_set(&run->result.error, -EPIPE, "the process of this image's run was killed (%d)",
                status);
    }
    run->state = MATRIX_ENDED;
    execution->n_running--;
    if (run->result.exit_status != 0 && !execution->matrix->keep_going)
        execution->is_stopping = true;
    if (run->result.outcome == OUTCOME_INTERRUPTED) {
        execution->is_stopping = true;
        if (!execution->matrix->interrupted)
            execution->matrix->interrupted = run->result.exit_status - 128;
    }
    if (execution->hooks->ended)
        execution->hooks->ended(execution->hooks->context, index);
}

/* --- the loop --------------------------------------------------------------- */

static void stop_all(struct execution *execution, int signal) {
    for (size_t i = 0; i < execution->matrix->n_runs; i++)
        if (execution->matrix->runs[i].state == MATRIX_RUNNING)
            sys_pidfd_send_signal(execution->matrix->runs[i].pidfd, signal);
}

static void take_signals(struct execution *execution) {
    struct signalfd_siginfo info;

    while (read(execution->signals.fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGWINCH)
            continue;
        execution->is_stopping = true;
        if (!execution->matrix->interrupted)
            execution->matrix->interrupted = (int)info.ssi_signo;
        if (!execution->shares_terminal || info.ssi_code != SI_KERNEL)
            stop_all(execution, (int)info.ssi_signo);
    }
}

static void watch(struct execution *execution, int fd, short events, size_t owner) {
    if (fd < 0)
        return;
    execution->fds[execution->n_fds] = (struct pollfd){.fd = fd, .events = events};
    execution->owners[execution->n_fds++] = owner;
}

/* At most 5 a run, and 2. */
static void watch_all(struct execution *execution) {
    bool wants_more = false;

    execution->n_fds = 0;
    watch(execution, execution->signals.fd, POLLIN, NO_RUN);
    for (size_t i = 0; i < execution->matrix->n_runs; i++) {
        struct matrix_run *run = &execution->matrix->runs[i];

        if (run->state != MATRIX_RUNNING)
            continue;
        watch(execution, run->event_fd, POLLIN, i);
        watch(execution, run->pidfd, POLLIN, i);
        watch(execution, run->output_fds[0], POLLIN, i);
        watch(execution, run->output_fds[1], POLLIN, i);
        if (matrix_input_wants_pipe(&execution->input, &run->feed))
            watch(execution, run->feed.fd, POLLOUT, i);
        wants_more |= matrix_input_wants_more(&execution->input, &run->feed);
    }
    if (wants_more)
        watch(execution, STDIN_FILENO, POLLIN, NO_RUN);
}

static int take_input(struct execution *execution, struct err *err) {
    int r = matrix_input_read(&execution->input, err);

    for (size_t i = 0; r == 0 && i < execution->matrix->n_runs; i++)
        matrix_input_write(&execution->input, &execution->matrix->runs[i].feed);
    return r;
}

static int dispatch(struct execution *execution, const struct pollfd *fd, size_t owner,
                    struct err *err) {
    struct matrix_run *run;

    if (fd->fd == execution->signals.fd) {
        take_signals(execution);
        return 0;
    }
    if (owner == NO_RUN)
        return take_input(execution, err);
    run = &execution->matrix->runs[owner];
    if (run->state != MATRIX_RUNNING)
        return 0;
    if (fd->fd == run->pidfd)
        end_run(execution, owner);
    else if (fd->fd == run->event_fd)
        take_events(execution, owner);
    else if (fd->fd == run->feed.fd)
        matrix_input_write(&execution->input, &run->feed);
    else
        drain_both(execution, owner);
    return 0;
}

static int wait_for_something(struct execution *execution, struct err *err) {
    int r = 0;

    watch_all(execution);
    if (poll(execution->fds, execution->n_fds, -1) < 0)
        return errno == EINTR ? 0 : err_errno(err, "cannot wait for the runs");
    for (size_t i = 0; r == 0 && i < execution->n_fds; i++)
        if (execution->fds[i].revents)
            r = dispatch(execution, &execution->fds[i], execution->owners[i], err);
    return r;
}

/* Also after a failure here all that was begun is waited for. */
static int run_all(struct execution *execution, struct err *err) {
    struct matrix *matrix = execution->matrix;
    size_t next = 0;
    int r = 0;

    for (;;) {
        while (r == 0 && !execution->is_stopping && next < matrix->n_runs &&
               execution->n_running < matrix->jobs) {
            /* A signal that has come may not find one more beginning. */
            take_signals(execution);
            if (!execution->is_stopping)
                r = begin_run(execution, next++, err);
        }
        if (execution->n_running == 0)
            return r;
        if (r < 0 && !execution->is_stopping) {
            execution->is_stopping = true;
            stop_all(execution, SIGTERM);
        }
        if (r == 0)
            r = wait_for_something(execution, err);
        else
            (void)wait_for_something(execution, NULL);
    }
}

/* What each run would find out for itself; but the program is to be started anew here, once. */
static void protect_program(const struct matrix *matrix, const struct matrix_hooks *hooks) {
    struct idmap map;

    if (hooks->protect_program && session_choose_ids(matrix->plan, &map, NULL) == 0 &&
        session_exposes_program(&map))
        hooks->protect_program(hooks->context);
}

int matrix_execute(struct matrix *matrix, const struct matrix_hooks *hooks, struct err *err) {
    struct execution execution = {
        .matrix = matrix, .hooks = hooks, .signals = SIGNALS_INIT, .input = {.spool_fd = -1}};
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    size_t n_fds = 5 * matrix->n_runs + 2;
    _cleanup_free_ struct pollfd *fds = calloc(n_fds, sizeof *fds);
    _cleanup_free_ size_t *owners = calloc(n_fds, sizeof *owners);
    bool together = matrix->jobs > 1 && matrix->n_runs > 1;
    int r;

    if (!fds || !owners)
        return err_nomem(err);
    execution.fds = fds;
    execution.owners = owners;
    execution.shares_terminal =
        !together && (isatty(STDIN_FILENO) || isatty(STDOUT_FILENO) || isatty(STDERR_FILENO));
    if (matrix->n_runs > 1) {
        r = matrix_input_init(&execution.input, together, err);
        if (r < 0)
            return r;
    }
    protect_program(matrix, hooks);
    sigaction(SIGPIPE, &ignore, &execution.pipe_action);
    r = signals_take(&execution.signals, err);
    if (r == 0)
        r = run_all(&execution, err);
    signals_release(&execution.signals);
    sigaction(SIGPIPE, &execution.pipe_action, NULL);
    matrix_input_done(&execution.input);
    for (size_t i = 0; i < matrix->n_runs; i++)
        if (matrix->runs[i].state == MATRIX_WAITING)
            matrix->runs[i].result.outcome = OUTCOME_SKIPPED;
    return r;
}
