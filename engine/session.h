/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SESSION_H
#define MAYFLY_SESSION_H

#include "base/err.h"
#include "base/str.h"
#include "container.h"
#include "engine/plan/plan.h"
#include "keeps.h"
#include "run.h"
#include "supervise.h"
#include "unwind.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/** SESSION_FALL_BACK - within a start: the next mode of id mapping may do. */
#define SESSION_FALL_BACK 12

/** SESSION_AGAIN - within a start: the same once more, with the overlays made on the host's side.
 */
#define SESSION_AGAIN 13

/**
 * struct session_request - what a container is started from; all of it is borrowed
 * @plan: checked (plan_check()); its actions are not looked at but for @ask_first
 * @hooks: messages, and the protection of the program; the calls around actions are not made here
 * @signal_fd: signalfd(2) with the signals that end it; -1: none do
 * @deadline_nsec: when it is to end, CLOCK_MONOTONIC; CLOCK_NEVER
 * @layers: directories that lie over the image's layers, the lowest first, relative to the store's
 *          directory (store->fd) and owned as its layers are; NULL: none
 * @volume_layers: the same over each of the plan's copy-on-write volumes; NULL: none
 * @workdir: where actions begin, a directory that is there; NULL: in the image's
 * @capture: takes what steps write, and gives them nothing to read: it is opened, and begun by
 *           the caller; NULL: none
 * @keeps: the plan's kept directories, open already; NULL: they are opened with the container
 * @changes: a directory, relative to the store's, in which what the container changes is kept, in
 *           "upper" beside "work"; NULL: all is thrown away
 * @like: a container that was made before, whose ids and way of mounting will do here too; NULL
 * @has_streams: steps have this process's standard input, output and error, or terminals for those
 *               that are terminals; else /dev/null
 * @takes_closures: functions of this process may be called in it (job_closure())
 * @ask_first: the plan's first action begins without waiting for this process (steps_run() follows)
 */
struct session_request {
    const struct plan *plan;
    const struct run_hooks *hooks;
    int signal_fd;
    uint64_t deadline_nsec;
    const struct strv *layers;
    const struct strv *volume_layers;
    const char *workdir;
    struct capture *capture;
    const struct keeps *keeps;
    const char *changes;
    const struct container *like;
    bool has_streams;
    bool takes_closures;
    bool ask_first;
};

/**
 * struct session - a container between its start and its end
 * @supervisor: what the actions are done with, see steps.h
 * @keep: called by session_end() when the container is dead and its directory still there: "upper"
 *        in container->state.fd is what it has changed, and may be renamed away; may be NULL, set
 *        any time before the end
 *
 * No two share anything; it must not be moved in memory.
 */
struct session {
    struct container container;
    struct supervisor supervisor;
    void (*keep)(void *context, const struct container *container);
    void *keep_context;

    pid_t pid; /* of PID 1 */

    /* private */
    struct session_request request;
    struct unwind unwind;
    struct keeps keeps;
    struct capture capture;
    struct feed feed;
    struct sigaction on_pipe; /* what SIGPIPE did before */
};

/**
 * session_start() - make a container, up to its PID 1 waiting for something to do
 *
 * Context: host, a single-threaded process; with or without privileges.
 * Return: 0, a SUPERVISE_ condition, or -errno with a text; all is unwound again unless it is 0.
 */
int session_start(struct session *session, const struct session_request *request, struct err *err);

/**
 * session_connect() - a connection to PID 1, on which a job can be started (job_start())
 *
 * Return: a SOCK_SEQPACKET socket that the caller closes, or -errno with a text.
 */
int session_connect(const struct session *session, struct err *err);

/**
 * session_introduce() - hand PID 1 its end of a connection that somebody else has the other end of
 * @fd: lent
 *
 * Return: 0 or -errno with a text.
 */
int session_introduce(const struct session *session, int fd, struct err *err);

/**
 * session_look_up() - choose how ids are mapped, open the store and find the image, and no more
 * @map: how; NULL: as this host allows
 *
 * Fills in @session->container's map, store and image, and its supervisor as far as waiting goes.
 * Context, Return: as session_start(); session_end() is due when it is 0.
 */
int session_look_up(struct session *session, const struct session_request *request,
                    const struct idmap *map, struct err *err);

/** session_end() - end the container and unwind it; a second call does nothing. */
void session_end(struct session *session);

/** session_choose_ids() - the mode in which a plan's container begins, as idmap_choose(). */
int session_choose_ids(const struct plan *plan, struct idmap *ret_map, struct err *err);

/**
 * session_exposes_program() - whether a container with these ids could change this program's file
 *
 * Until its execve(2) a step is this program, and an image can make it execute /proc/self/exe: with
 * a loader of the image's it then holds this program's file, and may change it if its root is the
 * owner (CVE-2019-5736).  A sealed copy has no name and cannot be changed.
 */
bool session_exposes_program(const struct idmap *map);

#endif
