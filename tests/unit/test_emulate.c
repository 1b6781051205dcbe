/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "engine/confine/emulate.h"
#include "engine/confine/seccomp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A scene is played by a process under the emulation, in a user namespace with a
 * single id; its parent answers, as PID 1 of a container would.
 */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(2, "line %d: %s (errno %d)\n", __LINE__, #condition, errno);                   \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define SKIPPED 77

static const struct user *start_as;
static bool confined;

static bool write_text(const char *path, const char *text) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

    return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

static void enter_namespace(void) {
    char uid_map[40], gid_map[40];

    snprintf(uid_map, sizeof uid_map, "0 %u 1\n", geteuid());
    snprintf(gid_map, sizeof gid_map, "0 %u 1\n", getegid());
    if (unshare(CLONE_NEWUSER) < 0)
        _exit(SKIPPED);
    NEED(write_text("/proc/self/setgroups", "deny"));
    NEED(write_text("/proc/self/uid_map", uid_map));
    NEED(write_text("/proc/self/gid_map", gid_map));
}

static void serve(void (*scene)(void)) {
    struct emulator *emulator = NULL;
    struct err err = {0};
    int go[2], status = 0, notify_fd;
    struct pollfd fds[2];
    char c;
    pid_t pid;

    enter_namespace();
    NEED(pipe2(go, O_CLOEXEC) == 0);
    notify_fd = seccomp_install(seccomp_builtin(confined, true), true);
    NEED(notify_fd >= 0);
    if (emulator_new(&emulator, notify_fd, &err) < 0) {
        dprintf(2, "%s\n", err.message);
        _exit(1);
    }
    pid = fork();
    NEED(pid >= 0);
    if (pid == 0) {
        NEED(read(go[0], &c, 1) == 1);
        scene();
        _exit(0);
    }
    if (start_as)
        emulator_set(emulator, pid, start_as);
    NEED(write(go[1], "x", 1) == 1);
    fds[0] = (struct pollfd){.fd = emulator_fd(emulator), .events = POLLIN};
    fds[1] = (struct pollfd){.fd = sys_pidfd_open(pid), .events = POLLIN};
    while (poll(fds, 2, -1) > 0 && !fds[1].revents)
        emulator_dispatch(emulator);
    NEED(waitpid(pid, &status, 0) == pid);
    emulator_reap(emulator, pid);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 2);
}

