/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_ATTACH_H
#define MAYFLY_ATTACH_H

#include "engine/base/err.h"
#include "engine/confine/selinux.h"
#include "engine/terminal.h"

#include <stdbool.h>
#include <stddef.h>

/**
 * struct pump - bytes carried from one descriptor to another
 * @from, @to: -1: at its end
 * @owned: the one of them that is closed with it
 */
struct pump {
    int from, to;
    int owned;
    size_t start, end;
    char bytes[16 * 1024];
};

/**
 * struct attachment - this process's standard streams, joined to a program in a container
 * @socket_fd: the connection by which the program runs, or to a container's supervisor
 * @is_supervisor: it is a supervisor's: signals and sizes go as calls
 * @status: how the program has ended
 * @is_detached: it goes on, the keys for it were typed
 * @labels, @run_fd: of the container, for pipes that its programs may use
 * @interrupted: the last signal that has come here, and was handed on; 0: none
 */
struct attachment {
    int socket_fd;
    bool is_supervisor;
    int status;
    bool is_detached;
    int interrupted;
    struct selinux labels;
    int run_fd;
    struct terminal terminal;
    struct pump pumps[3];
};

/**
 * attach_init() - nothing joined yet
 * @socket_fd: handed over
 * @keys: see attach_parse_keys(); borrowed
 */
void attach_init(struct attachment *attachment, int socket_fd, bool is_supervisor,
                 const char *keys);
void attach_done(struct attachment *attachment);

#define _cleanup_attachment_ __attribute__((cleanup(attach_done)))

/** attach_label() - SELinux is here: note the container's labels.  @run_fd: handed over, or
 * negative */
void attach_label(struct attachment *attachment, int run_fd);

/**
 * attach_streams() - what a program is to have as its streams
 * @wanted: which of standard input, output and error
 * @pipes: pipes in any case, whose bytes attach_wait() carries; else this process's own are lent
 *         where they are neither terminals, which no container gets, nor directories, nor a file
 *         to read that could be written to
 * @ret_fds: -1: not wanted; the caller closes those that are not 0, 1 and 2
 *
 * Return: 0 or -errno with a text.
 */
int attach_streams(struct attachment *attachment, const bool wanted[3], bool pipes, int ret_fds[3],
                   struct err *err);

/**
 * attach_terminal() - the same for a program with a terminal
 * @input: whether keys are handed on
 * @ret_fd: one descriptor for both directions, for whoever has the terminal's master side; with a
 *          NULL the master side itself comes on the connection (MESSAGE_TERMINAL)
 *
 * Return: 0 or -errno with a text.
 */
int attach_terminal(struct attachment *attachment, bool input, int *ret_fd, struct err *err);

/**
 * attach_wait() - carry bytes until the program has ended
 *
 * SIGINT, SIGTERM, SIGHUP and SIGQUIT are taken and handed on; SIGHUP with a supervisor and a
 * terminal is the end of the terminal alone, and detaches. Context: host, a single-threaded
 * process. Return: 0 with @attachment->status set, or ->is_detached; EXIT_NOT_FOUND or
 * EXIT_NOT_EXECUTABLE with a text when the program could not be started for that; or -errno with a
 * text.
 */
int attach_wait(struct attachment *attachment, struct err *err);

/**
 * attach_parse_keys() - keys as people write them
 * @text: single characters and ctrl-X, separated by commas; "": none
 * @ret_keys: their bytes
 *
 * Pure.
 * Return: 0 or -EINVAL with a text.
 */
int attach_parse_keys(const char *text, char ret_keys[TERMINAL_MAX_KEYS + 1], struct err *err);

#endif
