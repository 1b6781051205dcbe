/* SPDX-License-Identifier: Apache-2.0 */
/* Copies with another side that is not ours, says what it likes, dies, or is broken off. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/base/str.h"
#include "sides.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

TestSuite(copy_hostile, .init = sides_setup, .fini = sides_teardown);

static const struct {
    uint32_t kind;
    const char *name;
    const char *text;
    int fd; /* 1: a regular file, 2: a directory, 3: a pipe */
} * script;
static size_t n_script;

static int say(const struct copy *copy, size_t i) {
    struct copy_record record = {.kind = script[i].kind, .mode = 0755};
    size_t used = (size_t)snprintf(record.text, NAME_MAX + 1, "%s", script[i].name) + 1;
    _cleanup_close_ int fd = -1;
    int pipes[2];

    if (script[i].text)
        snprintf(record.text + used, PATH_MAX, "%s", script[i].text);
    if (script[i].fd == 1)
        fd = openat(sides_scratch.fd, "from/f", O_RDONLY | O_CLOEXEC);
    else if (script[i].fd == 2)
        fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    else if (script[i].fd == 3 && pipe2(pipes, O_CLOEXEC) == 0)
        fd = pipes[0];
    return copy_put(copy, &record, fd);
}

/* Says all of the script, then waits for the other side to give up or to close. */
static int say_all(struct copy *copy, struct err *err) {
    struct copy_record answer;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n_script; i++)
        r = say(copy, i);
    r = copy_get(copy, &answer, NULL);
    if (r < 0)
        return r;
    err_set(err, answer.code, "%s", answer.text + 1);
    return answer.kind == COPY_ERROR ? answer.code : 0;
}

#define PLAY(expected, ...)                                                                        \
    do {                                                                                           \
        static const __typeof__(*script) lines_[] = {__VA_ARGS__};                                 \
        script = (const void *)lines_;                                                             \
        n_script = N_ELEMENTS(lines_);                                                             \
        play(expected);                                                                            \
    } while (0)

static void play(int expected) {
    _cleanup_close_ int to = sides_open_in("to");
    struct copy copy = {.socket_fd = sides_pair[0]};
    struct err err = {0};
    int before = sides_lowest_free();
    pid_t pid = sides_start(say_all, expected);

    cr_expect_eq(copy_receive(&copy, to, "top", &err), expected, "%s, not %s", err.message,
                 strerror(-expected));
    close(sides_pair[0]);
    sides_expect_good_end(pid);
    cr_expect_leq(sides_lowest_free(), before, "descriptors leak");
    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sides_pair), 0);
}

Test(copy_hostile, hostile_names) {
    static const char *const names[] = {"..",          ".",         "",       "/",
                                        "/etc/passwd", "../escape", "a/../b", "in/deeper"};
    static const uint32_t kinds[] = {COPY_FILE, COPY_DIRECTORY, COPY_SYMLINK, COPY_FIFO};

    scratch_write(&sides_scratch, "from/f", "f", 1);
    for (size_t i = 0; i < N_ELEMENTS(names); i++)
        for (size_t k = 0; k < N_ELEMENTS(kinds); k++) {
            const __typeof__(*script) lines[] = {
                {COPY_DIRECTORY, "", NULL, 0},
                {kinds[k], names[i], "target", kinds[k] == COPY_FILE},
            };

            script = (const void *)lines;
            n_script = 2;
            play(-EPROTO);
        }
    cr_expect_not(sides_exists("escape"));
    cr_expect_eq(sides_count("to"), 1);
    cr_expect_eq(sides_count("to/top"), 0);
}

/* The topmost entry's name is the receiver's own. */
Test(copy_hostile, name_of_the_topmost_is_ours) {
    scratch_write(&sides_scratch, "from/f", "f", 1);
    PLAY(0, {COPY_FILE, "../evil", NULL, 1}, {COPY_END, "", NULL, 0});
    cr_expect_not(sides_exists("evil"));
    sides_expect_content("to/top", "f");
}

Test(copy_hostile, hostile_order) {
    scratch_write(&sides_scratch, "from/f", "f", 1);
    PLAY(-EPROTO, {COPY_UP, "", NULL, 0});
    PLAY(-EPROTO, {COPY_DIRECTORY, "", NULL, 0}, {COPY_UP, "", NULL, 0}, {COPY_UP, "", NULL, 0});
    PLAY(-EPROTO, {COPY_DIRECTORY, "", NULL, 0}, {COPY_END, "", NULL, 0});
    PLAY(-EPROTO, {COPY_ERROR + 1, "", NULL, 0});
    /* Links are of tars alone. */
    PLAY(-EPROTO, {COPY_DIRECTORY, "", NULL, 0}, {COPY_LINK, "l", "from", 0});
    PLAY(-EPROTO, {UINT32_MAX, "", NULL, 0});
    /* After a symbolic link: not through it. */
    cr_assert_eq(fd_remove_tree(sides_scratch.fd, "to"), 0);
    cr_assert_eq(mkdirat(sides_scratch.fd, "to", 0755), 0);
    PLAY(-EEXIST, {COPY_DIRECTORY, "", NULL, 0}, {COPY_SYMLINK, "l", "../../from", 0},
         {COPY_DIRECTORY, "l", NULL, 0}, {COPY_FILE, "evil", NULL, 1});
    cr_expect_not(sides_exists("from/evil"));
}

