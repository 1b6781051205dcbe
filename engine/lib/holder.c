/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container of the library is held by a process of its own, the holder: the
 * parent of PID 1, which serves the network and unwinds at the end.  It is no
 * child of the caller's, since that may wait for its children as it likes; what
 * they share is a socket, whose end tells either side that the other is gone.
 *
 *   caller                             holder
 *   ------                             ------
 *   fork, clone -------------------->  session_start
 *   <---------- MESSAGE_READY with a pidfd, then the name (or MESSAGE_ERROR)
 *   MESSAGE_CLIENT, a descriptor ----> handed on to PID 1
 *   MESSAGE_ACTION, where to answer,
 *   a file with a name --------------> session_commit, answered there
 *   MESSAGE_ASK (ASK_PAUSE, _UNPAUSE),
 *   where to answer -----------------> cgroup_freeze, answered there
 *   <------------------ MESSAGE_ERROR  the container has ended by itself
 *   closes the socket                  session_end
 */
#include "holder.h"

#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/base/sys.h"
#include "engine/live/ask.h"
#include "engine/message.h"
#include "engine/session.h"
#include "engine/session_commit.h"
#include "library.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* What names may be is checked with the plan. */
#define NAME_BYTES_MAX 256
#define IMAGE_NAME_BYTES_MAX 4096
#define ID_BYTES_MAX 256
/* ThreadSanitizer's own clone(2) leaves what it starts on the stack of a caller that goes on. */
#ifdef __SANITIZE_THREAD__
#define SHARES_MEMORY false
#else
#define SHARES_MEMORY true
#endif

/* Address space, of which as much is used as the holder and the container's start need. */
#define STACK_BYTES (8U << 20)

/* --- the holder ------------------------------------------------------------------ */

static int report_start(int control_fd, const struct session *session, int r,
                        const struct err *err) {
    const struct message failure = {.kind = MESSAGE_ERROR, .err = *err};
    const struct message success = {.kind = MESSAGE_READY};
    const char *name = session->container.state.name;
    _cleanup_close_ int pidfd = -1;

    if (r != 0)
        return message_send(control_fd, &failure, NULL, 0);
    pidfd = sys_pidfd_open(getpid());
    if (pidfd < 0)
        return -errno;
    r = message_send(control_fd, &success, &pidfd, 1);
    return r < 0 ? r : fd_send(control_fd, name, strlen(name), NULL, 0);
}

/* Makes an image, as somebody asked on a connection of his own. */
static void commit(const struct session *session, int socket_fd, int name_fd) {
    struct message answer = {.kind = MESSAGE_DONE};
    _cleanup_free_ char *name = NULL, *id = NULL;
    int r = lseek(name_fd, 0, SEEK_SET) < 0
                ? -errno
                : fd_read_all(name_fd, IMAGE_NAME_BYTES_MAX, &name, NULL);

    if (r < 0)
        err_set(&answer.err, r, "the image's name did not come");
    else
        r = session_commit(session, name, &id, &answer.err);
    if (r < 0)
        answer.kind = MESSAGE_ERROR;
    if (message_send(socket_fd, &answer, NULL, 0) == 0 && r == 0)
        (void)fd_send(socket_fd, id, strlen(id), NULL, 0);
}

/* Stops all processes or lets them go on, as somebody asked on a connection of his own. */
static void freeze(const struct session *session, int socket_fd, bool freeze) {
    const struct cgroup *cgroup = session->container.cgroup;
    struct message answer = {.kind = MESSAGE_DONE};
    int r = freeze ? cgroup_freeze(cgroup, &answer.err) : cgroup_thaw(cgroup, &answer.err);

    if (r < 0)
        answer.kind = MESSAGE_ERROR;
    (void)message_send(socket_fd, &answer, NULL, 0);
}

