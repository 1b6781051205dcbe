/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_TERMINAL_H
#define MAYFLY_TERMINAL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>

/** TERMINAL_N_POLL - entries that terminal_poll() fills. */
#define TERMINAL_N_POLL 3

/** struct stream - bytes on their way from one descriptor to another */
struct stream {
    size_t start, end;
    char bytes[16 * 1024];
};

/**
 * struct terminal - the host's terminal joined to one of a container
 * @input_fd: where keys come from; -1: none
 * @output_fd: where the container's output goes; -1: none
 * @own_output_fd: the same when it was opened here, non-blocking; -1: it is the caller's
 * @master_fd: the container's terminal, its master side; -1: none at the moment
 * @is_plain: keys come from what is no terminal
 * @saved: the host's settings while it is raw
 * @keys: bytes that, typed in a row, are not handed on but set @is_detached; "": none
 * @n_typed: how many of them have been typed
 */
struct terminal {
    int input_fd;
    int output_fd;
    int own_output_fd;
    int master_fd;
    bool raw;
    bool is_plain;
    bool is_detached;
    const char *keys;
    size_t n_typed;
    struct termios saved;
    struct stream to_container, to_host;
};

/** TERMINAL_MAX_KEYS - the most keys that detach. */
#define TERMINAL_MAX_KEYS 16

/**
 * terminal_init() - look at which of the standard descriptors are terminals
 * @terminals: as in struct container; a pipe or a file does as well
 */
void terminal_init(struct terminal *terminal, const bool terminals[3]);

/** terminal_done() - let go of the host's terminal, after the last terminal_detach(). */
void terminal_done(struct terminal *terminal);

/** terminal_window() - the size of the host's window; 24 lines of 80 when it has none. */
struct winsize terminal_window(const struct terminal *terminal);

/**
 * terminal_attach() - a step has begun on @master_fd, which is handed over
 *
 * The host's terminal becomes raw, if keys come from it and this process is in the foreground:
 * ^C and the like are the container's then.
 */
void terminal_attach(struct terminal *terminal, int master_fd);

/** terminal_poll() - fill in what to wait for. */
void terminal_poll(const struct terminal *terminal, struct pollfd fds[TERMINAL_N_POLL]);

/** terminal_dispatch() - move bytes after poll(2). */
void terminal_dispatch(struct terminal *terminal, const struct pollfd fds[TERMINAL_N_POLL]);

/** terminal_resize() - hand the window's size on. */
void terminal_resize(const struct terminal *terminal);

/** terminal_detach() - the step has ended: show what is left of its output, put all back. */
void terminal_detach(struct terminal *terminal);

#endif