Test(copy_hostile, hostile_descriptors) {
    scratch_write(&sides_scratch, "from/f", "f", 1);
    PLAY(-EPROTO, {COPY_FILE, "", NULL, 0});
    PLAY(-EPROTO, {COPY_FILE, "", NULL, 2});
    PLAY(-EPROTO, {COPY_FILE, "", NULL, 3});
    /* One that nobody asked for is closed. */
    PLAY(0, {COPY_DIRECTORY, "", NULL, 2}, {COPY_UP, "", NULL, 1}, {COPY_END, "", NULL, 3});
    cr_expect_eq(sides_count("to"), 1);
}

static int go_deep(struct copy *copy, struct err *err) {
    struct copy_record record = {.kind = COPY_DIRECTORY, .mode = 0755, .text = "d"};
    int r = 0;

    for (int i = 0; r == 0 && i < 100000; i++)
        r = copy_put(copy, &record, -1);
    if (r != -EPIPE && r != -ECONNRESET)
        return r;
    r = copy_get(copy, &record, NULL);
    err_set(err, r, "after the depth");
    return r == 0 && record.kind == COPY_ERROR ? record.code : r;
}

Test(copy_hostile, depth_has_a_limit) {
    _cleanup_close_ int to = sides_open_in("to");
    struct copy copy = {.socket_fd = sides_pair[0]};
    struct err err = {0};
    int status;
    pid_t pid = sides_start(go_deep, -ENAMETOOLONG);

    cr_expect_eq(copy_receive(&copy, to, "top", &err), -ENAMETOOLONG, "%s", err.message);
    close(sides_pair[0]);
    /* It may have been told, or have found the socket closed while it went on. */
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status));
}

Test(copy_hostile, garbage) {
    static const struct {
        size_t size;
        int code;
    } sizes[] = {{1, -EPROTO},
                 {offsetof(struct copy_record, text), -EPROTO},
                 {offsetof(struct copy_record, text) + 1, -EPROTO},
                 {sizeof(struct copy_record) + 1, -EMSGSIZE}};
    _cleanup_close_ int to = sides_open_in("to");
    char bytes[sizeof(struct copy_record) + 1];
    struct err err = {0};

    for (size_t i = 0; i < N_ELEMENTS(sizes); i++) {
        struct copy copy = {.socket_fd = sides_pair[0]};
        int before = sides_lowest_free();

        memset(bytes, 0, sizeof bytes);
        cr_assert_eq(fd_send(sides_pair[1], bytes, sizes[i].size, &to, 1), 0);
        cr_expect_eq(copy_receive(&copy, to, "x", &err), sizes[i].code, "%zu", sizes[i].size);
        cr_expect_eq(sides_lowest_free(), before);
    }
    /* A name without an end. */
    memset(bytes, 'x', sizeof bytes);
    memset(bytes, 0, offsetof(struct copy_record, text));
    cr_assert_eq(fd_send(sides_pair[1], bytes, sizeof(struct copy_record) - 1, &to, 1), 0);
    cr_expect_eq(copy_receive(&(struct copy){.socket_fd = sides_pair[0]}, to, "x", &err), -EPROTO);
    cr_expect_eq(sides_count("to"), 0);
}

static int die_midway(struct copy *copy, struct err *err) {
    (void)err;
    if (copy_put(copy, &(struct copy_record){.kind = COPY_DIRECTORY, .mode = 0700}, -1) < 0)
        return -1;
    return copy_put(copy, &(struct copy_record){.kind = COPY_SYMLINK, .text = "l\0t"}, -1);
}

Test(copy_hostile, sender_that_dies) {
    _cleanup_close_ int to = sides_open_in("to");
    struct copy copy = {.socket_fd = sides_pair[0]};
    struct err err = {0};
    pid_t pid = sides_start(die_midway, 0);

    cr_expect_eq(copy_receive(&copy, to, "top", &err), -EPIPE, "%s", err.message);
    cr_expect_not_null(strstr(err.message, "died"), "%s", err.message);
    sides_expect_good_end(pid);
}

static int die_at_once(struct copy *copy, struct err *err) {
    struct copy_record record;

    (void)err;
    return copy_get(copy, &record, NULL);
}

