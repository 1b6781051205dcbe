/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way out without privileges.  A user may not tie anything to the host's
 * network, but may speak on it: a program that speaks for the container, one
 * connection of the host's for each of the container's, is the way out.  Two
 * are common, pasta(1) and slirp4netns(1); the first is faster.
 *
 * Each container has one of its own, which makes a second link in the
 * container's namespace, beside that to the bridge.  It is a child that dies
 * with this process, and it never maps an address to the host's loopback.
 */
#include "outside.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#define LINK "out0"
#define READY_NSEC (10 * NSEC_PER_SEC)
#define TUN "/dev/net/tun"
#define ANSWER_BYTES 512

/* Which descriptors the program has, always the same ones. */
enum { FD_USER_NS = 3, FD_NET_NS, FD_READY, FD_LIFE, FD_API, N_FDS };

/* The same as paths. */
#define USER_NS "/proc/self/fd/3"
#define NET_NS "/proc/self/fd/4"
#define READY "/proc/self/fd/5"

static int open_namespace(pid_t pid, const char *kind, struct err *err) {
    char path[40];
    int fd;

    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)pid, kind);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd < 0 ? err_errno(err, "the container's %s namespace", kind) : fd;
}

/* "127.0.0.1/8080:80", the ports of one protocol, each as an argument. */
static int add_ports(struct strv *argv, const char *option, const struct outside *outside,
                     uint8_t protocol) {
    int r = 0, n = 0;

    for (size_t i = 0; r == 0 && i < outside->n_ports; i++) {
        const struct nat_port *port = &outside->ports[i];
        char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 16];

        if (port->protocol != protocol)
            continue;
        nat_format_host(port, host);
        snprintf(text, sizeof text, "%s%s%u:%u", str_eq(host, "*") ? "" : host,
                 str_eq(host, "*") ? "" : "/", port->host_port, port->container_port);
        r = strv_push(argv, option);
        if (r == 0)
            r = strv_push(argv, text);
        n++;
    }
    if (n == 0 && r == 0)
        r = strv_push(argv, option);
    return n == 0 && r == 0 ? strv_push(argv, "none") : r;
}

static int push_all(struct strv *argv, const char *const *words) {
    int r = 0;

    for (; r == 0 && *words; words++)
        r = strv_push(argv, *words);
    return r;
}

static int make_pasta(struct strv *argv, const struct outside *outside) {
    static const char *const words[] = {
        "pasta",    "--foreground", "--quiet",  "--config-net", "--ns-ifname", LINK,
        "--userns", USER_NS,        "--netns",  NET_NS,         "--pid",       READY,
        "--tcp-ns", "none",         "--udp-ns", "none",         "--no-map-gw", "--no-netns-quit",
        NULL};
    int r = push_all(argv, words);

    if (r == 0)
        r = add_ports(argv, "--tcp-ports", outside, IPPROTO_TCP);
    return r == 0 ? add_ports(argv, "--udp-ports", outside, IPPROTO_UDP) : r;
}

static int make_slirp(struct strv *argv, const struct outside *outside) {
    static const char *const words[] = {"slirp4netns",
                                        "--configure",
                                        "--mtu=65520",
                                        "--disable-host-loopback",
                                        "--netns-type=path",
                                        "--userns-path=/proc/self/fd/3",
                                        "--ready-fd=5",
                                        "--exit-fd=6",
                                        NULL};
    static const char *const api[] = {"--api-socket=/proc/self/fd/7/slirp4netns", NULL};
    static const char *const rest[] = {NET_NS, LINK, NULL};
    int r = push_all(argv, words);

    if (r == 0 && outside->n_ports > 0)
        r = push_all(argv, api);
    return r == 0 ? push_all(argv, rest) : r;
}

