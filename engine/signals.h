/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_SIGNALS_H
#define MAYFLY_SIGNALS_H

#include "base/err.h"

#include <signal.h>

/**
 * struct signals - signals taken through a descriptor
 * @fd: signalfd(2), non-blocking; -1 when none are taken
 */
struct signals {
    int fd;

    /* private */
    sigset_t mask;
    struct sigaction child;
};

#define SIGNALS_INIT ((struct signals){.fd = -1})

/**
 * signals_take() - take SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGWINCH
 *
 * Those that whoever started us has ignored (nohup(1)) stay ignored.  SIGCHLD gets its default, as
 * who ignores it cannot wait for a child.
 * Return: 0 or -errno with a text; signals_release() is due either way.
 */
int signals_take(struct signals *signals, struct err *err);

/** signals_release() - put back what there was before; a second call does nothing. */
void signals_release(struct signals *signals);

/**
 * signals_open_ends() - a descriptor that becomes readable by the signals that end a command
 *
 * All that signals_take() takes but SIGWINCH.
 * Return: a signalfd(2), non-blocking, or -errno with a text.
 */
int signals_open_ends(struct err *err);

/** signals_next() - the number of a signal that has come to a signalfd(2), or 0. */
int signals_next(int fd);

#endif
