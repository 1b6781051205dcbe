/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One life of a container, as its supervisor leads it: a session is begun, the main
 * program in it; both end together; and the restart policy decides whether there is
 * another one.
 */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "engine/inside/job.h"
#include "warden_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

/* Of a container that ends again and again. */
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
    const struct container *c = &k->session.container;
    const struct idmap *map = &c->map;
    int pipes[3][2] = {{-1, -1}, {-1, -1}, {-1, -1}}, r = 0;

    if (!k->life->keep_stdin)
        pipes[0][0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = k->life->keep_stdin ? 0 : 1; r == 0 && i < 3; i++) {
        errno = -selinux_pipe(pipes[i], &c->confine.selinux, c->state.fd);
        r = errno ? err_errno(err, "cannot make a pipe") : 0;
    }
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

int warden_begin(struct warden *k, struct err *err) {
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
void warden_end(struct warden *k) {
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
        k->restart_delay_nsec = WARDEN_RESTART_NSEC;
    k->restart_deadline_nsec = clock_add(clock_monotonic(), k->restart_delay_nsec);
    if (k->restart_delay_nsec < RESTART_LAST_NSEC)
        k->restart_delay_nsec *= 2;
    return true;
}

void warden_finish(struct warden *k) {
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
void warden_main_ended(struct warden *k, int status, const struct err *err) {
    warden_end(k);
    k->kept->state.exit_code = status;
    if (err)
        snprintf(k->kept->state.reason, sizeof k->kept->state.reason, "%s", err->message);
    if (must_restart(k, status))
        (void)warden_save(k);
    else
        warden_finish(k);
}

void warden_restart(struct warden *k) {
    struct err err = {0};
    int r;

    k->restart_deadline_nsec = CLOCK_NEVER;
    k->kept->state.restarts += !k->wants_reboot;
    k->wants_reboot = false;
    r = warden_begin(k, &err);
    if (r != 0)
        warden_main_ended(k, r > 0 ? r : EXIT_ENGINE, &err);
}
