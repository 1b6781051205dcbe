/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/userns.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct idmap plain = {.mode = IDMAP_SINGLE};

static int add(void *argument, struct err *err) {
    const int *numbers = argument;

    (void)err;
    return numbers[0] + numbers[1];
}

static int fail(void *argument, struct err *err) {
    return err_set(err, -ENOSPC, "no room for %s", (const char *)argument);
}

static int fail_silently(void *argument, struct err *err) {
    (void)argument;
    (void)err;
    return -ENOTDIR;
}

static int die(void *argument, struct err *err) {
    (void)err;
    raise(*(int *)argument);
    return 0;
}

static int leave(void *argument, struct err *err) {
    (void)err;
    _exit(*(int *)argument);
    return 0;
}

static int sleep_for_ever(void *argument, struct err *err) {
    (void)argument;
    (void)err;
    pause();
    return 0;
}

static void expect_no_child(void) {
    cr_expect_eq(waitpid(-1, NULL, WNOHANG), -1);
    cr_expect_eq(errno, ECHILD);
}

static int lowest_free(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    close(fd);
    return fd;
}

Test(userns, call_brings_the_answer_back) {
    int before = lowest_free();
    struct err err = {0};

    cr_expect_eq(userns_call(&plain, add, (int[]){20, 22}, -1, &err), 42);
    cr_expect_eq(userns_call(&plain, add, (int[]){0, 0}, -1, NULL), 0);
    cr_expect_eq(userns_call(&plain, fail, (char[]){"you"}, -1, &err), -ENOSPC);
    cr_expect_eq(err.code, -ENOSPC);
    cr_expect_str_eq(err.message, "no room for you");
    cr_expect_eq(userns_call(&plain, fail_silently, NULL, -1, NULL), -ENOTDIR);
    expect_no_child();
    cr_expect_eq(lowest_free(), before);
}

Test(userns, a_call_that_dies_is_an_error) {
    struct err err = {0};

    cr_expect_eq(userns_call(&plain, die, (int[]){SIGKILL}, -1, &err), -EPIPE);
    cr_expect_not_null(strstr(err.message, "died"), "%s", err.message);
    cr_expect_eq(userns_call(&plain, leave, (int[]){0}, -1, &err), -EPIPE);
    expect_no_child();
}

Test(userns, a_call_can_be_broken_off) {
    int ends[2], before;
    struct err err = {0};

    cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
    cr_assert_eq(write(ends[1], "x", 1), 1);
    before = lowest_free();
    cr_expect_eq(userns_call(&plain, sleep_for_ever, NULL, ends[0], &err), -EINTR);
    cr_expect_not_null(strstr(err.message, "interrupted"));
    expect_no_child();
    cr_expect_eq(lowest_free(), before);
}

static int count_ids(void *argument, struct err *err) {
    (void)argument;
    (void)err;
    return getuid() == 0 && geteuid() == 0 && getgid() == 0 ? 7 : 8;
}

/* With subordinate ids, where this machine gives its user some; refused, it says so. */
Test(userns, call_with_subordinate_ids) {
    struct err err = {0};
    struct idmap map;
    int r;

    cr_assert_eq(idmap_choose(&map, &err), 0);
    if (map.mode != IDMAP_SUBUID)
        cr_skip_test("no subordinate ids for this user");
    r = userns_call(&map, count_ids, NULL, -1, &err);
    cr_expect(r == 7 || r == USERNS_UNMAPPABLE, "%d: %s", r, err.message);
}

Test(userns, ids_that_are_not_ours_are_refused) {
    const struct idmap map = {
        .mode = IDMAP_SUBUID,
        .uids = {{0, geteuid(), 1}, {1, 1999999999, 65536}},
        .gids = {{0, getegid(), 1}, {1, 1999999999, 65536}},
        .n_uids = 2,
        .n_gids = 2,
    };
    struct err err = {0};
    int r;

    if (geteuid() == 0)
        cr_skip_test("root may map any id");
    r = userns_call(&map, count_ids, NULL, -1, &err);
    cr_expect(r == USERNS_UNMAPPABLE || r < 0, "%d", r);
    cr_expect_neq(err.message[0], '\0');
    expect_no_child();
}
