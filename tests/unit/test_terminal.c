/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/terminal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Each test is played in a process of its own, whose standard descriptors and
 * controlling terminal are the slave of a first pty (the person sits at
 * "person"), and which joins it to a second one (a step would sit at "step").
 */
static int person, step;
static struct terminal terminal;

#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(report_fd, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);           \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

static int report_fd;

static void make_raw(int fd) {
    struct termios settings;

    NEED(tcgetattr(fd, &settings) == 0);
    cfmakeraw(&settings);
    NEED(tcsetattr(fd, TCSANOW, &settings) == 0);
}

/* Opens both terminals; the second's master is returned. */
static int open_both(void) {
    static const bool all[3] = {true, true, true};
    struct winsize window = {.ws_row = 33, .ws_col = 99};
    int slave, master;

    report_fd = fcntl(2, F_DUPFD_CLOEXEC, 100);
    NEED(openpty(&person, &slave, NULL, NULL, &window) == 0);
    NEED(setsid() >= 0);
    NEED(ioctl(slave, TIOCSCTTY, 0) == 0);
    for (int i = 0; i < 3; i++)
        NEED(dup2(slave, i) == i);
    NEED(fcntl(person, F_SETFL, O_NONBLOCK) == 0);
    NEED(openpty(&master, &step, NULL, NULL, NULL) == 0);
    make_raw(step);
    NEED(fcntl(step, F_SETFL, O_NONBLOCK) == 0);
    terminal_init(&terminal, all);
    return master;
}

/* Moves bytes until @fd has @expected, and nothing else, to read. */
static void expect(int fd, const char *expected) {
    size_t size = strlen(expected), got = 0;
    char bytes[256];

    while (got < size) {
        struct pollfd fds[TERMINAL_N_POLL + 1];
        ssize_t n;

        terminal_poll(&terminal, fds);
        fds[TERMINAL_N_POLL] = (struct pollfd){.fd = fd, .events = POLLIN};
        NEED(poll(fds, TERMINAL_N_POLL + 1, -1) > 0);
        terminal_dispatch(&terminal, fds);
        n = read(fd, bytes + got, sizeof bytes - got);
        NEED(n > 0 || (n < 0 && errno == EAGAIN));
        got += n > 0 ? (size_t)n : 0;
    }
    NEED(got == size && memcmp(bytes, expected, size) == 0);
}

static void play(void (*scene)(void)) {
    pid_t pid = fork();
    int status;

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        alarm(60);
        scene();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert_eq(status, 0, "wait status %#x", (unsigned)status);
}

static void both_ways(void) {
    struct termios before, raw, after;
    struct winsize window;
    int master = open_both();

    NEED(tcgetattr(0, &before) == 0);
    NEED(before.c_lflag & ICANON);
    terminal_attach(&terminal, master);
    NEED(tcgetattr(0, &raw) == 0);
    NEED(!(raw.c_lflag & (ICANON | ISIG | ECHO)));
    NEED(ioctl(step, TIOCGWINSZ, &window) == 0);
    NEED(window.ws_row == 33 && window.ws_col == 99);
    NEED(write(person, "keys\003\004", 6) == 6);
    expect(step, "keys\003\004");
    NEED(write(step, "output\n", 7) == 7);
    expect(person, "output\n");
    window.ws_row = 44;
    NEED(ioctl(person, TIOCSWINSZ, &window) == 0);
    terminal_resize(&terminal);
    NEED(ioctl(step, TIOCGWINSZ, &window) == 0 && window.ws_row == 44);
    NEED(write(step, "last words", 10) == 10);
    close(step);
    terminal_detach(&terminal);
    NEED(terminal.master_fd < 0);
    expect(person, "last words");
    NEED(tcgetattr(0, &after) == 0);
    NEED(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag &&
         after.c_oflag == before.c_oflag);
    terminal_done(&terminal);
}

Test(terminal, bytes_both_ways_raw_and_back) {
    play(both_ways);
}

