/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "host" is the process that ns_run() forks; boxes are its children.  It
 * asks a box for something over a socket and, until the answer comes, serves
 * the networks of all boxes, as supervisors would.
 */
#include "ns.h"

#include "engine/base/clock.h"
#include "engine/base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

/* Tests are written as commands of the shell; nothing in them comes from outside. */
/* NOLINTBEGIN(cert-env33-c) */

#define MAX_BOXES 256
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID)
/* A net under a test that hangs, nothing that a test depends on. */
#define SAFETY_SECONDS 120

static struct box *boxes[MAX_BOXES];
static char state_path[64];

void ns_fail(const char *file, int line, const char *condition, const char *format, ...) {
    va_list arguments;

    va_start(arguments, format);
    fprintf(stderr, "%s:%d: not so: %s:", file, line, condition);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    _exit(1);
}

static void write_file(const char *path, const char *text) {
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    NS_CHECK(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0, "%s: %m", path);
    close(fd);
}

static void become_root(uid_t uid, gid_t gid) {
    char text[64];

    snprintf(text, sizeof text, "0 %u 1", uid);
    write_file("/proc/self/uid_map", text);
    write_file("/proc/self/setgroups", "deny");
    snprintf(text, sizeof text, "0 %u 1", gid);
    write_file("/proc/self/gid_map", text);
}

/** be_init() - process 1 of a namespace: reap until @pid ends, then end with all that is left. */
static void be_init(pid_t pid) {
    int status = 0;
    pid_t ended;

    do
        ended = wait(&status);
    while (ended != pid && (ended >= 0 || errno == EINTR));
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
}

/**
 * enter_pid_namespace() - go on in the new process namespace
 *
 * Whatever a test leaves running ends with that namespace, which ends with the caller of this and
 * with what goes on, whichever ends first.
 */
