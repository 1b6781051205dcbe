/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tries every system call by its number, each in a process of its own and with
 * arguments that no call can do anything with (-1), and prints a line for each:
 * what came back.  Run in two containers, the lines that differ are what their
 * filters, their capabilities and their namespaces do otherwise.
 *
 * The calls of x86_64 come first, then those of 32-bit programs ("32:"), then
 * calls whose arguments a filter may look at.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define N_CALLS 480

struct call {
    long nr;
    long args[6];
    int is_32;
};

#if defined(__x86_64__)
static long call_64(const struct call *call) {
    register long a4 __asm__("r10") = call->args[3];
    register long a5 __asm__("r8") = call->args[4];
    register long a6 __asm__("r9") = call->args[5];
    long r;

    __asm__ volatile("syscall"
                     : "=a"(r)
                     : "a"(call->nr), "D"(call->args[0]), "S"(call->args[1]), "d"(call->args[2]),
                       "r"(a4), "r"(a5), "r"(a6)
                     : "rcx", "r11", "memory");
    return r;
}

static long call_32(const struct call *call) {
    long r;

    /* The kernel leaves r8 to r11 in no state. */
    __asm__ volatile("int $0x80"
                     : "=a"(r)
                     : "a"(call->nr), "b"(call->args[0]), "c"(call->args[1]), "d"(call->args[2]),
                       "S"(call->args[3]), "D"(call->args[4])
                     : "memory", "r8", "r9", "r10", "r11");
    return (int)r;
}
#else
static long call_64(const struct call *call) {
    long r = syscall(call->nr, call->args[0], call->args[1], call->args[2], call->args[3],
                     call->args[4], call->args[5]);

    return r < 0 ? -errno : r;
}

static long call_32(const struct call *call) {
    (void)call;
    return -ENOSYS;
}
#endif

/* pause and sigsuspend wait whatever they are given; no other one should. */
static int waits(const struct call *call) {
#ifdef __x86_64__
    return call->is_32 ? call->nr == 29 || call->nr == 72 : call->nr == SYS_pause;
#else
    return call->nr < 0;
#endif
}

/* Goes on until all disks are in order, which tells nothing. */
static int is_sync(const struct call *call) {
    return call->nr == (call->is_32 ? 36 : SYS_sync);
}

/* Those may wait with all signals blocked: this one gets through. */
static void end_some_time(const struct call *call) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    const struct itimerspec when = {.it_value = {.tv_sec = waits(call) ? 1 : 30}};
    timer_t timer;

    if (timer_create(CLOCK_MONOTONIC, &event, &timer) < 0 ||
        timer_settime(timer, 0, &when, NULL) < 0)
        _exit(4);
}

/* A line of what came of a call.  What it starts ends, and what waits is called off. */
static void try(const char *name, const struct call *call) {
    int answer[2], status;
    long r = -1;
    pid_t pid;

    fflush(stdout);
    if (pipe(answer) < 0)
        exit(2);
    pid = fork();
    if (pid == 0) {
        pid_t self = getpid();

        end_some_time(call);
        r = call->is_32 ? call_32(call) : call_64(call);
        if ((pid_t)syscall(SYS_getpid) != self)
            _exit(0);
        _exit(write(answer[1], &r, sizeof r) == sizeof r ? 0 : 3);
    }
    close(answer[1]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        exit(2);
    if (WIFSIGNALED(status))
        printf("%s signal-%d\n", name, WTERMSIG(status));
    else if (read(answer[0], &r, sizeof r) != sizeof r)
        printf("%s ended\n", name);
    else if (r < 0 && r > -4096)
        printf("%s %s\n", name, strerrorname_np((int)-r));
    else
        printf("%s done\n", name);
    close(answer[0]);
}

static void try_all(const char *prefix, int is_32) {
    for (long nr = 0; nr < N_CALLS; nr++) {
        const struct call call = {nr, {-1, -1, -1, -1, -1, -1}, is_32};
        char name[32];

        snprintf(name, sizeof name, "%s%ld", prefix, nr);
        if (!is_sync(&call))
            try(name, &call);
    }
}

int main(void) {
    static const struct {
        const char *name;
        struct call call;
    } special[] = {
        {"personality-linux", {SYS_personality, {PER_LINUX}, 0}},
        {"personality-linux32", {SYS_personality, {PER_LINUX32}, 0}},
        {"personality-uname26", {SYS_personality, {UNAME26}, 0}},
        {"personality-uname26-linux32", {SYS_personality, {UNAME26 | PER_LINUX32}, 0}},
        {"personality-no-randomize", {SYS_personality, {ADDR_NO_RANDOMIZE}, 0}},
        {"personality-ask", {SYS_personality, {0xffffffff}, 0}},
        {"socket-inet", {SYS_socket, {AF_INET, SOCK_STREAM, 0}, 0}},
        {"socket-raw", {SYS_socket, {AF_INET, SOCK_RAW, 1}, 0}},
        {"socket-packet", {SYS_socket, {AF_PACKET, SOCK_DGRAM, 0}, 0}},
        {"socket-route", {SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_ROUTE}, 0}},
        {"socket-audit", {SYS_socket, {AF_NETLINK, SOCK_RAW, NETLINK_AUDIT}, 0}},
        {"socket-vsock", {SYS_socket, {AF_VSOCK, SOCK_STREAM, 0}, 0}},
        {"ioctl-sti", {SYS_ioctl, {-1, TIOCSTI, 0}, 0}},
        {"ioctl-sti-high", {SYS_ioctl, {-1, (long)(0x7f00000000UL | TIOCSTI), 0}, 0}},
        {"ioctl-linux", {SYS_ioctl, {-1, TIOCLINUX, 0}, 0}},
        {"ioctl-size", {SYS_ioctl, {-1, TIOCGWINSZ, 0}, 0}},
        {"unshare-user", {SYS_unshare, {CLONE_NEWUSER}, 0}},
        {"unshare-mount", {SYS_unshare, {CLONE_NEWNS}, 0}},
        {"unshare-net", {SYS_unshare, {CLONE_NEWNET}, 0}},
        {"clone-user", {SYS_clone, {CLONE_NEWUSER | SIGCHLD}, 0}},
    };

    try_all("", 0);
    try_all("32:", 1);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        try(special[i].name, &special[i].call);
    return 0;
}
