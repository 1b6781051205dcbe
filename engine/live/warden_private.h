/* SPDX-License-Identifier: Apache-2.0 */
/* A supervisor's insides, for the files of its name alone. */
#ifndef MAYFLY_WARDEN_PRIVATE_H
#define MAYFLY_WARDEN_PRIVATE_H

#include "ask.h"
#include "engine/session.h"
#include "engine/signals.h"
#include "relay.h"
#include "warden.h"

/** WARDEN_RESTART_NSEC - how long it takes until a container that has ended is begun anew, at
 * first. */
#define WARDEN_RESTART_NSEC (100 * NSEC_PER_MSEC)

/** struct caller - a connection that is not attached */
struct caller {
    int fd;
    bool has_asked;
    enum ask call;
};

/**
 * struct warden - a supervisor of a container that lives longer
 * @session: the container, while @in_session
 * @main_fd: the connection by which the main program runs; -1: it has ended
 * @owner_fd: pidfd of the process whose end is the container's; -1: none
 * @kill_deadline_nsec: when a container that was asked to stop is killed
 * @rest_deadline_nsec: when it lets go of what memory it needs for work alone
 * @restart_deadline_nsec: when it is started anew after it has ended by itself
 * @restart_delay_nsec: how long that takes, twice as long each time
 * @is_stopping: somebody wants it to end
 * @wants_reboot: the image's init has ended by reboot(2), to begin anew
 * @is_over: the main program has ended for good
 * @health_fd: the connection by which its health is looked at; -1: nobody looks
 * @health_deadline_nsec: the end of that look, or the beginning of the next
 */
struct warden {
    struct containers *containers;
    struct kept *kept;
    struct life *life;
    struct run_hooks hooks;
    struct signals signals;
    struct log_writer log;
    struct relay relay;
    struct session session;
    bool in_session;
    bool is_stopping;
    bool is_over;
    bool wants_reboot;
    int listen_fd;
    int main_fd;
    int owner_fd;
    int health_fd;
    int stop_signal;
    struct caller *callers;
    size_t n_callers;
    uint64_t kill_deadline_nsec;
    uint64_t rest_deadline_nsec;
    uint64_t restart_deadline_nsec;
    uint64_t restart_delay_nsec;
    uint64_t health_deadline_nsec;
};

/** warden_listen() - open the socket for callers.  Return: 0 or -errno with a text. */
int warden_listen(struct warden *k, struct err *err);

/** warden_accept() - take the connections that wait. */
void warden_accept(struct warden *k);

/** warden_serve() - a caller has said something, or has gone; the caller may be forgotten. */
void warden_serve(struct warden *k, size_t i);

/** warden_serve_viewer() - the same of somebody attached. */
void warden_serve_viewer(struct warden *k, size_t i);

/** warden_answer() - answer all that wait for @call with @value, and forget them. */
void warden_answer(struct warden *k, enum ask call, int value);

/** warden_refuse() - the same with an error. */
void warden_refuse(struct warden *k, enum ask call, const struct err *err);

/** warden_stop() - ask the container to end, and kill it after a time (CLOCK_NEVER: never). */
void warden_stop(struct warden *k, uint64_t timeout_nsec);

/** warden_signal() - send the main program a signal.  Return: 0 or -errno. */
int warden_signal(struct warden *k, int signal);

/** warden_pause() - stop all of the container, or let it go on.  Return: 0 or -errno with a text.
 */
int warden_pause(struct warden *k, bool pause, struct err *err);

/** warden_save() - write the state down; what cannot be written is told the log.  Return: 0, or
 * -errno that errno has as well. */
int warden_save(struct warden *k);

/**
 * warden_begin() - begin the container and its main program
 * Return: 0, EXIT_NOT_FOUND or EXIT_NOT_EXECUTABLE with a text, or -errno with a text.
 */
int warden_begin(struct warden *k, struct err *err);

/** warden_end() - the container ends; what its streams still hold is read later. */
void warden_end(struct warden *k);

/** warden_finish() - it has ended for good. */
void warden_finish(struct warden *k);

/** warden_main_ended() - the main program has ended, or PID 1 has, for the reason in @err or NULL.
 */
void warden_main_ended(struct warden *k, int status, const struct err *err);

/** warden_restart() - begin anew. */
void warden_restart(struct warden *k);

/** warden_health_begin() - the container has begun. */
void warden_health_begin(struct warden *k);

/** warden_health_end() - it has ended. */
void warden_health_end(struct warden *k);

/** warden_health_dispatch() - the look's connection is readable, or its deadline has passed. */
void warden_health_dispatch(struct warden *k, bool is_readable);

#endif