static void enter_pid_namespace(void) {
    pid_t pid = fork();
    int status;

    NS_CHECK(pid >= 0, "fork: %m");
    if (pid > 0) {
        NS_CHECK(waitpid(pid, &status, 0) == pid);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pid = fork();
    NS_CHECK(pid >= 0, "fork: %m");
    if (pid > 0)
        be_init(pid);
}

bool ns_run(void (*body)(void)) {
    int status;
    pid_t pid;

    fflush(NULL);
    pid = fork();
    if (pid == 0) {
        uid_t uid = geteuid();
        gid_t gid = getegid();

        signal(SIGALRM, SIG_DFL);
        alarm(SAFETY_SECONDS);
        NS_CHECK(unshare(NAMESPACES) == 0, "unshare: %m");
        become_root(uid, gid);
        enter_pid_namespace();
        NS_CHECK(system("mount -t proc none /proc && ip link set lo up") == 0);
        body();
        if (state_path[0])
            fd_remove_tree(AT_FDCWD, state_path);
        fflush(NULL);
        _exit(0);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

int ns_state_dir(void) {
    int fd;

    snprintf(state_path, sizeof state_path, "/tmp/mayfly-ns-XXXXXX");
    NS_CHECK(mkdtemp(state_path), "%m");
    fd = open(state_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    NS_CHECK(fd >= 0, "%m");
    return fd;
}

bool ns_has(const char *program) {
    char command[128];

    snprintf(command, sizeof command, "command -v %s >/dev/null", program);
    return system(command) == 0;
}

/** struct call - what a box is asked to do */
struct call {
    enum { CALL_SETUP, CALL_SHELL } kind;
    char hostname[64];
    bool renew;
    bool has_ipv6;
    struct network_ipv6 ipv6;
    uint64_t timeout_nsec;
    char command[4096];
};

/** struct reply - what it answers; descriptors go along */
struct reply {
    int result;
    struct err err;
    struct network_lease lease;
};

static void box_main(int socket_fd) {
    static struct call call;
    char mark = 'r';

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    NS_CHECK(unshare(NAMESPACES) == 0, "unshare: %m");
    become_root(0, 0);
    enter_pid_namespace();
    /* So that programs inside find their own network under /sys. */
    if (system("mount -t sysfs none /sys 2>/dev/null; mount -t tmpfs none /run") != 0)
        _exit(1);
    NS_CHECK(write(socket_fd, &mark, 1) == 1);
    while (read(socket_fd, &call, sizeof call) == sizeof call) {
        struct reply reply = {0};
        size_t n_fds = 0;

        if (call.kind == CALL_SETUP) {
            const struct network_setup_request request = {.hostname = call.hostname,
                                                          .renew = call.renew,
                                                          .timeout_nsec = call.timeout_nsec,
                                                          .ipv6 =
                                                              call.has_ipv6 ? &call.ipv6 : NULL};
            struct network_setup setup;

            reply.result = network_setup_begin(&setup, &reply.err);
            if (reply.result == 0)
                reply.result = network_setup(&setup, &request, &reply.lease, &reply.err);
            n_fds = reply.result == 0 && call.renew ? 2 : 0;
        } else {
            int status = system(call.command);

            reply.result = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
        }
        NS_CHECK(fd_send(socket_fd, &reply, sizeof reply, &reply.lease.socket_fd, n_fds) == 0);
        if (n_fds)
            network_lease_close(&reply.lease);
    }
    _exit(0);
}

void box_start(struct box *box) {
    int pair[2];
    char mark;

    *box = (struct box){.lease = {.socket_fd = -1, .route_fd = -1}};
    NS_CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    fflush(NULL);
    box->pid = fork();
    NS_CHECK(box->pid >= 0, "fork: %m");
    if (box->pid == 0) {
        close(pair[0]);
        box_main(pair[1]);
    }
    close(pair[1]);
    box->socket_fd = pair[0];
    NS_CHECK(read(box->socket_fd, &mark, 1) == 1, "a box did not come up");
    for (size_t i = 0; i < MAX_BOXES; i++)
        if (!boxes[i]) {
            boxes[i] = box;
            return;
        }
    NS_CHECK(!"room for one more box");
}

int box_attach(struct box *box, const struct network_request *request) {
    int r = network_open(request, &box->network, &box->err);

    if (r == 0)
        r = network_attach(box->network, box->pid, &box->err);
    return r == 0 ? network_guard(box->network, &box->err) : r;
}

/** serve_until() - serve all boxes until @fd can be read. */
static void serve_until(int fd) {
    for (;;) {
        struct pollfd fds[1 + MAX_BOXES * NETWORK_MAX_POLL] = {{.fd = fd, .events = POLLIN}};
        size_t n = 1;
        uint64_t deadline_nsec = CLOCK_NEVER;

        for (size_t i = 0; i < MAX_BOXES; i++)
            if (boxes[i] && boxes[i]->network) {
                uint64_t own_nsec = network_deadline(boxes[i]->network);

                n += network_poll(boxes[i]->network, fds + n);
                deadline_nsec = own_nsec < deadline_nsec ? own_nsec : deadline_nsec;
            }
        poll(fds, n, clock_poll_timeout(clock_monotonic(), deadline_nsec));
        if (fds[0].revents)
            return;
        for (size_t i = 0; i < MAX_BOXES; i++)
            if (boxes[i] && boxes[i]->network)
                network_dispatch(boxes[i]->network, NULL, 0, clock_monotonic());
    }
}

static int ask(struct box *box, const struct call *call, struct reply *reply) {
    int fds[2] = {-1, -1};
    size_t n_fds;

    NS_CHECK(write(box->socket_fd, call, sizeof *call) == sizeof *call, "%m");
    serve_until(box->socket_fd);
    NS_CHECK(fd_receive(box->socket_fd, reply, sizeof *reply, fds, 2, &n_fds, 0) == sizeof *reply);
    reply->lease.socket_fd = fds[0];
    reply->lease.route_fd = fds[1];
    return reply->result;
}

int box_setup(struct box *box, const struct network_setup_request *request) {
    struct call call = {
        .kind = CALL_SETUP, .renew = request->renew, .timeout_nsec = request->timeout_nsec};
    struct reply reply;

    call.has_ipv6 = network_get_ipv6(box->network, &call.ipv6);
    snprintf(call.hostname, sizeof call.hostname, "%s", request->hostname);
    ask(box, &call, &reply);
    box->err = reply.err;
    box->lease = reply.lease;
    if (reply.lease.socket_fd >= 0)
        network_adopt(box->network, &reply.lease);
    box->lease.socket_fd = box->lease.route_fd = -1;
    return reply.result;
}

int box_shell(struct box *box, const char *format, ...) {
    struct call call = {.kind = CALL_SHELL};
    struct reply reply;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(call.command, sizeof call.command, format, arguments);
    va_end(arguments);
    return ask(box, &call, &reply);
}

int ns_shell(const char *format, ...) {
    char command[4096];
    va_list arguments;
    int pipe_fds[2];
    int status;
    pid_t pid;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    NS_CHECK(pipe2(pipe_fds, O_CLOEXEC) == 0);
    pid = fork();
    if (pid == 0) {
        /* This end stays open until the shell, not what it left behind, has ended. */
        status = system(command);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128);
    }
    close(pipe_fds[1]);
    serve_until(pipe_fds[0]);
    close(pipe_fds[0]);
    NS_CHECK(waitpid(pid, &status, 0) == pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void ns_start_machine(const char *far, const char *near, const char *address) {
    /* It is one when the fifo is opened, from inside of its namespace. */
    NS_CHECK(ns_shell("d=$(mktemp -d) && mkfifo $d/ready || exit 1;"
                      " unshare -n sh -c \"exec 3>$d/ready; exec sleep 1000 3>&-\" >$d/out 2>&1 &"
                      " p=$!; read -r line <$d/ready; rm -r $d; ip link set %s netns $p &&"
                      " nsenter -n -t $p ip addr add %s/24 dev %s &&"
                      " nsenter -n -t $p ip link set %s up && ip link set %s up || exit 1;"
                      " until busybox arping -q -c1 -w1 -I %s %s; do :; done",
                      far, address, far, far, near, near, address) == 0);
}

void box_stop(struct box *box) {
    close(box->socket_fd);
    kill(box->pid, SIGKILL);
    waitpid(box->pid, NULL, 0);
    network_destroy(box->network);
    for (size_t i = 0; i < MAX_BOXES; i++)
        if (boxes[i] == box)
            boxes[i] = NULL;
    *box = (struct box){0};
}

const char *ns_address(const struct box *box) {
    static char text[4][INET_ADDRSTRLEN];
    static unsigned turn;
    uint32_t address_be = network_address(box->network);

    turn = (turn + 1) % 4;
    return inet_ntop(AF_INET, &address_be, text[turn], sizeof text[turn]);
}

/* NOLINTEND(cert-env33-c) */
