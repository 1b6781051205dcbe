/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command on a terminal of its own and plays a person in front of it.
 *
 *   pty [-s ROWSxCOLUMNS] [-e EVENT]... COMMAND [ARG]...
 *
 * Events are done one after the other:
 *
 *   expect:TEXT         wait until the screen has shown TEXT since the last match
 *   send:TEXT           type TEXT; \r, \n, \e, \\ and \xHH are understood
 *   resize:ROWSxCOLUMNS change the window's size (the kernel sends SIGWINCH)
 *   signal:NAME         send HUP, INT, QUIT, TERM, KILL, STOP or CONT to the command itself
 *   stopped             wait until the command has stopped
 *   hangup              close the terminal
 *
 * All that was shown goes to standard output.  Exits with the command's
 * status (128+N for a signal), or with 99 and a line on standard error when
 * what an event waits for did not come; its deadline is for hanging tests
 * alone.  After the last event it waits for the command's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define DEADLINE_MSEC 60000
#define SCREEN_BYTES (1 << 20)

static struct {
    int master;
    int pidfd;
    pid_t pid;
    char screen[SCREEN_BYTES];
    size_t size;
    size_t matched; /* where the next expect begins to look */
} pty = {.master = -1};

static void give_up(const char *event) {
    fprintf(stderr, "pty: still waiting for \"%s\"; the screen so far:\n%.*s\n", event,
            (int)pty.size, pty.screen);
    kill(pty.pid, SIGKILL);
    exit(99);
}

static struct winsize parse_size(const char *text) {
    struct winsize size = {0};

    if (sscanf(text, "%hux%hu", &size.ws_row, &size.ws_col) != 2) {
        fprintf(stderr, "pty: no window size: %s\n", text);
        exit(2);
    }
    return size;
}

static void start(char **argv, const struct winsize *size) {
    char *name;
    int slave;

    pty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    name = pty.master >= 0 && grantpt(pty.master) == 0 && unlockpt(pty.master) == 0
               ? ptsname(pty.master)
               : NULL;
    slave = name ? open(name, O_RDWR | O_NOCTTY | O_CLOEXEC) : -1;
    if (slave < 0 || ioctl(slave, TIOCSWINSZ, size) < 0) {
        perror("pty");
        exit(2);
    }
    pty.pid = fork();
    if (pty.pid == 0) {
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        dup2(slave, 0);
        dup2(slave, 1);
        dup2(slave, 2);
        execvp(*argv, argv);
        perror(*argv);
        _exit(127);
    }
    close(slave);
    pty.pidfd = (int)syscall(SYS_pidfd_open, pty.pid, 0);
}

/* Takes in what the terminal shows.  Return: 0 once it shows nothing more. */
static int show(void) {
    ssize_t n;

    if (pty.size == sizeof pty.screen) {
        fprintf(stderr, "pty: more than %d bytes\n", SCREEN_BYTES);
        exit(99);
    }
    n = read(pty.master, pty.screen + pty.size, sizeof pty.screen - pty.size);
    /* EIO: nobody has the terminal open any more. */
    if (n <= 0)
        return n < 0 && errno == EINTR;
    pty.size += (size_t)n;
    return 1;
}

static void expect(const char *text) {
    for (;;) {
        struct pollfd pollfd = {.fd = pty.master, .events = POLLIN};
        char *found = memmem(pty.screen + pty.matched, pty.size - pty.matched, text, strlen(text));

        if (found) {
            pty.matched = (size_t)(found - pty.screen) + strlen(text);
            return;
        }
        if (poll(&pollfd, 1, DEADLINE_MSEC) == 0 || !show())
            give_up(text);
    }
}

static size_t unescape(const char *text, char *bytes) {
    static const char from[] = "rne\\", to[] = "\r\n\033\\";
    size_t n = 0;

    while (*text) {
        const char *known = NULL;
        unsigned value;

        if (*text != '\\') {
            bytes[n++] = *text++;
        } else if (text[1] && (known = strchr(from, text[1]))) {
            bytes[n++] = to[known - from];
            text += 2;
        } else if (sscanf(text, "\\x%2x", &value) == 1) {
            bytes[n++] = (char)value;
            text += 4;
        } else {
            fprintf(stderr, "pty: unknown escape in %s\n", text);
            exit(2);
        }
    }
    return n;
}

static void type(const char *text) {
    char bytes[4096];
    size_t n;

    if (strlen(text) > sizeof bytes) {
        fprintf(stderr, "pty: too long: %s\n", text);
        exit(2);
    }
    n = unescape(text, bytes);
    if (write(pty.master, bytes, n) != (ssize_t)n)
        give_up(text);
}

static void send_signal(const char *name) {
    static const struct {
        const char *name;
        int number;
    } signals[] = {
        {"HUP", SIGHUP},   {"INT", SIGINT},   {"QUIT", SIGQUIT}, {"TERM", SIGTERM},
        {"KILL", SIGKILL}, {"STOP", SIGSTOP}, {"CONT", SIGCONT},
    };

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (strcmp(name, signals[i].name) == 0)
            kill(pty.pid, signals[i].number);
}

static void wait_until_stopped(void) {
    siginfo_t info = {0};

    if (waitid(P_PID, (id_t)pty.pid, &info, WSTOPPED) < 0 || info.si_code != CLD_STOPPED)
        give_up("stopped");
}

static void handle(const char *event) {
    const char *value = strchr(event, ':');
    struct winsize size;

    value = value ? value + 1 : "";
    if (strncmp(event, "expect:", 7) == 0) {
        expect(value);
    } else if (strncmp(event, "send:", 5) == 0) {
        type(value);
    } else if (strncmp(event, "resize:", 7) == 0) {
        size = parse_size(value);
        ioctl(pty.master, TIOCSWINSZ, &size);
    } else if (strncmp(event, "signal:", 7) == 0) {
        send_signal(value);
    } else if (strcmp(event, "stopped") == 0) {
        wait_until_stopped();
    } else if (strcmp(event, "hangup") == 0) {
        close(pty.master);
        pty.master = -1;
    } else {
        fprintf(stderr, "pty: unknown event %s\n", event);
        exit(2);
    }
}

/* Shows the rest until the command has ended.  Return: its status. */
static int finish(void) {
    struct pollfd pollfds[] = {{.fd = pty.pidfd, .events = POLLIN},
                               {.fd = pty.master, .events = POLLIN}};
    int status;

    while (!(pollfds[0].revents & POLLIN)) {
        if (poll(pollfds, 2, DEADLINE_MSEC) == 0)
            give_up("the command's end");
        if (pollfds[1].revents && !show())
            pollfds[1].fd = -1;
    }
    /* What it wrote at its end is in the terminal's buffer. */
    if (pollfds[1].fd >= 0) {
        fcntl(pty.master, F_SETFL, O_NONBLOCK);
        while (show())
            ;
    }
    waitpid(pty.pid, &status, 0);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int main(int argc, char **argv) {
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    const char *events[64];
    size_t n_events = 0;
    int option, status;

    while ((option = getopt(argc, argv, "+s:e:")) != -1)
        if (option == 's')
            size = parse_size(optarg);
        else if (option == 'e' && n_events < 64)
            events[n_events++] = optarg;
        else
            return 2;
    if (optind == argc)
        return 2;
    signal(SIGPIPE, SIG_IGN);
    start(argv + optind, &size);
    for (size_t i = 0; i < n_events; i++)
        handle(events[i]);
    status = finish();
    fwrite(pty.screen, 1, pty.size, stdout);
    return status;
}
