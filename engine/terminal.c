/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container never gets a terminal of the host's, into which it could push
 * input (TIOCSTI).  It has one of its own for each step, and bytes are carried
 * between the two.  One direction never blocks the other: what cannot be written
 * yet stays in its buffer, and nothing more is read meanwhile.
 */
#include "terminal.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ttydefaults.h>
#include <unistd.h>

/* More than the kernel keeps of a terminal's output before its writer has to wait. */
#define BUFFERED_BYTES (64 * 1024)

/* How long the host's terminal may take nothing before the rest of a step's output is dropped. */
#define STUCK_MSEC 3000

void terminal_init(struct terminal *terminal, const bool terminals[3]) {
    int fd = terminals[1] ? 1 : terminals[2] ? 2 : terminals[0] ? 0 : -1;
    char path[32];

    terminal->input_fd = terminals[0] ? 0 : -1;
    terminal->output_fd = fd;
    terminal->own_output_fd = -1;
    terminal->master_fd = -1;
    terminal->raw = false;
    terminal->is_plain = terminals[0] && !isatty(0);
    terminal->is_detached = false;
    terminal->keys = "";
    terminal->n_typed = 0;
    terminal->to_container.start = terminal->to_container.end = 0;
    terminal->to_host.start = terminal->to_host.end = 0;
    if (fd < 0 || !isatty(fd))
        return;
    /* Opened anew, since others share the descriptor and do not expect it to be non-blocking. */
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    terminal->own_output_fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (terminal->own_output_fd >= 0)
        terminal->output_fd = terminal->own_output_fd;
}

void terminal_done(struct terminal *terminal) {
    if (terminal->own_output_fd >= 0)
        close(take_fd(terminal->own_output_fd));
    terminal->output_fd = -1;
}

struct winsize terminal_window(const struct terminal *terminal) {
    struct winsize window = {.ws_row = 24, .ws_col = 80}, found;

    if (terminal->output_fd >= 0 && ioctl(terminal->output_fd, TIOCGWINSZ, &found) == 0 &&
        found.ws_row && found.ws_col)
        return found;
    return window;
}

static bool in_foreground(int fd) {
    return tcgetpgrp(fd) == getpgrp();
}

void terminal_attach(struct terminal *terminal, int master_fd) {
    struct termios raw;

    if (terminal->master_fd >= 0)
        close(terminal->master_fd);
    terminal->master_fd = master_fd;
    fcntl(master_fd, F_SETFL, fcntl(master_fd, F_GETFL) | O_NONBLOCK);
    terminal_resize(terminal);
    if (terminal->input_fd < 0 || !in_foreground(terminal->input_fd) ||
        tcgetattr(terminal->input_fd, &terminal->saved) < 0)
        return;
    raw = terminal->saved;
    cfmakeraw(&raw);
    terminal->raw = tcsetattr(terminal->input_fd, TCSADRAIN, &raw) == 0;
}

static bool is_full(const struct stream *stream) {
    return stream->end == sizeof stream->bytes;
}

static bool is_empty(const struct stream *stream) {
    return stream->start == stream->end;
}

/* Bytes that may be read; keys that were held back may come along with them. */
static size_t room_for_keys(const struct terminal *terminal) {
    const struct stream *in = &terminal->to_container;
    size_t room = sizeof in->bytes - in->end;
    size_t kept = *terminal->keys || terminal->is_plain ? TERMINAL_MAX_KEYS : 0;

    return room > kept ? room - kept : 0;
}

void terminal_poll(const struct terminal *terminal, struct pollfd fds[TERMINAL_N_POLL]) {
    const struct stream *in = &terminal->to_container, *out = &terminal->to_host;
    bool open = terminal->master_fd >= 0;

    /* A hang-up is reported whether it is asked for or not: not while there is no room for it. */
    fds[0] = (struct pollfd){
        .fd = is_full(out) && is_empty(in) ? -1 : terminal->master_fd,
        .events = (short)((is_full(out) ? 0 : POLLIN) | (is_empty(in) ? 0 : POLLOUT))};
    fds[1] = (struct pollfd){.fd = open && room_for_keys(terminal) > 0 &&
                                           (terminal->raw || terminal->is_plain)
                                       ? terminal->input_fd
                                       : -1,
                             .events = POLLIN};
    fds[2] = (struct pollfd){.fd = is_empty(out) ? -1 : terminal->output_fd, .events = POLLOUT};
}