/* Nobody looks: mayfly must go on, and neither spin nor wait, and lose nothing. */
static void nobody_reads(void) {
    static char bytes[1 << 20], got[1 << 20];
    size_t sent = 0, seen = 0;
    int master = open_both();

    terminal_attach(&terminal, master);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)('a' + i % 23);
    for (;;) {
        struct pollfd fds[TERMINAL_N_POLL];
        ssize_t n = write(step, bytes + sent, sizeof bytes - sent);

        sent += n > 0 ? (size_t)n : 0;
        terminal_poll(&terminal, fds);
        if (poll(fds, TERMINAL_N_POLL, 10) == 0 &&
            terminal.to_host.end == sizeof terminal.to_host.bytes)
            break;
        terminal_dispatch(&terminal, fds);
    }
    NEED(sent > sizeof terminal.to_host.bytes && sent < sizeof bytes);
    NEED(terminal.to_host.end == sizeof terminal.to_host.bytes);
    /* The other direction is free. */
    NEED(write(person, "\003", 1) == 1);
    expect(step, "\003");
    while (seen < sent) {
        struct pollfd fds[TERMINAL_N_POLL + 1];
        ssize_t n;

        terminal_poll(&terminal, fds);
        fds[TERMINAL_N_POLL] = (struct pollfd){.fd = person, .events = POLLIN};
        NEED(poll(fds, TERMINAL_N_POLL + 1, -1) > 0);
        terminal_dispatch(&terminal, fds);
        n = read(person, got + seen, sizeof got - seen);
        NEED(n > 0 || errno == EAGAIN);
        seen += n > 0 ? (size_t)n : 0;
    }
    NEED(memcmp(bytes, got, sent) == 0);
}

Test(terminal, nobody_reads_the_output) {
    play(nobody_reads);
}

static void nobody_reads_keys(void) {
    char keys[4096];
    size_t sent = 0;
    int master = open_both();

    terminal_attach(&terminal, master);
    memset(keys, 'k', sizeof keys);
    for (;;) {
        struct pollfd fds[TERMINAL_N_POLL];
        ssize_t n = write(person, keys, sizeof keys);

        sent += n > 0 ? (size_t)n : 0;
        NEED(sent < 1 << 20);
        terminal_poll(&terminal, fds);
        if (poll(fds, TERMINAL_N_POLL, 10) == 0 &&
            terminal.to_container.end == sizeof terminal.to_container.bytes)
            break;
        terminal_dispatch(&terminal, fds);
    }
    NEED(terminal.to_container.end == sizeof terminal.to_container.bytes);
    NEED(write(step, "still here", 10) == 10);
    expect(person, "still here");
    close(step);
    terminal_detach(&terminal);
    NEED(terminal.to_container.start == terminal.to_container.end);
}

Test(terminal, nobody_reads_the_keys) {
    play(nobody_reads_keys);
}

/* A process that lives on after the step and never stops writing. */
static void endless_writer(void) {
    int master = open_both(), status;
    pid_t writer, reader;

    terminal_attach(&terminal, master);
    writer = fork();
    NEED(writer >= 0);
    if (writer == 0) {
        fcntl(step, F_SETFL, 0);
        while (write(step, "on and on ", 10) > 0)
            ;
        _exit(0);
    }
    reader = fork();
    NEED(reader >= 0);
    if (reader == 0) {
        char bytes[4096];

        fcntl(person, F_SETFL, 0);
        while (read(person, bytes, sizeof bytes) > 0)
            ;
        _exit(0);
    }
    expect(person, "");
    terminal_detach(&terminal);
    NEED(terminal.master_fd < 0);
    kill(writer, SIGKILL);
    kill(reader, SIGKILL);
    NEED(waitpid(writer, &status, 0) == writer && waitpid(reader, &status, 0) == reader);
}

Test(terminal, detaching_ends_while_others_write) {
    play(endless_writer);
}