static void play_once(void (*scene)(void), const struct user *user) {
    pid_t pid = fork();
    int status;

    cr_assert_geq(pid, 0);
    if (pid == 0) {
        alarm(60);
        start_as = user;
        serve(scene);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        cr_skip_test("user namespaces are forbidden here");
    cr_assert_eq(status, 0, "wait status %#x, %s", (unsigned)status,
                 confined ? "confined" : "unconfined");
}

/* Once with the emulation alone, once with the default filter's other rules beside it. */
static void play(void (*scene)(void), const struct user *user) {
    confined = false;
    play_once(scene, user);
    confined = true;
    play_once(scene, user);
}

static void expect_uids(uid_t real, uid_t effective, uid_t saved) {
    uid_t r = 99, e = 99, s = 99;

    NEED(getresuid(&r, &e, &s) == 0);
    NEED(r == real && e == effective && s == saved);
    NEED(getuid() == real && geteuid() == effective);
}

static void expect_gids(gid_t real, gid_t effective, gid_t saved) {
    gid_t r = 99, e = 99, s = 99;

    NEED(getresgid(&r, &e, &s) == 0);
    NEED(r == real && e == effective && s == saved);
    NEED(getgid() == real && getegid() == effective);
}

static void root_at_first(void) {
    expect_uids(0, 0, 0);
    expect_gids(0, 0, 0);
    NEED(getgroups(0, NULL) == 0);
}

Test(emulate, root_at_first) {
    play(root_at_first, NULL);
}

static void owners(void) {
    char path[] = "/tmp/mayfly-test-emulate-XXXXXX";
    int fd = mkstemp(path);
    struct stat st;

    NEED(fd >= 0);
    NEED(chown(path, 1, 2) == 0);
    NEED(fchown(fd, 100, 100) == 0);
    NEED(lchown(path, 0, 0) == 0);
    NEED(fchownat(AT_FDCWD, path, 65534, 65534, 0) == 0);
    NEED(fstat(fd, &st) == 0 && st.st_uid == 0);
    NEED(unlink(path) == 0);
}

Test(emulate, every_owner_is_taken) {
    play(owners, NULL);
}

static void drop_for_good(void) {
    const gid_t groups[] = {10, 20, 30};
    gid_t got[8];

    NEED(setgroups(3, groups) == 0);
    NEED(getgroups(0, NULL) == 3);
    NEED(getgroups(2, got) < 0 && errno == EINVAL);
    NEED(getgroups(8, got) == 3 && memcmp(got, groups, sizeof groups) == 0);
    NEED(setresgid(500, 500, 500) == 0);
    NEED(setresuid(1000, 1000, 1000) == 0);
    expect_uids(1000, 1000, 1000);
    expect_gids(500, 500, 500);
    /* What programs check for before they trust that they have dropped. */
    NEED(setuid(0) < 0 && errno == EPERM);
    NEED(seteuid(0) < 0 && errno == EPERM);
    NEED(setreuid(0, (uid_t)-1) < 0 && errno == EPERM);
    NEED(setresuid((uid_t)-1, (uid_t)-1, 0) < 0 && errno == EPERM);
    NEED(setgid(0) < 0 && errno == EPERM);
    NEED(setresgid(0, 0, 0) < 0 && errno == EPERM);
    NEED(setgroups(0, NULL) < 0 && errno == EPERM);
    expect_uids(1000, 1000, 1000);
    expect_gids(500, 500, 500);
    NEED(getgroups(0, NULL) == 3);
    NEED(setuid(1000) == 0);
}

Test(emulate, regaining_root_is_refused) {
    play(drop_for_good, NULL);
}

static void drop_for_a_while(void) {
    NEED(seteuid(7) == 0);
    expect_uids(0, 7, 0);
    NEED(setuid(8) < 0 && errno == EPERM);
    NEED(seteuid(0) == 0);
    expect_uids(0, 0, 0);
    NEED(setreuid(5, 6) == 0);
    expect_uids(5, 6, 6);
    NEED(setreuid(6, 5) == 0);
    expect_uids(6, 5, 5);
    NEED(setresuid((uid_t)-1, 6, (uid_t)-1) == 0);
    expect_uids(6, 6, 5);
    NEED(syscall(SYS_setuid, -1) < 0 && errno == EINVAL);
    NEED(setegid(9) == 0 || errno == EPERM);
}

Test(emulate, saved_ids) {
    play(drop_for_a_while, NULL);
}

static void expect_child_good(pid_t pid) {
    int status;

    NEED(pid > 0);
    NEED(waitpid(pid, &status, 0) == pid);
    NEED(status == 0);
}

static void descendants(void) {
    pid_t pid;

    NEED(setresgid(500, 500, 500) == 0 && setresuid(1000, 1000, 1000) == 0);
    pid = fork();
    if (pid == 0) {
        pid_t grandchild;

        expect_uids(1000, 1000, 1000);
        grandchild = fork();
        if (grandchild == 0) {
            expect_uids(1000, 1000, 1000);
            expect_gids(500, 500, 500);
            NEED(setuid(0) < 0 && errno == EPERM);
            _exit(0);
        }
        expect_child_good(grandchild);
        _exit(0);
    }
    expect_child_good(pid);
    expect_uids(1000, 1000, 1000);
}

Test(emulate, children_are_what_their_parents_are) {
    play(descendants, NULL);
}

static void child_alone(void) {
    pid_t pid = fork();

    if (pid == 0) {
        NEED(setuid(33) == 0);
        expect_uids(33, 33, 33);
        _exit(0);
    }
    expect_child_good(pid);
    expect_uids(0, 0, 0);
    /* A pid that comes again would be somebody else's. */
    for (int i = 0; i < 300; i++) {
        pid = fork();
        if (pid == 0) {
            expect_uids(0, 0, 0);
            NEED(setuid(1 + (uid_t)i) == 0);
            expect_uids(1 + (uid_t)i, 1 + (uid_t)i, 1 + (uid_t)i);
            _exit(0);
        }
        expect_child_good(pid);
    }
    expect_uids(0, 0, 0);
}

Test(emulate, a_child_changes_itself_alone) {
    play(child_alone, NULL);
}

static void *in_thread(void *argument) {
    expect_uids(1000, 1000, 1000);
    NEED(setuid(0) < 0 && errno == EPERM);
    return argument;
}

static void threads(void) {
    pthread_t thread;

    NEED(syscall(SYS_setresuid, 1000, 1000, 1000) == 0);
    NEED(pthread_create(&thread, NULL, in_thread, NULL) == 0);
    NEED(pthread_join(thread, NULL) == 0);
    expect_uids(1000, 1000, 1000);
}

Test(emulate, threads_are_their_process) {
    play(threads, NULL);
}

static void bad_memory(void) {
    char *nowhere = NULL;

    NEED(setuid(4) == 0);
    NEED(syscall(SYS_getresuid, nowhere + 8, nowhere + 8, nowhere + 8) < 0 && errno == EFAULT);
    NEED(syscall(SYS_setgroups, 3, nowhere + 8) < 0 && errno == EPERM);
    expect_uids(4, 4, 4);
}

static void bad_memory_of_root(void) {
    gid_t many[USER_MAX_GROUPS + 1] = {0};
    char *nowhere = NULL;

    NEED(syscall(SYS_setgroups, 3, nowhere + 8) < 0 && errno == EFAULT);
    NEED(setgroups(USER_MAX_GROUPS + 1, many) < 0 && errno == EINVAL);
    NEED(syscall(SYS_setgroups, -1, many) < 0 && errno == EINVAL);
    NEED(syscall(SYS_getgroups, -1, many) < 0 && errno == EINVAL);
    NEED(getgroups(0, NULL) == 0);
}

Test(emulate, bad_memory_is_an_error) {
    play(bad_memory, NULL);
    play(bad_memory_of_root, NULL);
}

static void begins_as_user(void) {
    gid_t groups[4];

    expect_uids(1000, 1000, 1000);
    expect_gids(1001, 1001, 1001);
    NEED(getgroups(4, groups) == 2 && groups[0] == 29 && groups[1] == 44);
    NEED(setuid(0) < 0 && errno == EPERM);
}

Test(emulate, begins_as_another_user) {
    const struct user user = {.uid = 1000, .gid = 1001, .groups = {29, 44}, .n_groups = 2};

    play(begins_as_user, &user);
}

/* A caller that is killed while it asks, again and again, does not stop the others' answers. */
static void killed_callers(void) {
    NEED(setuid(3) == 0);
    for (int i = 0; i < 50; i++) {
        pid_t pid = fork();

        if (pid == 0)
            for (;;)
                getuid();
        NEED(pid > 0 && getuid() == 3);
        NEED(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
    }
    expect_uids(3, 3, 3);
}

Test(emulate, callers_that_are_killed) {
    play(killed_callers, NULL);
}

#ifdef __x86_64__
/* libseccomp's own choice for another architecture is to kill. */
static void other_architecture(void) {
    long pid;

    __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
    NEED(pid == getpid() || pid == -ENOSYS);
}

Test(emulate, programs_of_32_bits_live) {
    play(other_architecture, NULL);
}
#endif