static bool is_installed(const char *program) {
    static const char *const places[] = {"/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"};
    char path[64];

    for (size_t i = 0; i < N_ELEMENTS(places); i++) {
        snprintf(path, sizeof path, "%s/%s", places[i], program);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

int outside_begin(pid_t container, struct outside *ret, struct err *err) {
    *ret = OUTSIDE_INIT;
    if (!is_installed("pasta") && !is_installed("slirp4netns"))
        return err_set(
            err, -ENOENT,
            "without root the way out needs pasta or slirp4netns: apt-get install passt, "
            "or run with --net bridge or none");
    if (access(TUN, R_OK | W_OK) < 0)
        return err_errno(err, "without root the way out needs " TUN
                              ", which is not yours to open (modprobe tun, chmod 666 " TUN ")");
    ret->user_fd = open_namespace(container, "user", err);
    if (ret->user_fd < 0)
        return ret->user_fd;
    ret->net_fd = open_namespace(container, "net", err);
    return ret->net_fd < 0 ? ret->net_fd : 0;
}

/* The child, until it is another program. */
static void become_program(char **argv, const int fds[N_FDS], int errors_fd, pid_t parent) {
    int moved[N_FDS], null = open("/dev/null", O_RDWR | O_CLOEXEC);
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || null < 0)
        _exit(1);
    /* Out of the way first, so that none is overwritten before it is moved. */
    for (int i = FD_USER_NS; i < N_FDS; i++)
        moved[i] = fds[i] < 0 ? -1 : fcntl(fds[i], F_DUPFD_CLOEXEC, 64);
    dup2(null, 0);
    dup2(null, 1);
    dup2(errors_fd, 2);
    for (int i = FD_USER_NS; i < N_FDS; i++)
        if (moved[i] >= 0)
            dup2(moved[i], i);
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(argv[0], argv);
    _exit(127);
}

static int start(char **argv, struct outside *outside, struct err *err) {
    int ready[2] = {-1, -1}, errors[2] = {-1, -1}, r = 0;
    pid_t self = getpid(), pid = -1;

    if (pipe2(ready, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        r = err_errno(err, "cannot start %s", argv[0]);
    if (pid == 0) {
        /* The reading end of the pipe for readiness hangs up with this process: its life. */
        const int fds[N_FDS] = {
            -1, -1, -1, outside->user_fd, outside->net_fd, ready[1], ready[1], outside->api_fd};

        become_program(argv, fds, errors[1], self);
    }
    cleanup_close_p(&ready[1]);
    cleanup_close_p(&errors[1]);
    outside->ready_fd = ready[0];
    outside->errors_fd = errors[0];
    outside->pid = pid < 0 ? 0 : pid;
    return r;
}

/* What the program has said last, without what it says of the system's log. */
static int explain(const struct outside *outside, struct err *err) {
    char text[2048], *line, *last = NULL, *rest = NULL;
    ssize_t n = read(outside->errors_fd, text, sizeof text - 1);

    text[n > 0 ? n : 0] = '\0';
    for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        if (!str_after(line, "Failed to send "))
            last = line;
    return err_set(err, -ENETUNREACH, "the way out: %s", last ? last : "the program has ended");
}

/* Asks slirp4netns for one port. */
static int ask_for_port(const struct outside *outside, const struct nat_port *port,
                        struct err *err) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[256], answer[ANSWER_BYTES], host[INET6_ADDRSTRLEN];
    _cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ssize_t n = -1;

    nat_format_host(port, host);
    if (port->family == AF_INET6)
        return err_set(err, -EOPNOTSUPP,
                       "slirp4netns publishes no port on IPv6 addresses: install pasta (apt-get "
                       "install passt)");
    snprintf(request, sizeof request,
             "{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"%s\",\"host_addr\":\"%s\","
             "\"host_port\":%u,\"guest_port\":%u}}",
             port->protocol == IPPROTO_TCP ? "tcp" : "udp", str_eq(host, "*") ? "0.0.0.0" : host,
             port->host_port, port->container_port);
    snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/slirp4netns",
             outside->api_fd);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) == 0 &&
        fd_write_all(fd, request, strlen(request)) == 0 && shutdown(fd, SHUT_WR) == 0)
        n = recv(fd, answer, sizeof answer - 1, MSG_WAITALL);
    answer[n > 0 ? n : 0] = '\0';
    if (n <= 0 || strstr(answer, "\"error\""))
        return err_set(err, -EADDRINUSE, "port %u of the host cannot be published: it is in use",
                       port->host_port);
    return 0;
}

static int await(struct outside *outside, struct err *err) {
    struct pollfd ready = {.fd = outside->ready_fd, .events = POLLIN};
    uint64_t end_nsec = clock_add(clock_monotonic(), READY_NSEC);
    char word[16];
    int r;

    do
        r = poll(&ready, 1, clock_poll_timeout(clock_monotonic(), end_nsec));
    while (r < 0 && errno == EINTR);
    if (r == 0)
        return err_set(err, -ETIMEDOUT, "the way out: the program does not get ready");
    if (r < 0 || read(outside->ready_fd, word, sizeof word) <= 0)
        return explain(outside, err);
    for (size_t i = 0; outside->api_fd >= 0 && i < outside->n_ports; i++) {
        r = ask_for_port(outside, &outside->ports[i], err);
        if (r < 0)
            return r;
    }
    return 0;
}

int outside_open(struct outside *outside, const struct nat_port *ports, size_t n_ports, int run_fd,
                 struct err *err) {
    _cleanup_strv_ struct strv argv = {0};
    bool is_pasta = is_installed("pasta");
    int r;

    outside->ports = ports;
    outside->n_ports = n_ports;
    outside->api_fd = is_pasta ? -1 : run_fd;
    if ((is_pasta ? make_pasta(&argv, outside) : make_slirp(&argv, outside)) < 0)
        return err_nomem(err);
    r = start(argv.items, outside, err);
    return r < 0 ? r : await(outside, err);
}

void outside_close(struct outside *outside) {
    if (outside->pid > 0) {
        kill(outside->pid, SIGKILL);
        while (waitpid(outside->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    cleanup_close_p(&outside->user_fd);
    cleanup_close_p(&outside->net_fd);
    cleanup_close_p(&outside->ready_fd);
    cleanup_close_p(&outside->errors_fd);
    *outside = OUTSIDE_INIT;
}
