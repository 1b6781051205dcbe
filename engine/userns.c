/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces: their maps are written from outside, by this process where
 * the kernel lets it and by the set-uid helpers newuidmap(1) and newgidmap(1)
 * for subordinate ids.  The kernel takes a user's gid_map only after setgroups(2)
 * was given up for good (user_namespaces(7), CVE-2014-8989).
 */
#include "userns.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fd.h"
#include "base/sys.h"
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h> /* NOLINT(readability-duplicate-include): the C library's, not ours */
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

static int write_file(pid_t pid, const char *name, const char *text) {
    _cleanup_close_ int fd = -1;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fd_write_all(fd, text, strlen(text));
}

static int write_map(pid_t pid, const char *name, const struct id_range *ranges, unsigned n,
                     struct err *err) {
    _cleanup_buf_ struct buf text = BUF_INIT;
    int r;

    for (unsigned i = 0; i < n; i++)
        buf_printf(&text, "%" PRIu32 " %" PRIu32 " %" PRIu32 "\n", ranges[i].inside,
                   ranges[i].outside, ranges[i].count);
    if (buf_failed(&text))
        return err_nomem(err);
    r = write_file(pid, name, text.data);
    if (r < 0) {
        errno = -r;
        r = err_errno(err, "cannot write the container's %s", name);
    }
    return r;
}