/* Hands connections on until the caller is gone or the container has ended. */
static void serve(struct session *session, int control_fd) {
    struct err err = {0};
    int r = 0;

    while (r == 0) {
        int fds[2] = {-1, -1};
        struct message message;

        r = supervise_idle(&session->supervisor, control_fd, &err);
        if (r == 0 && message_receive(control_fd, &message, fds, 2, NULL) < 0)
            return;
        if (r == 0 && message.kind == MESSAGE_ACTION)
            commit(session, fds[0], fds[1]);
        else if (r == 0 && message.kind == MESSAGE_ASK)
            freeze(session, fds[0], message.index == ASK_PAUSE);
        else if (r == 0)
            r = session_introduce(session, fds[0], &err);
        for (int i = 0; i < 2; i++)
            if (fds[i] >= 0)
                close(fds[i]);
    }
    if (r < 0) {
        const struct message end = {.kind = MESSAGE_ERROR, .err = err};

        (void)message_send(control_fd, &end, NULL, 0);
    }
}

static void keep(const struct plan *plan, int fd) {
    static const struct run_hooks no_hooks;
    const struct session_request request = {
        .plan = plan,
        .hooks = &no_hooks,
        .signal_fd = -1,
        .deadline_nsec = CLOCK_NEVER,
        .takes_closures = true,
    };
    struct session session;
    struct err err = {0};
    int control_fd, r;

    setsid();
    control_fd = library_begin_child(NULL, fd);
    if (control_fd < 0)
        return;
    r = session_start(&session, &request, &err);
    if (report_start(control_fd, &session, r, &err) == 0 && r == 0)
        serve(&session, control_fd);
    if (r == 0)
        session_end(&session);
}

/* --- the caller ------------------------------------------------------------------ */

static int await_start(struct holder *holder, struct err *err) {
    char name[NAME_BYTES_MAX + 1] = "";
    struct message message;
    int r = message_receive(holder->control_fd, &message, &holder->pidfd, 1, NULL);
    ssize_t n;

    if (r < 0)
        return err_set(err, r, "the container's holder died");
    if (message.kind != MESSAGE_READY) {
        *err = message.err;
        return err->code < 0 ? err->code : err_set(err, -EPERM, "the container cannot be made");
    }
    n = fd_receive(holder->control_fd, name, NAME_BYTES_MAX, NULL, 0, NULL, 0);
    if (n <= 0)
        return err_set(err, -EPIPE, "the container's holder died");
    holder->name = strdup(name);
    return holder->name ? 0 : err_nomem(err);
}

struct keeper {
    const struct plan *plan;
    int fd;
};

static int begin_keeping(void *argument) {
    const struct keeper *keeper = argument;

    keep(keeper->plan, keeper->fd);
    _exit(0);
}

/*
 * In a child of the caller's: the holder, which may not be the caller's own child, as that would
 * be in its way.  It takes over this process's memory instead of a second copy, on a stack of its
 * own.  The C library keeps a thread's number in memory, where it has told the kernel to put it:
 * there goes the holder's.  Kernels without PR_GET_TID_ADDRESS do not tell where that is.
 */
static void hand_over(struct keeper *keeper) {
    char *stack = SHARES_MEMORY
                      ? mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0)
                      : MAP_FAILED;
    pid_t *number = NULL;

    if (stack == MAP_FAILED || prctl(PR_GET_TID_ADDRESS, &number) < 0 || !number) {
        if (fork() == 0)
            begin_keeping(keeper);
        return;
    }
    (void)madvise(stack, STACK_BYTES, MADV_NOHUGEPAGE);
    /* Else this process's end would strike it out. */
    (void)syscall(SYS_set_tid_address, NULL);
    (void)clone(begin_keeping, stack + STACK_BYTES, CLONE_VM | CLONE_CHILD_SETTID | SIGCHLD, keeper,
                NULL, NULL, number);
}

