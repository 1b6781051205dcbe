/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/sys.h"
#include "rootfs/bind.h"
#include "rootfs/overlay.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * Each scene is played in a process of its own, root of a new user namespace
 * with a mount namespace, in a directory of the test's own.
 */
#define NEED(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            dprintf(2, "line %d: %s (errno %d: %s)\n", __LINE__, #condition, errno, err.message);  \
            _exit(1);                                                                              \
        }                                                                                          \
    } while (0)

#define SKIPPED 77

static struct scratch scratch;
static struct err err;

static bool write_text(const char *path, const char *text) {
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    return fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0;
}

static bool reads(int dir_fd, const char *path, const char *expected) {
    _cleanup_free_ char *text = NULL;

    return fd_read_file(dir_fd, path, 4096, &text, NULL) == 0 && strcmp(text, expected) == 0;
}

static void play(void (*scene)(void)) {
    pid_t pid;
    int status;

    scratch_init(&scratch);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        char uid_map[40], gid_map[40];

        alarm(60);
        snprintf(uid_map, sizeof uid_map, "0 %u 1\n", geteuid());
        snprintf(gid_map, sizeof gid_map, "0 %u 1\n", getegid());
        if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
            _exit(SKIPPED);
        NEED(write_text("/proc/self/setgroups", "deny"));
        NEED(write_text("/proc/self/uid_map", uid_map));
        NEED(write_text("/proc/self/gid_map", gid_map));
        NEED(chdir(scratch.path) == 0);
        scene();
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    scratch_done(&scratch);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
        cr_skip_test("user namespaces are forbidden here");
    cr_assert_eq(status, 0, "wait status %#x", (unsigned)status);
}

static int open_dir(const char *path) {
    int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

    NEED(fd >= 0);
    return fd;
}

static void make_root(void) {
    NEED(mkdir("root", 0755) == 0 && mkdir("root/etc", 0755) == 0 && mkdir("outside", 0755) == 0);
    NEED(write_text("root/etc/file", "image"));
    NEED(symlink("/etc", "root/absolute") == 0 && symlink("../../../../etc", "root/up") == 0);
    NEED(symlink("/nowhere/yet", "root/dangling") == 0);
    NEED(symlink("/proc/self/root", "root/magic") == 0);
}

static bool same(int fd, const char *path) {
    struct stat a, b;

    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_ino == b.st_ino;
}

static void targets(void) {
    static const char *const to_etc[] = {"/etc", "/absolute", "/up", "/../../etc", "/etc/../etc/."};
    int root, fd;

    make_root();
    root = open_dir("root");
    for (size_t i = 0; i < N_ELEMENTS(to_etc); i++) {
        fd = bind_target(root, to_etc[i], true, &err);
        NEED(fd >= 0 && same(fd, "root/etc"));
        close(fd);
    }
    /* What is missing is made, inside. */
    fd = bind_target(root, "/../new/deep/dir", true, &err);
    NEED(fd >= 0 && same(fd, "root/new/deep/dir"));
    fd = bind_target(root, "/absolute/made/file", false, &err);
    NEED(fd >= 0 && same(fd, "root/etc/made/file"));
    fd = bind_target(root, "/etc/file", false, &err);
    NEED(fd >= 0 && reads(AT_FDCWD, "root/etc/file", "image"));
    NEED(access("/nowhere", F_OK) < 0 && access("/new", F_OK) < 0);
}

Test(bind, targets_stay_inside) {
    play(targets);
}

static void bad_targets(void) {
    char name[NAME_MAX + 3];
    int root;

    make_root();
    root = open_dir("root");
    NEED(bind_target(root, "/etc/file", true, &err) == -ENOTDIR);
    NEED(strstr(err.message, "/etc/file"));
    NEED(bind_target(root, "/etc", false, &err) == -EISDIR);
    NEED(bind_target(root, "/magic", true, &err) < 0);
    NEED(bind_target(root, "/etc/file/below", true, &err) == -ENOTDIR);
    NEED(bind_target(root, "/etc/file/below", false, &err) == -ENOTDIR);
    NEED(bind_target(root, "/new/..", false, &err) < 0);
    memset(name, 'n', sizeof name - 1);
    name[0] = '/';
    name[sizeof name - 1] = '\0';
    NEED(bind_target(root, name, true, &err) == -ENAMETOOLONG);
    NEED(bind_target(root, name, false, &err) == -ENAMETOOLONG);
    /* The kernel's own file systems are nobody's mount points. */
    NEED(mkdir("root/proc", 0755) == 0);
    NEED(mount("/proc", "root/proc", NULL, MS_BIND | MS_REC, NULL) == 0);
    NEED(bind_target(root, "/proc", true, &err) == -EPERM);
    NEED(bind_target(root, "/proc/sys/kernel", true, &err) == -EPERM);
    NEED(bind_target(root, "/proc/version", false, &err) == -EPERM);
    NEED(symlink("/proc/sys", "root/tosys") == 0);
    NEED(bind_target(root, "/tosys", true, &err) == -EPERM);
}