Test(copy_hostile, receiver_that_dies) {
    _cleanup_close_ int from = sides_open_in("from");
    struct copy copy = {.socket_fd = sides_pair[0]};
    struct err err = {0};
    pid_t pid;

    sides_make_tree();
    pid = sides_start(die_at_once, 0);
    cr_expect_eq(copy_send(&copy, from, "t", &err), -EPIPE, "%s", err.message);
    sides_expect_good_end(pid);
}

static int sends_an_error(struct copy *copy, struct err *err) {
    struct copy_record record;
    struct err reason;

    (void)err;
    err_set(&reason, -ENOSPC, "the disk is full of \n\x1b[31m");
    copy_fail(copy, &reason);
    return copy_get(copy, &record, NULL) < 0 ? -1 : (int)record.kind;
}

Test(copy_hostile, error_of_the_other_side_comes_through) {
    _cleanup_close_ int to = sides_open_in("to");
    struct copy copy = {.socket_fd = sides_pair[0]};
    struct err err = {0};
    pid_t pid = sides_start(sends_an_error, COPY_ERROR);

    cr_expect_eq(copy_receive(&copy, to, "x", &err), -ENOSPC);
    cr_expect_str_eq(err.message, "the disk is full of ??[31m");
    sides_expect_good_end(pid);
}

/* What the receiver has made by then, and what it takes away, is the caller's to see at once. */
Test(copy_hostile, sender_that_fails_waits_for_the_receiver) {
    _cleanup_close_ int from = sides_open_in("from");
    struct copy copy = {.socket_fd = sides_pair[0]};
    struct pollfd end = {.fd = sides_pair[0]};
    const struct err answer = {.code = -ENOENT, .message = "so it ends"};
    struct copy_record record;
    pid_t pid;

    sides_from_fd = from;
    sides_from_name = "nothing";
    pid = sides_start(sides_send_it, -ENOENT);
    cr_assert_eq(copy_get(&copy, &record, NULL), 0);
    cr_expect_eq(record.kind, COPY_ERROR);
    cr_expect_eq(poll(&end, 1, 200), 0, "it did not wait");
    copy_fail(&copy, &answer);
    sides_expect_good_end(pid);
}

static int give_up(void *context, int fd, short events) {
    int *left = context;

    (void)fd;
    (void)events;
    return --*left < 0 ? -EINTR : 0;
}

static int send_and_be_left(struct copy *copy, struct err *err) {
    int r = copy_send(copy, sides_from_fd, sides_from_name, err);

    return r < 0 ? -1 : r;
}

/* Wherever it is broken off, a new file is whole or not there. */
Test(copy_hostile, broken_off_at_each_moment) {
    bool finished = false;

    scratch_write(&sides_scratch, "from/f", "whole", 5);
    for (int moment = 0; !finished; moment++) {
        _cleanup_close_ int from = sides_open_in("from"), to = sides_open_in("to");
        int left = moment, r, status;
        struct copy copy = {.socket_fd = sides_pair[0], .wait = give_up, .context = &left};
        struct err err = {0};
        pid_t pid;

        cr_assert_leq(moment, 100);
        sides_from_fd = from;
        sides_from_name = "f";
        pid = sides_start(send_and_be_left, 0);
        r = copy_receive(&copy, to, "f", &err);
        finished = r == 0;
        cr_expect(r == 0 || r == -EINTR, "%d", r);
        if (sides_exists("to/f"))
            sides_expect_content("to/f", "whole");
        cr_expect_leq(sides_count("to"), 1);
        close(sides_pair[0]);
        cr_assert_eq(waitpid(pid, &status, 0), pid);
        cr_assert_eq(unlinkat(sides_scratch.fd, "to/f", 0) == 0 || errno == ENOENT, true);
        cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sides_pair), 0);
    }
}

static char noted[COPY_NAME_BYTES];
static int n_noted;

static int remember(void *context, int dir_fd, const char *name) {
    (void)context;
    n_noted++;
    snprintf(noted, sizeof noted, "%s", name);
    /* Put on record before it is there. */
    return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0 ? -EEXIST : 0;
}

Test(copy_hostile, temporary_names_are_put_on_record_first) {
    struct copy copy = {.note = remember};
    struct err err = {0};

    scratch_write(&sides_scratch, "from/f", "new", 3);
    sides_copy(&copy, "f", "f", 0, &err);
    scratch_write(&sides_scratch, "to/f", "old", 3);
    n_noted = 0;
    sides_copy(&copy, "f", "f", 0, &err);
    cr_expect_eq(n_noted, 1);
    cr_expect_eq(strncmp(noted, ".mayfly-", 8), 0, "%s", noted);
    sides_expect_content("to/f", "new");
    cr_expect_eq(sides_count("to"), 1);
}
