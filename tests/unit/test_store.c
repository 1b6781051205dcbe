/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "rootfs/store.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

Test(store, is_made_private_and_found_again) {
    static const char *const folders[] = {"layers", "images", "index", "tmp", "runs"};
    _cleanup_scratch_ struct scratch scratch;
    struct store again = STORE_INIT;
    struct stat st;
    char path[320];

    scratch_init(&scratch);
    for (size_t i = 0; i < N_ELEMENTS(folders); i++) {
        cr_assert_eq(fstatat(scratch.store.fd, folders[i], &st, 0), 0, "%s", folders[i]);
        cr_assert_eq(st.st_mode, S_IFDIR | 0700);
    }
    cr_assert_eq(fstatat(scratch.fd, "store", &st, 0), 0);
    cr_assert_eq(st.st_mode, S_IFDIR | 0700);
    snprintf(path, sizeof path, "%s/store", scratch.path);
    cr_assert_eq(store_open(&again, path, scratch_owners(), NULL), 0);
    cr_assert_str_eq(again.path, scratch.store.path);
    cr_assert_eq(again.max_image_bytes, STORE_IMAGE_BYTES_MAX);
    store_close(&again);
}

Test(store, kinds_stand_beside_each_other) {
    _cleanup_scratch_ struct scratch scratch;
    struct store other = STORE_INIT;
    char path[320];

    scratch_init(&scratch);
    snprintf(path, sizeof path, "%s/store", scratch.path);
    cr_assert_eq(store_open(&other, path, STORE_OWNERS_SUBUID, NULL), 0);
    cr_assert_str_neq(other.path, scratch.store.path);
    cr_assert_eq(faccessat(other.fd, "layers", W_OK, 0), 0);
    store_close(&other);
}

Test(store, makes_directories_on_the_way) {
    _cleanup_scratch_ struct scratch scratch;
    struct store deep = STORE_INIT;
    char path[320];

    scratch_init(&scratch);
    snprintf(path, sizeof path, "%s/a/b//c/", scratch.path);
    cr_assert_eq(store_open(&deep, path, STORE_OWNERS_SINGLE, NULL), 0);
    cr_assert_eq(faccessat(scratch.fd, "a/b/c/single/tmp", F_OK, 0), 0);
    store_close(&deep);
}

Test(store, follows_the_environment) {
    _cleanup_scratch_ struct scratch scratch;
    struct store store = STORE_INIT;
    char path[320];

    scratch_init(&scratch);
    snprintf(path, sizeof path, "%s/env", scratch.path);
    setenv("MAYFLY_STORE", path, 1);
    cr_assert_eq(store_open(&store, NULL, STORE_OWNERS_SINGLE, NULL), 0);
    cr_assert_eq(faccessat(scratch.fd, "env/single", F_OK, 0), 0);
    store_close(&store);
    /* A relative one is taken from the current directory, and its path is absolute. */
    cr_assert_eq(chdir(scratch.path), 0);
    setenv("MAYFLY_STORE", "relative", 1);
    cr_assert_eq(store_open(&store, NULL, STORE_OWNERS_SINGLE, NULL), 0);
    cr_assert_eq(store.path[0], '/');
    cr_assert_eq(faccessat(scratch.fd, "relative/single", F_OK, 0), 0);
    store_close(&store);
    cr_assert_eq(chdir("/"), 0);
    if (geteuid() != 0) {
        unsetenv("MAYFLY_STORE");
        setenv("XDG_DATA_HOME", scratch.path, 1);
        cr_assert_eq(store_open(&store, NULL, STORE_OWNERS_SINGLE, NULL), 0);
        cr_assert_eq(faccessat(scratch.fd, "mayfly/single", F_OK, 0), 0);
        store_close(&store);
    }
}

Test(store, one_that_cannot_be_says_how_to_mend_it) {
    _cleanup_scratch_ struct scratch scratch;
    struct store store = STORE_INIT;
    struct err err = {0};
    char path[320];

    scratch_init(&scratch);
    scratch_write(&scratch, "file", "x", 1);
    snprintf(path, sizeof path, "%s/file", scratch.path);
    cr_assert_eq(store_open(&store, path, STORE_OWNERS_SINGLE, &err), -ENOTDIR);
    cr_assert_not_null(strstr(err.message, path));
    cr_assert_not_null(strstr(err.message, "MAYFLY_STORE"), "%s", err.message);
    if (geteuid() != 0) {
        cr_assert_eq(mkdirat(scratch.fd, "locked", 0500), 0);
        snprintf(path, sizeof path, "%s/locked/store", scratch.path);
        cr_assert_eq(store_open(&store, path, STORE_OWNERS_SINGLE, &err), -EACCES);
        cr_assert_not_null(strstr(err.message, "MAYFLY_STORE"), "%s", err.message);
    }
    cr_assert_eq(store.fd, -1);
}