/* Starts newuidmap or newgidmap; -errno, or its pid. */
static pid_t start_helper(const char *program, pid_t pid, const struct id_range *ranges,
                          unsigned n) {
    char numbers[1 + 2 * 3][16];
    char *argv[9] = {(char *)program};
    char *env[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
    posix_spawn_file_actions_t actions;
    pid_t helper;
    int r;

    snprintf(numbers[0], sizeof numbers[0], "%d", (int)pid);
    argv[1] = numbers[0];
    for (unsigned i = 0; i < n; i++) {
        const uint32_t values[3] = {ranges[i].inside, ranges[i].outside, ranges[i].count};

        for (unsigned j = 0; j < 3; j++) {
            snprintf(numbers[1 + 3 * i + j], sizeof numbers[0], "%" PRIu32, values[j]);
            argv[2 + 3 * i + j] = numbers[1 + 3 * i + j];
        }
    }
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    r = posix_spawnp(&helper, program, &actions, NULL, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    return r ? -r : helper;
}

static bool helper_succeeded(pid_t helper) {
    int status;

    if (helper < 0)
        return false;
    while (waitpid(helper, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return status == 0;
}

static int map_with_helpers(const struct idmap *map, pid_t pid, struct err *err) {
    pid_t u = start_helper("newuidmap", pid, map->uids, map->n_uids);
    pid_t g = start_helper("newgidmap", pid, map->gids, map->n_gids);
    bool u_done = helper_succeeded(u), g_done = helper_succeeded(g);

    if (u_done && g_done)
        return 0;
    return err_set(err, USERNS_UNMAPPABLE,
                   "%s refused the ids of %s: it has to be set-uid root (apt-get install uidmap) "
                   "and the ranges there to be yours",
                   u_done ? "newgidmap" : "newuidmap", u_done ? "/etc/subgid" : "/etc/subuid");
}

int userns_map(const struct idmap *map, pid_t pid, struct err *err) {
    int r;

    if (map->mode == IDMAP_HOST)
        return 0;
    if (map->mode == IDMAP_SUBUID)
        return map_with_helpers(map, pid, err);
    if (map->mode == IDMAP_SINGLE) {
        r = write_file(pid, "setgroups", "deny");
        if (r < 0) {
            errno = -r;
            return err_errno(err, "cannot give up setgroups for the container");
        }
    }
    r = write_map(pid, "uid_map", map->uids, map->n_uids, err);
    if (r == 0)
        r = write_map(pid, "gid_map", map->gids, map->n_gids, err);
    return r == -EPERM && map->mode != IDMAP_SINGLE ? USERNS_UNMAPPABLE : r;
}

/* As they are inside: the outer namespace has the same ids. */
static void make_inner(const struct id_range *ranges, unsigned n, struct id_range *ret) {
    for (unsigned i = 0; i < n; i++)
        ret[i] = (struct id_range){ranges[i].inside, ranges[i].inside, ranges[i].count};
}

/* NOLINTBEGIN(clang-analyzer-unix.Vfork,clang-analyzer-security.insecureAPI.vfork): as in
 * spawn_within() */
int userns_map_within(int owner_fd, const struct idmap *map, pid_t pid, struct err *err) {
    struct idmap inner = *map;
    volatile int r = 0;
    pid_t helper;

    /* Who writes a map has to have opened it in the outer namespace. */
    inner.mode = map->mode == IDMAP_SINGLE ? IDMAP_SINGLE : IDMAP_IDENTITY;
    make_inner(map->uids, map->n_uids, inner.uids);
    make_inner(map->gids, map->n_gids, inner.gids);
    helper = vfork();
    if (helper < 0)
        return err_errno(err, "cannot make a process");
    if (helper == 0) {
        r = setns(owner_fd, CLONE_NEWUSER) < 0 ? err_errno(err, "the network's user namespace")
                                               : userns_map(&inner, pid, err);
        _exit(0);
    }
    while (waitpid(helper, NULL, 0) < 0 && errno == EINTR)
        ;
    return r == USERNS_UNMAPPABLE ? -EPERM : r;
}
/* NOLINTEND(clang-analyzer-unix.Vfork,clang-analyzer-security.insecureAPI.vfork) */

/* The child of userns_make(): is there, without a lock or anything else of its parent's. */
static _Noreturn void hold_namespaces(pid_t parent) {
    (void)sys_close_range(0, ~0U);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getppid() == parent)
        pause();
    _exit(1);
}

int userns_make(const struct idmap *map, int *ret_net_fd, struct err *err) {
    _cleanup_close_ int pidfd = -1;
    pid_t self = getpid(), pid = spawn(CLONE_NEWUSER | CLONE_NEWNET, -1, &pidfd, err);
    char path[40];
    int r;

    if (pid < 0)
        return pid;
    if (pid == 0)
        hold_namespaces(self);
    r = userns_map(map, pid, err);
    if (r == 0) {
        snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
        *ret_net_fd = open(path, O_RDONLY | O_CLOEXEC);
        r = *ret_net_fd < 0 ? err_errno(err, "the bridge's network namespace") : 0;
    }
    kill(pid, SIGKILL);
    spawn_wait(pidfd);
    return r;
}

int userns_become_root(const struct idmap *map, struct err *err) {
    if (map->mode != IDMAP_SINGLE && setgroups(0, NULL) < 0)
        return err_errno(err, "cannot drop the supplementary groups");
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_errno(err, "cannot become root of the user namespace");
    return 0;
}

/* Of await_answer(): there was no answer; no error of a called function is this one. */
#define CALL_DIED INT_MIN

struct answer {
    int r;
    struct err err;
};

/* The child of userns_call(): asks for its maps, waits for them, does the work. */
static void answer_call(const struct idmap *map, bool in_userns, int socket_fd,
                        int (*function)(void *, struct err *), void *argument,
                        struct answer *answer) {
    char go;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (in_userns && unshare(CLONE_NEWUSER) < 0) {
        answer->r = err_errno(&answer->err, "cannot make a user namespace");
        return;
    }
    /* The stream's end instead of an answer: there is nobody left to work for. */
    if (fd_send(socket_fd, "r", 1, NULL, 0) < 0 ||
        fd_receive(socket_fd, &go, 1, NULL, 0, NULL, 0) != 1)
        _exit(1);
    if (in_userns)
        answer->r = userns_become_root(map, &answer->err);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (answer->r == 0)
        answer->r = function(argument, &answer->err);
}

/* The parent of userns_call(), until the answer is there. */
static int await_answer(const struct idmap *map, bool in_userns, pid_t pid, int socket_fd,
                        int interrupt_fd, struct err *err) {
    struct pollfd fds[2] = {{.fd = socket_fd, .events = POLLIN},
                            {.fd = interrupt_fd, .events = POLLIN}};
    struct answer answer = {0};
    ssize_t n = fd_receive(socket_fd, &answer, sizeof answer, NULL, 0, NULL, 0);
    int r = 0;

    /* One byte asks for the maps; a whole answer at once is a failure before that. */
    if (n == 1) {
        if (in_userns)
            r = userns_map(map, pid, err);
        if (r != 0)
            return r;
        if (fd_send(socket_fd, "g", 1, NULL, 0) < 0)
            return CALL_DIED;
        while (poll(fds, 2, -1) < 0 && errno == EINTR)
            ;
        if (!fds[0].revents)
            return err_set(err, -EINTR, "interrupted");
        n = fd_receive(socket_fd, &answer, sizeof answer, NULL, 0, NULL, 0);
    }
    if (n != sizeof answer)
        return CALL_DIED;
    if (answer.r != 0 && err)
        *err = answer.err;
    return answer.r;
}

static int call(const struct idmap *map, bool in_userns,
                int (*function)(void *argument, struct err *err), void *argument, int interrupt_fd,
                struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1;
    int pair[2], r, status = 0;
    pid_t pid;
    char rest;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    theirs = pair[1];
    pid = fork();
    if (pid < 0)
        return err_errno(err, "cannot make a process");
    if (pid == 0) {
        struct answer answer = {0};

        close(take_fd(ours));
        answer_call(map, in_userns, theirs, function, argument, &answer);
        _exit(fd_send(theirs, &answer, sizeof answer, NULL, 0) < 0);
    }
    close(take_fd(theirs));
    r = await_answer(map, in_userns, pid, ours, interrupt_fd, err);
    if (r != 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    /* Who keeps locks for it dies after it: the socket's end is the end of both. */
    while (r != 0 && fd_receive(ours, &rest, 1, NULL, 0, NULL, 0) > 0)
        ;
    if (r == CALL_DIED)
        return err_set(err, -EPIPE, "a helper process died (wait status %#x)", (unsigned)status);
    return r;
}

int userns_call(const struct idmap *map, int (*function)(void *argument, struct err *err),
                void *argument, int interrupt_fd, struct err *err) {
    return call(map, map->mode == IDMAP_SUBUID, function, argument, interrupt_fd, err);
}

int userns_call_as_root(const struct idmap *map, int (*function)(void *argument, struct err *err),
                        void *argument, int interrupt_fd, struct err *err) {
    return call(map, map->mode == IDMAP_SUBUID || map->mode == IDMAP_SINGLE, function, argument,
                interrupt_fd, err);
}