Test(bind, bad_targets_are_refused) {
    play(bad_targets);
}

static void clones(void) {
    int root, tree, target;

    make_root();
    NEED(write_text("outside/file", "host"));
    root = open_dir("root");
    tree = bind_clone(AT_FDCWD, "outside", false, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, -1);
    NEED(tree >= 0);
    NEED(fcntl(tree, F_GETFD) == FD_CLOEXEC);
    target = bind_target(root, "/absolute", true, &err);
    NEED(target >= 0 && bind_attach(tree, target) == 0);
    NEED(reads(root, "etc/file", "host"));
    NEED(openat(root, "etc/file", O_WRONLY | O_CLOEXEC) < 0 && errno == EROFS);
    NEED(access("outside/file", W_OK) == 0);
    NEED(bind_clone(AT_FDCWD, "none", false, 0, -1) == -ENOENT);
    /* A file on a file. */
    tree = bind_clone(AT_FDCWD, "outside/file", false, 0, -1);
    target = bind_target(root, "/a/new/file", false, &err);
    NEED(tree >= 0 && target >= 0 && bind_attach(tree, target) == 0);
    NEED(reads(root, "a/new/file", "host"));
    NEED(reads(AT_FDCWD, "root/a/new/file", "host"));
}

Test(bind, clones_are_attached_with_their_attributes) {
    play(clones);
}

/* What is mounted on a clone must not show up on what it was cloned from. */
static void private_clones(void) {
    int tree, on_tree;

    NEED(mkdir("shared", 0755) == 0);
    NEED(mount("tmpfs", "shared", "tmpfs", 0, NULL) == 0);
    NEED(mount(NULL, "shared", NULL, MS_SHARED, NULL) == 0);
    NEED(mkdir("shared/point", 0755) == 0 && mkdir("place", 0755) == 0);
    tree = bind_clone(AT_FDCWD, "shared", true, 0, -1);
    NEED(tree >= 0 && bind_attach(tree, open_dir("place")) == 0);
    on_tree = openat(tree, "point", O_PATH | O_DIRECTORY | O_CLOEXEC);
    NEED(on_tree >= 0);
    NEED(mount("tmpfs", "place/point", "tmpfs", 0, NULL) == 0);
    NEED(write_text("place/point/new", "x"));
    NEED(access("shared/point/new", F_OK) < 0);
}

Test(bind, clones_are_private) {
    play(private_clones);
}

static void layers(size_t n) {
    struct overlay overlay = {.n_lower = n, .upper_fd = -1, .work_fd = -1};
    int fds[OVERLAY_MAX_LOWER + 1];
    char name[64];
    int merged;

    NEED(mkdir("layers", 0755) == 0 && mkdir("merged", 0755) == 0);
    NEED(mount("tmpfs", "layers", "tmpfs", 0, NULL) == 0);
    NEED(mkdir("layers/upper", 0755) == 0 && mkdir("layers/work", 0755) == 0);
    for (size_t i = 0; i < n; i++) {
        /* Such names would have to be escaped if they were options. */
        snprintf(name, sizeof name, "layers/%zu:,\\=", i);
        NEED(mkdir(name, 0755) == 0);
        fds[i] = open_dir(name);
        snprintf(name, sizeof name, "layers/%zu:,\\=/top", i);
        NEED(write_text(name, name));
        snprintf(name, sizeof name, "layers/%zu:,\\=/%zu", i, i);
        NEED(write_text(name, "x"));
    }
    overlay.lower_fds = fds;
    overlay.upper_fd = open_dir("layers/upper");
    overlay.work_fd = open_dir("layers/work");
    if (n > OVERLAY_MAX_LOWER) {
        NEED(overlay_mount(&overlay, "merged", &err) == -E2BIG);
        return;
    }
    NEED(overlay_mount(&overlay, "merged", &err) == 0);
    merged = open_dir("merged");
    /* The last is the uppermost, and all are there. */
    snprintf(name, sizeof name, "layers/%zu:,\\=/top", n - 1);
    NEED(reads(merged, "top", name));
    for (size_t i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%zu", i);
        NEED(faccessat(merged, name, F_OK, 0) == 0);
    }
    NEED(unlinkat(merged, "top", 0) == 0);
    NEED(faccessat(merged, "top", F_OK, 0) < 0);
    snprintf(name, sizeof name, "layers/%zu:,\\=/top", n - 1);
    NEED(access(name, F_OK) == 0);
}

static void one_layer(void) {
    layers(1);
}

static void as_many_as_possible(void) {
    layers(OVERLAY_MAX_LOWER);
}

static void too_many(void) {
    layers(OVERLAY_MAX_LOWER + 1);
}

Test(overlay, of_one_layer) {
    play(one_layer);
}

Test(overlay, of_as_many_as_possible) {
    play(as_many_as_possible);
}

Test(overlay, of_too_many) {
    play(too_many);
}