/* All of a step's output is shown, however much of it the kernel still has. */
static void last_output(void) {
    for (int round = 0; round < 20; round++) {
        static char got[1 << 16];
        size_t sent = 0, seen = 0;
        struct pollfd ready;
        int master = open_both();
        ssize_t n;

        signal(SIGHUP, SIG_IGN);
        terminal_attach(&terminal, master);
        while ((n = write(step, "0123456789", 10)) > 0)
            sent += (size_t)n;
        close(step);
        ready = (struct pollfd){.fd = person, .events = POLLIN};
        if (fork() == 0) {
            terminal_detach(&terminal);
            _exit(0);
        }
        while (seen < sent && poll(&ready, 1, -1) > 0) {
            n = read(person, got + seen, sizeof got - seen);
            NEED(n > 0);
            seen += (size_t)n;
        }
        NEED(seen == sent);
        NEED(wait(NULL) > 0);
        close(terminal.master_fd);
        terminal_done(&terminal);
        close(person);
        dup2(report_fd, 2);
        close(report_fd);
        /* The next round has a session of its own. */
        if (fork() != 0) {
            int status;

            NEED(wait(&status) > 0);
            _exit(WEXITSTATUS(status));
        }
    }
}

Test(terminal, last_output_is_shown) {
    play(last_output);
}

/* A hang-up while the buffer is full is no reason to spin, nor to lose the buffer. */
static void hang_up_with_full_buffer(void) {
    struct pollfd fds[TERMINAL_N_POLL];
    int master = open_both();

    terminal_attach(&terminal, master);
    NEED(write(step, "x", 1) == 1);
    close(step);
    terminal.to_host.end = sizeof terminal.to_host.bytes;
    terminal_poll(&terminal, fds);
    NEED(fds[0].fd == -1);
    terminal.to_host.start = terminal.to_host.end = 0;
    /* Keys that nobody will read any more do not keep it awake either. */
    terminal.to_container.end = 5;
    terminal_poll(&terminal, fds);
    NEED(poll(fds, 1, -1) == 1);
    fds[1].fd = fds[2].fd = -1;
    terminal_dispatch(&terminal, fds);
    terminal_poll(&terminal, fds);
    NEED(terminal.to_container.end == 0 || fds[0].fd >= 0);
    NEED(terminal.to_host.end == 1);
    terminal_detach(&terminal);
    expect(person, "x");
}

Test(terminal, hang_up_with_a_full_buffer) {
    play(hang_up_with_full_buffer);
}

Test(terminal, without_one) {
    static const bool none[3] = {false, false, false};
    struct pollfd fds[TERMINAL_N_POLL];
    struct winsize window;

    terminal_init(&terminal, none);
    terminal_poll(&terminal, fds);
    for (int i = 0; i < TERMINAL_N_POLL; i++)
        cr_expect_eq(fds[i].fd, -1);
    window = terminal_window(&terminal);
    cr_expect_eq(window.ws_row, 24);
    cr_expect_eq(window.ws_col, 80);
    terminal_resize(&terminal);
    terminal_detach(&terminal);
    terminal_done(&terminal);
}

/* Of a background job the terminal's settings are somebody else's. */
static void in_background(void) {
    struct termios before, after;
    int master = open_both();
    pid_t pid;

    NEED(tcgetattr(0, &before) == 0);
    pid = fork();
    NEED(pid >= 0);
    if (pid == 0) {
        NEED(setpgid(0, 0) == 0);
        terminal_attach(&terminal, master);
        NEED(!terminal.raw);
        NEED(write(step, "shown", 5) == 5);
        close(step);
        terminal_detach(&terminal);
        _exit(0);
    } else {
        int status;

        close(step);
        NEED(waitpid(pid, &status, WUNTRACED) == pid);
        NEED(status == 0);
    }
    expect(person, "shown");
    NEED(tcgetattr(0, &after) == 0);
    NEED(after.c_lflag == before.c_lflag);
}

Test(terminal, in_the_background) {
    play(in_background);
}
