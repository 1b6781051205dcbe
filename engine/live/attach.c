/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The caller's side of a program in a container: its streams are the caller's own
 * descriptors where that is safe, and nothing is to be done but wait; else bytes
 * are carried, a terminal's with terminal.c.
 */
#include "attach.h"

#include "ask.h"
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/message.h"
#include "engine/signals.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>

void attach_init(struct attachment *a, int socket_fd, bool is_supervisor, const char *keys) {
    static const bool none[3];

    a->socket_fd = socket_fd;
    a->run_fd = -1;
    a->labels = (struct selinux){0};
    a->is_supervisor = is_supervisor;
    a->status = a->interrupted = 0;
    a->is_detached = false;
    terminal_init(&a->terminal, none);
    a->terminal.keys = keys;
    for (int i = 0; i < 3; i++) {
        a->pumps[i].from = a->pumps[i].to = a->pumps[i].owned = -1;
        a->pumps[i].start = a->pumps[i].end = 0;
    }
}

static void close_pump(struct pump *pump) {
    if (pump->owned >= 0)
        close(take_fd(pump->owned));
    pump->from = pump->to = -1;
}

void attach_done(struct attachment *a) {
    terminal_detach(&a->terminal);
    terminal_done(&a->terminal);
    for (int i = 0; i < 3; i++)
        close_pump(&a->pumps[i]);
    if (a->socket_fd >= 0)
        close(take_fd(a->socket_fd));
    if (a->run_fd >= 0)
        close(take_fd(a->run_fd));
}

void attach_label(struct attachment *a, int run_fd) {
    a->run_fd = run_fd;
    if (run_fd >= 0)
        selinux_load(&a->labels, run_fd);
}

/* A terminal would take input pushed into it, a directory lead out of the container, and a file
 * that is there to be read could be opened anew to be written to (feed.c). */
static bool is_safe(int fd) {
    struct stat st;

    return !isatty(fd) && fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode) &&
           (fd != 0 || !S_ISREG(st.st_mode) ||
            faccessat(AT_FDCWD, "/proc/self/fd/0", W_OK, AT_EACCESS) < 0);
}

int attach_streams(struct attachment *a, const bool wanted[3], bool pipes, int ret_fds[3],
                   struct err *err) {
    for (int i = 0; i < 3; i++) {
        struct pump *pump = &a->pumps[i];
        int ends[2];

        ret_fds[i] = wanted[i] && !pipes && !*a->labels.process && is_safe(i) ? i : -1;
        if (!wanted[i] || ret_fds[i] >= 0)
            continue;
        errno = -selinux_pipe(ends, &a->labels, a->run_fd);
        if (errno != 0)
            return err_errno(err, "cannot make a pipe");
        ret_fds[i] = ends[i == 0 ? 0 : 1];
        pump->owned = ends[i == 0 ? 1 : 0];
        pump->from = i == 0 ? 0 : pump->owned;
        pump->to = i == 0 ? pump->owned : i;
        if (i > 0)
            continue;
        fcntl(pump->to, F_SETFL, fcntl(pump->to, F_GETFL) | O_NONBLOCK);
        /* The program may end before it has read all. */
        signal(SIGPIPE, SIG_IGN);
    }
    return 0;
}

int attach_terminal(struct attachment *a, bool input, int *ret_fd, struct err *err) {
    const bool terminals[3] = {input, true, true};
    const char *keys = a->terminal.keys;
    int pair[2];

    terminal_init(&a->terminal, terminals);
    a->terminal.keys = keys;
    if (!ret_fd)
        return 0;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    terminal_attach(&a->terminal, pair[0]);
    *ret_fd = pair[1];
    return 0;
}

/* --- carrying ----------------------------------------------------------------- */

static void send_ask(const struct attachment *a, enum ask ask, int value) {
    const struct message message = {
        .kind = MESSAGE_ASK,
        .index = ask,
        .value = value,
        .window = terminal_window(&a->terminal),
    };

    (void)message_send(a->socket_fd, &message, NULL, 0);
}

static void hand_on(struct attachment *a, int signal) {
    const struct message message = {.kind = MESSAGE_SIGNAL, .value = signal};

    if (signal == SIGWINCH) {
        terminal_resize(&a->terminal);
        if (a->is_supervisor)
            send_ask(a, ASK_WINDOW, 0);
        return;
    }
    a->interrupted = signal;
    /* The end of the terminal that shows a container is not the container's. */
    if (signal == SIGHUP && a->is_supervisor && a->terminal.output_fd >= 0)
        a->is_detached = true;
    else if (a->is_supervisor)
        send_ask(a, ASK_SIGNAL, signal);
    else
        (void)message_send(a->socket_fd, &message, NULL, 0);
}

/* One read and all of its bytes written.  Return: false when there is nothing more to carry. */
static bool carry(struct pump *pump) {
    ssize_t n = read(pump->from, pump->bytes, sizeof pump->bytes);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n <= 0 || fd_write_all(pump->to, pump->bytes, (size_t)n) < 0) {
        close_pump(pump);
        return false;
    }
    return true;
}