Test(store, work_leaves_nothing) {
    _cleanup_scratch_ struct scratch scratch;
    struct store_work work = STORE_WORK_INIT;

    scratch_init(&scratch);
    cr_assert_eq(store_work_begin(&scratch.store, "a", &work, NULL), 0);
    cr_assert_eq(mkdirat(work.fd, "tree", 0), 0);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 1);
    /* In use, so not a leaving. */
    cr_assert_eq(store_clean(&scratch.store), 0);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 1);
    store_work_end(&scratch.store, &work);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
    store_work_end(&scratch.store, &work);
}

/* A child that begins to work, makes a file, says so, and waits to be killed. */
static pid_t start_worker(struct scratch *scratch, const char *name) {
    int said[2];
    pid_t pid;
    char c;

    cr_assert_eq(pipe2(said, O_CLOEXEC), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct store_work work = STORE_WORK_INIT;

        if (store_work_begin(&scratch->store, name, &work, NULL) == 0 &&
            mkdirat(work.fd, "tree", 0700) == 0 && write(said[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(said[1]);
    cr_assert_eq(read(said[0], &c, 1), 1);
    close(said[0]);
    return pid;
}

static void kill_worker(pid_t pid) {
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
}

Test(store, what_a_killed_one_left_is_removed) {
    _cleanup_scratch_ struct scratch scratch;
    pid_t pid;

    scratch_init(&scratch);
    pid = start_worker(&scratch, "a");
    cr_assert_eq(store_clean(&scratch.store), 0);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 1);
    kill_worker(pid);
    cr_assert_eq(store_clean(&scratch.store), 0);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
}

/* Whether somebody waits for the lock on the file. */
static bool is_waited_for(ino_t inode) {
    _cleanup_free_ char *text = NULL;
    char wanted[32];

    snprintf(wanted, sizeof wanted, ":%llu 0 EOF", (unsigned long long)inode);
    if (fd_read_file(AT_FDCWD, "/proc/locks", 16U << 20, &text, NULL) < 0)
        return true;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        if (strstr(line, "-> FLOCK") && strstr(line, wanted))
            return true;
    return false;
}

/* A child of a killed process may hold its lock for a moment longer; it is waited for. */
Test(store, what_the_child_of_a_killed_one_still_holds_is_removed) {
    _cleanup_scratch_ struct scratch scratch;
    int said[2];
    pid_t pid;
    char c;

    scratch_init(&scratch);
    cr_assert_eq(pipe2(said, O_CLOEXEC), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct store_work work = STORE_WORK_INIT;
        struct stat st;

        if (store_work_begin(&scratch.store, "a", &work, NULL) < 0 || fstat(work.fd, &st) < 0)
            _exit(1);
        if (fork() == 0) {
            while (!is_waited_for(st.st_ino))
                sched_yield();
            _exit(0);
        }
        if (write(said[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    cr_assert_eq(read(said[0], &c, 1), 1);
    kill_worker(pid);
    cr_assert_eq(store_clean(&scratch.store), 0);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
    close(said[0]);
    close(said[1]);
}

Test(store, work_on_one_name_waits_for_the_other_and_begins_afresh) {
    _cleanup_scratch_ struct scratch scratch;
    struct store_work work = STORE_WORK_INIT;
    pid_t pid, killer;

    scratch_init(&scratch);
    pid = start_worker(&scratch, "a");
    killer = fork();
    cr_assert_geq(killer, 0);
    if (killer == 0) {
        kill(pid, SIGKILL);
        _exit(0);
    }
    cr_assert_eq(store_work_begin(&scratch.store, "a", &work, NULL), 0);
    /* It got the lock, so the other is gone, and so is what it made. */
    cr_assert_eq(faccessat(work.fd, "tree", F_OK, 0), -1);
    store_work_end(&scratch.store, &work);
    cr_assert_eq(waitpid(killer, NULL, 0), killer);
    cr_assert_eq(waitpid(pid, NULL, 0), pid);
    cr_assert_eq(scratch_count(&scratch, "tmp"), 0);
}

Test(store, publish_keeps_what_is_there) {
    _cleanup_scratch_ struct scratch scratch;
    struct store_work work = STORE_WORK_INIT;

    scratch_init(&scratch);
    cr_assert_eq(store_work_begin(&scratch.store, "a", &work, NULL), 0);
    cr_assert_eq(mkdirat(work.fd, "tree", 0700), 0);
    cr_assert_eq(mkdirat(work.fd, "tree/first", 0700), 0);
    cr_assert_eq(store_publish(&scratch.store, &work, "tree", "layers/x", NULL), 0);
    cr_assert_eq(mkdirat(work.fd, "tree", 0700), 0);
    cr_assert_eq(store_publish(&scratch.store, &work, "tree", "layers/x", NULL), 0);
    store_work_end(&scratch.store, &work);
    cr_assert_eq(faccessat(scratch.store.fd, "layers/x/first", F_OK, 0), 0);
    cr_assert_eq(store_sync_folder(&scratch.store, "layers", NULL), 0);
}