/* Return: bytes read, 0 at the end or on an error, -1 for nothing now. */
static ssize_t fill(struct stream *stream, int fd) {
    ssize_t n = read(fd, stream->bytes + stream->end, sizeof stream->bytes - stream->end);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? -1 : 0;
    stream->end += (size_t)n;
    return n;
}

/* Return: false when nobody takes the bytes any more. */
static bool drain(struct stream *stream, int fd) {
    ssize_t n = write(fd, stream->bytes + stream->start, stream->end - stream->start);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    stream->start += (size_t)n;
    if (is_empty(stream))
        stream->start = stream->end = 0;
    return true;
}

/* Appends what was read, but for the keys that detach, which are held back while they may be. */
static void take_keys(struct terminal *terminal, const char *bytes, size_t n) {
    struct stream *in = &terminal->to_container;

    for (size_t i = 0; i < n && !terminal->is_detached; i++) {
        if (*terminal->keys && bytes[i] == terminal->keys[terminal->n_typed]) {
            terminal->n_typed++;
            terminal->is_detached = !terminal->keys[terminal->n_typed];
            continue;
        }
        memcpy(in->bytes + in->end, terminal->keys, terminal->n_typed);
        in->end += terminal->n_typed;
        terminal->n_typed = *terminal->keys && bytes[i] == terminal->keys[0];
        if (!terminal->n_typed)
            in->bytes[in->end++] = bytes[i];
    }
}

static void read_keys(struct terminal *terminal) {
    struct stream *in = &terminal->to_container;
    char bytes[4096];
    size_t room = room_for_keys(terminal);
    ssize_t n = read(terminal->input_fd, bytes, room < sizeof bytes ? room : sizeof bytes);

    if (n > 0)
        take_keys(terminal, bytes, (size_t)n);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    terminal->input_fd = -1;
    if (terminal->is_plain) /* what a person would type to say that this was all */
        in->bytes[in->end++] = CTRL('d');
}

void terminal_dispatch(struct terminal *terminal, const struct pollfd fds[TERMINAL_N_POLL]) {
    if (fds[1].fd >= 0 && fds[1].revents)
        read_keys(terminal);
    if (fds[0].fd >= 0 && fds[0].revents & (POLLOUT | POLLHUP | POLLERR) &&
        !is_empty(&terminal->to_container) &&
        (!(fds[0].revents & POLLOUT) || !drain(&terminal->to_container, terminal->master_fd)))
        terminal->to_container.start = terminal->to_container.end = 0;
    if (fds[0].fd >= 0 && fds[0].revents & (POLLIN | POLLHUP | POLLERR) &&
        !is_full(&terminal->to_host) && fill(&terminal->to_host, terminal->master_fd) == 0) {
        close(terminal->master_fd);
        terminal->master_fd = -1;
    }
    if (fds[2].fd >= 0 && fds[2].revents && !drain(&terminal->to_host, terminal->output_fd))
        terminal->to_host.start = terminal->to_host.end = 0;
}

void terminal_resize(const struct terminal *terminal) {
    struct winsize window = terminal_window(terminal);

    if (terminal->master_fd >= 0)
        ioctl(terminal->master_fd, TIOCSWINSZ, &window);
}

/* Shows what is in the buffer.  Return: false when the host's terminal does not take it. */
static bool flush(struct terminal *terminal) {
    struct stream *out = &terminal->to_host;

    while (!is_empty(out)) {
        struct pollfd fd = {.fd = terminal->output_fd, .events = POLLOUT};
        int r = poll(&fd, 1, STUCK_MSEC);

        if (r == 0 || (r < 0 && errno != EINTR) || (r > 0 && !drain(out, terminal->output_fd))) {
            out->start = out->end = 0;
            return false;
        }
    }
    return true;
}

void terminal_detach(struct terminal *terminal) {
    size_t left = BUFFERED_BYTES;

    /* All that the step has written is there to be read by now; what comes beyond the kernel's
     * buffers is of processes that live on, and has no end. */
    while (flush(terminal) && terminal->master_fd >= 0 && left > 0) {
        ssize_t n = fill(&terminal->to_host, terminal->master_fd);

        if (n <= 0)
            break;
        left -= (size_t)n < left ? (size_t)n : left;
    }
    if (terminal->master_fd >= 0)
        close(terminal->master_fd);
    terminal->master_fd = -1;
    terminal->to_container.start = terminal->to_container.end = 0;
    if (terminal->raw)
        tcsetattr(terminal->input_fd >= 0 ? terminal->input_fd : 0, TCSADRAIN, &terminal->saved);
    terminal->raw = false;
}
