/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "engine/state.h"
#include "scratch.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

static struct scratch scratch;
static const struct idmap map = {.mode = IDMAP_SINGLE};

static void setup(void) {
    scratch_init(&scratch);
}

static void teardown(void) {
    scratch_done(&scratch);
}

TestSuite(state, .init = setup, .fini = teardown);

static bool exists(const char *path) {
    return faccessat(scratch.fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether the only run is known to be alive without a look at all of the kernel's locks. */
static bool is_marked(void) {
    _cleanup_close_ int runs = openat(scratch.store.fd, "runs", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
                        fd = -1;
    struct flock mark = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    _cleanup_closedir_ DIR *dir = fdopendir(dup(runs));
    struct dirent *entry;

    while ((entry = readdir(dir)) && str_is_dots(entry->d_name))
        ;
    cr_assert_not_null(entry);
    fd = openat(runs, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_eq(fcntl(fd, F_GETLK, &mark), 0);
    return mark.l_type != F_UNLCK;
}

/* A process with a run, which does what @work does, says so, and is killed. */
static void run_and_be_killed(const char *name, int (*work)(struct state *state)) {
    int said[2], status;
    pid_t pid;
    char c;

    cr_assert_eq(pipe2(said, O_CLOEXEC), 0);
    pid = fork();
    cr_assert_geq(pid, 0);
    if (pid == 0) {
        struct state state = STATE_INIT;

        if (state_create(&state, &scratch.store, name, NULL) == 0 && work(&state) == 0 &&
            write(said[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(said[1]);
    cr_assert_eq(read(said[0], &c, 1), 1);
    close(said[0]);
    /* Alive, so not a leaving. */
    cr_assert(is_marked());
    state_clean(&scratch.store, &map, NULL);
    cr_assert_eq(scratch_count(&scratch, "runs"), 1);
    cr_assert_eq(kill(pid, SIGKILL), 0);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFSIGNALED(status));
    cr_assert_not(is_marked());
}

Test(state, two_runs_do_not_meet) {
    struct state a = STATE_INIT, b = STATE_INIT;

    cr_assert_eq(state_create(&a, &scratch.store, NULL, NULL), 0);
    cr_assert_eq(state_create(&b, &scratch.store, NULL, NULL), 0);
    cr_expect_str_neq(a.name, b.name);
    state_clean(&scratch.store, &map, NULL);
    cr_expect_eq(scratch_count(&scratch, "runs"), 2);
    cr_assert_eq(mkdirat(a.fd, "upper", 0), 0);
    cr_assert_eq(state_destroy(&a, &map, NULL), 0);
    cr_expect_eq(scratch_count(&scratch, "runs"), 1);
    cr_assert_eq(state_destroy(&b, &map, NULL), 0);
    cr_expect_eq(scratch_count(&scratch, "runs"), 0);
    cr_expect(a.fd == -1 && a.runs_fd == -1 && !a.name);
    cr_expect_eq(state_destroy(&b, &map, NULL), 0, "once more is no error");
}

Test(state, name_in_use) {
    struct state a = STATE_INIT, b = STATE_INIT;
    struct err err = {0};

    cr_assert_eq(state_create(&a, &scratch.store, "twin", NULL), 0);
    cr_assert_str_eq(a.name, "twin");
    cr_assert_eq(state_create(&b, &scratch.store, "twin", &err), -EBUSY);
    cr_expect_not_null(strstr(err.message, "twin"));
    cr_expect_not_null(strstr(err.message, "--name"));
    cr_expect(b.fd == -1 && b.runs_fd == -1, "nothing is left open");
    cr_assert_eq(state_destroy(&a, &map, NULL), 0);
    cr_assert_eq(state_create(&b, &scratch.store, "twin", &err), 0, "%s", err.message);
    cr_assert_eq(state_destroy(&b, &map, NULL), 0);
}

static int make_things(struct state *state) {
    char path[512];
    int r = mkdirat(state->fd, "upper", 0700) < 0 || mkdirat(state->fd, "upper/locked", 0) < 0 ||
            mkdirat(scratch.fd, "half", 0700) < 0 || mkdirat(scratch.fd, "half/a", 0500) < 0;

    for (int i = 0; r == 0 && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", scratch.path, i ? "gone" : "half");
        r = state_note_tree(state, path, NULL);
    }
    return r;
}

Test(state, what_a_killed_run_left_is_removed) {
    run_and_be_killed(NULL, make_things);
    cr_assert(exists("half"));
    state_clean(&scratch.store, &map, NULL);
    cr_expect_not(exists("half"));
    cr_expect_eq(scratch_count(&scratch, "runs"), 0);
}

Test(state, a_killed_run_s_name_is_free_again_and_its_leavings_go) {
    struct state state = STATE_INIT;

    run_and_be_killed("again", make_things);
    /* Without cleaning in between. */
    cr_assert_eq(state_create(&state, &scratch.store, "again", NULL), 0);
    cr_expect_not(exists("half"));
    cr_expect_eq(faccessat(state.fd, "upper", F_OK, 0), -1);
    cr_assert_eq(state_destroy(&state, &map, NULL), 0);
}

static int make_and_forget(struct state *state) {
    int r = make_things(state);

    state_forget_trees(state);
    return r;
}

Test(state, what_was_struck_off_stays) {
    run_and_be_killed(NULL, make_and_forget);
    state_clean(&scratch.store, &map, NULL);
    cr_expect(exists("half"));
    cr_expect_eq(scratch_count(&scratch, "runs"), 0);
}

/* One whole entry, relative and empty ones, one that names a directory alone, and a cut one. */
static int write_odd_list(struct state *state) {
    _cleanup_close_ int fd = openat(state->fd, "undo", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    _cleanup_free_ char *whole = str_printf("%s/whole", scratch.path);
    _cleanup_free_ char *cut = str_printf("%s/cu", scratch.path);
    _cleanup_free_ char *slash = str_printf("%s/kept/", scratch.path);

    if (fd < 0 || chdir(scratch.path) < 0 || mkdirat(scratch.fd, "whole", 0700) < 0 ||
        mkdirat(scratch.fd, "cu", 0700) < 0 || mkdirat(scratch.fd, "cut", 0700) < 0 ||
        mkdirat(scratch.fd, "kept", 0700) < 0)
        return -1;
    return fd_write_all(fd, "kept", 5) < 0 || fd_write_all(fd, "", 1) < 0 ||
           fd_write_all(fd, slash, strlen(slash) + 1) < 0 ||
           fd_write_all(fd, whole, strlen(whole) + 1) < 0 || fd_write_all(fd, cut, strlen(cut)) < 0;
}

Test(state, list_that_was_cut_short) {
    run_and_be_killed(NULL, write_odd_list);
    cr_assert_eq(chdir(scratch.path), 0);
    state_clean(&scratch.store, &map, NULL);
    cr_assert_eq(chdir("/"), 0);
    cr_expect_not(exists("whole"));
    cr_expect(exists("cu"));
    cr_expect(exists("cut"));
    cr_expect(exists("kept"));
    cr_expect_eq(scratch_count(&scratch, "runs"), 0);
}

static int write_link(struct state *state) {
    return mkdirat(scratch.fd, "target", 0700) < 0 || mkdirat(scratch.fd, "target/in", 0700) < 0 ||
           symlinkat("target", scratch.fd, "link") < 0 ||
           symlinkat(scratch.path, state->fd, "undo") < 0;
}

/* A link in the place of the list, or of what is on it, is not followed to more than itself. */
Test(state, links_are_removed_as_links) {
    _cleanup_free_ char *link = str_printf("%s/link", scratch.path);
    struct state state = STATE_INIT;

    run_and_be_killed(NULL, write_link);
    state_clean(&scratch.store, &map, NULL);
    cr_expect(exists("target/in"));
    cr_expect_eq(scratch_count(&scratch, "runs"), 0);
    cr_assert_eq(state_create(&state, &scratch.store, "one", NULL), 0);
    cr_assert_eq(state_note_tree(&state, link, NULL), 0);
    /* As the kernel would at the process's end. */
    close(take_fd(state.fd));
    state_clean(&scratch.store, &map, NULL);
    cr_expect_not(exists("link"));
    cr_expect(exists("target/in"));
    close(state.runs_fd);
    free(state.name);
}

Test(state, errors_name_the_store) {
    struct state state = STATE_INIT;
    struct err err = {0};

    cr_assert_eq(fd_remove_tree(scratch.store.fd, "runs"), 0);
    cr_expect_eq(state_create(&state, &scratch.store, NULL, &err), -ENOENT);
    cr_expect_not_null(strstr(err.message, scratch.store.path), "%s", err.message);
    /* Nothing to clean, and no reason to complain. */
    state_clean(&scratch.store, &map, NULL);
    cr_assert_eq(mkdirat(scratch.store.fd, "runs", 0700), 0);
}