/* Input must not wait for a program that waits for its output to be read. */
static void poll_input(const struct pump *pump, struct pollfd *fd) {
    bool has_bytes = pump->start < pump->end;

    *fd = (struct pollfd){.fd = has_bytes ? pump->to : pump->from,
                          .events = has_bytes ? POLLOUT : POLLIN};
}

static void carry_input(struct pump *pump) {
    ssize_t n;

    if (pump->start == pump->end) {
        n = read(pump->from, pump->bytes, sizeof pump->bytes);
        pump->start = 0;
        pump->end = n > 0 ? (size_t)n : 0;
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
            close_pump(pump);
        return;
    }
    n = write(pump->to, pump->bytes + pump->start, pump->end - pump->start);
    if (n > 0)
        pump->start += (size_t)n;
    else if (errno != EINTR && errno != EAGAIN)
        close_pump(pump);
}

/* What the program has written before its end is there by now. */
static void drain(struct attachment *a) {
    for (int i = 1; i < 3; i++) {
        struct pollfd fd = {.fd = a->pumps[i].from, .events = POLLIN};

        while (a->pumps[i].from >= 0 && poll(&fd, 1, 0) > 0)
            if (!carry(&a->pumps[i]))
                break;
    }
    terminal_detach(&a->terminal);
}

/* Return: 1 when that was the end, 0 when there is more to come, or as attach_wait(). */
static int take_message(struct attachment *a, struct err *err) {
    struct message message;
    int fd = -1, r = message_receive(a->socket_fd, &message, &fd, 1, NULL);

    if (r < 0)
        return a->terminal.is_detached
                   ? 1
                   : err_set(err, -EPIPE, "the container has ended, or its supervisor was killed");
    switch (message.kind) {
    case MESSAGE_TERMINAL:
        if (fd >= 0)
            terminal_attach(&a->terminal, fd);
        return 0;
    case MESSAGE_DONE:
        a->status = message.value & 255;
        return 1;
    case MESSAGE_ERROR:
        *err = message.err;
        return message.value ? message.value : err->code < 0 ? err->code : -EIO;
    default:
        if (fd >= 0)
            close(fd);
        return 0;
    }
}

#define N_OWN 2

static int turn(struct attachment *a, int signal_fd, struct err *err) {
    struct pollfd fds[N_OWN + 3 + TERMINAL_N_POLL] = {{.fd = a->socket_fd, .events = POLLIN},
                                                      {.fd = signal_fd, .events = POLLIN}};
    int signal;

    poll_input(&a->pumps[0], &fds[N_OWN]);
    for (int i = 1; i < 3; i++)
        fds[N_OWN + i] = (struct pollfd){.fd = a->pumps[i].from, .events = POLLIN};
    terminal_poll(&a->terminal, fds + N_OWN + 3);
    if (poll(fds, N_ELEMENTS(fds), -1) < 0 && errno != EINTR)
        return err_errno(err, "cannot wait for the program");
    if (fds[N_OWN].fd >= 0 && fds[N_OWN].revents)
        carry_input(&a->pumps[0]);
    for (int i = 1; i < 3; i++)
        if (fds[N_OWN + i].fd >= 0 && fds[N_OWN + i].revents)
            (void)carry(&a->pumps[i]);
    terminal_dispatch(&a->terminal, fds + N_OWN + 3);
    if (a->terminal.is_detached) {
        const struct message message = {.kind = MESSAGE_TERMINAL};

        /* A supervisor has it; PID 1 keeps it from now on, or the program would be hung up. */
        if (!a->is_supervisor)
            (void)message_send(a->socket_fd, &message, &a->terminal.master_fd, 1);
        a->is_detached = true;
        return 1;
    }
    while (fds[1].revents && (signal = signals_next(signal_fd)))
        hand_on(a, signal);
    if (a->is_detached)
        return 1;
    return fds[0].revents ? take_message(a, err) : 0;
}

int attach_wait(struct attachment *a, struct err *err) {
    struct signals signals = SIGNALS_INIT;
    int r = signals_take(&signals, err);

    if (r == 0 && a->is_supervisor && a->terminal.output_fd >= 0)
        send_ask(a, ASK_WINDOW, 0);
    while (r == 0)
        r = turn(a, signals.fd, err);
    drain(a);
    signals_release(&signals);
    return r == 1 ? 0 : r;
}

int attach_parse_keys(const char *text, char ret_keys[TERMINAL_MAX_KEYS + 1], struct err *err) {
    const char *p = text;
    size_t n = 0;

    while (*p) {
        const char *control = str_after(p, "ctrl-");
        char key = control ? *control : *p;

        p = control ? control : p;
        if (control && !isalpha((unsigned char)key) && (!key || !strchr("@[\\]^_", key)))
            break;
        if (!key || n == TERMINAL_MAX_KEYS || (p[1] && p[1] != ','))
            break;
        ret_keys[n++] = control ? (char)(toupper((unsigned char)key) & 0x1f) : key;
        p += p[1] ? 2 : 1;
    }
    ret_keys[n] = '\0';
    if (*p || (n > 0 && strlen(ret_keys) != n))
        return err_set(err, -EINVAL,
                       "--detach-keys '%s' are no keys: write single characters and ctrl-X, "
                       "separated by commas",
                       text);
    return 0;
}