int holder_start(struct holder *holder, const struct plan *plan, struct err *err) {
    int pair[2];
    pid_t pid;

    *holder = HOLDER_INIT;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    holder->control_fd = pair[0];
    pid = fork();
    if (pid == 0) {
        struct keeper keeper = {plan, pair[1]};

        hand_over(&keeper);
        _exit(0);
    }
    close(pair[1]);
    if (pid < 0)
        return err_errno(err, "cannot make a process for the container");
    /* -1 when the caller ignores its children's ends, or has waited for it itself. */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    return await_start(holder, err);
}

int holder_connect(const struct holder *holder, struct err *err) {
    const struct message message = {.kind = MESSAGE_CLIENT};
    _cleanup_close_ int ours = -1, theirs = -1;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    theirs = pair[1];
    if (message_send(holder->control_fd, &message, &theirs, 1) < 0)
        return err_set(err, -EPIPE, "the container has ended");
    return take_fd(ours);
}

/*
 * Asks the holder, with a new socket and @file_fd (-1: nothing else) for company, and takes its
 * answer.  Return: our end of the socket, or -errno with a text.
 */
static int ask(const struct holder *holder, const struct message *message, int file_fd,
               struct err *err) {
    _cleanup_close_ int ours = -1, theirs = -1;
    struct message answer;
    int pair[2], r;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return err_errno(err, "cannot make a socket");
    ours = pair[0];
    theirs = pair[1];
    r = message_send(holder->control_fd, message, (int[]){theirs, file_fd}, file_fd < 0 ? 1 : 2);
    close(take_fd(theirs));
    if (r == 0)
        r = message_receive(ours, &answer, NULL, 0, NULL);
    if (r < 0)
        return err_set(err, -EPIPE, "the container has ended");
    if (answer.kind != MESSAGE_DONE) {
        *err = answer.err;
        return err->code < 0 ? err->code : err_set(err, -EPROTO, "the container's holder refused");
    }
    return take_fd(ours);
}

int holder_commit(const struct holder *holder, const char *name, char **ret_id, struct err *err) {
    const struct message message = {.kind = MESSAGE_ACTION};
    _cleanup_close_ int name_fd = memfd_create("name", MFD_CLOEXEC), socket_fd = -1;
    char id[ID_BYTES_MAX + 1] = "";

    if (name_fd < 0 || fd_write_all(name_fd, name, strlen(name)) < 0)
        return err_errno(err, "cannot ask for an image");
    socket_fd = ask(holder, &message, name_fd, err);
    if (socket_fd < 0)
        return socket_fd;
    if (fd_receive(socket_fd, id, ID_BYTES_MAX, NULL, 0, NULL, 0) <= 0)
        return err_set(err, -EPIPE, "the container has ended");
    *ret_id = strdup(id);
    return *ret_id ? 0 : err_nomem(err);
}

int holder_freeze(const struct holder *holder, bool freeze, struct err *err) {
    const struct message message = {.kind = MESSAGE_ASK, .index = freeze ? ASK_PAUSE : ASK_UNPAUSE};
    _cleanup_close_ int socket_fd = ask(holder, &message, -1, err);

    return socket_fd < 0 ? socket_fd : 0;
}

void holder_reason(const struct holder *holder, struct err *err) {
    struct message message;

    /* Left in the socket, as it is what says that the container has ended. */
    if (recv(holder->control_fd, &message, sizeof message, MSG_PEEK | MSG_DONTWAIT) ==
            (ssize_t)sizeof message &&
        message.kind == MESSAGE_ERROR) {
        *err = message.err;
        err->message[sizeof err->message - 1] = '\0';
    } else {
        err_set(err, -EPIPE, "the container's holder died");
    }
}

void holder_end(struct holder *holder) {
    struct pollfd end = {.fd = holder->pidfd, .events = POLLIN};

    if (holder->control_fd >= 0)
        close(take_fd(holder->control_fd));
    while (end.fd >= 0 && poll(&end, 1, -1) < 0 && errno == EINTR)
        ;
    if (holder->pidfd >= 0)
        close(take_fd(holder->pidfd));
    free(holder->name);
    holder->name = NULL;
}
