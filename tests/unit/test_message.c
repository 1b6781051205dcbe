/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/message.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int ours = -1, theirs = -1;

static void setup(void) {
    int pair[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ours = pair[0];
    theirs = pair[1];
}

TestSuite(message, .init = setup);

static int lowest_free(void) {
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    cr_assert_geq(fd, 0);
    close(fd);
    return fd;
}

Test(message, crosses_whole) {
    struct message message = {.kind = MESSAGE_ERROR, .index = 7, .value = 127}, got;
    int fds[4], sent[2] = {ours, theirs};
    size_t n = 9;

    err_set(&message.err, -ENOENT, "no such thing");
    cr_assert_eq(message_send(theirs, &message, sent, 2), 0);
    cr_assert_eq(message_receive(ours, &got, fds, 4, &n), 0);
    cr_expect_eq(got.kind, MESSAGE_ERROR);
    cr_expect_eq(got.index, 7);
    cr_expect_eq(got.value, 127);
    cr_expect_eq(got.err.code, -ENOENT);
    cr_expect_str_eq(got.err.message, "no such thing");
    cr_assert_eq(n, 2);
    for (size_t i = 0; i < n; i++) {
        cr_expect_eq(fcntl(fds[i], F_GETFD), FD_CLOEXEC);
        close(fds[i]);
    }
}

Test(message, carries_as_many_descriptors_as_promised) {
    const struct message message = {.kind = MESSAGE_BUILD};
    struct message got;
    int fds[MESSAGE_MAX_FDS], sent[MESSAGE_MAX_FDS];
    size_t n = 0;

    for (size_t i = 0; i < MESSAGE_MAX_FDS; i++)
        sent[i] = theirs;
    cr_assert_eq(message_send(theirs, &message, sent, MESSAGE_MAX_FDS), 0);
    cr_assert_eq(message_receive(ours, &got, fds, MESSAGE_MAX_FDS, &n), 0);
    cr_assert_eq(n, MESSAGE_MAX_FDS);
    for (size_t i = 0; i < n; i++)
        close(fds[i]);
}

Test(message, more_descriptors_than_wanted_are_closed) {
    const struct message message = {.kind = MESSAGE_TERMINAL};
    int sent[3] = {ours, theirs, ours}, fd = -1, before = lowest_free();
    struct message got;

    cr_assert_eq(message_send(theirs, &message, sent, 3), 0);
    cr_assert_eq(message_receive(ours, &got, &fd, 1, NULL), 0);
    cr_assert_eq(fd, before);
    close(fd);
    cr_expect_eq(lowest_free(), before);
}

Test(message, garbage_is_refused_and_its_descriptors_closed) {
    struct message message = {.kind = MESSAGE_DONE}, got;
    char larger[sizeof message + 1] = {0};
    int before = lowest_free(), fd = -1;

    cr_assert_eq(fd_send(theirs, "x", 1, &ours, 1), 0);
    cr_expect_eq(message_receive(ours, &got, &fd, 1, NULL), -EPROTO);
    cr_assert_eq(fd_send(theirs, &message, sizeof message - 1, &ours, 1), 0);
    cr_expect_eq(message_receive(ours, &got, &fd, 1, NULL), -EPROTO);
    cr_assert_eq(fd_send(theirs, larger, sizeof larger, &ours, 1), 0);
    cr_expect_eq(message_receive(ours, &got, &fd, 1, NULL), -EMSGSIZE);
    message.kind = (enum message_kind)(MESSAGE_ERROR + 1);
    cr_assert_eq(message_send(theirs, &message, &ours, 1), 0);
    cr_expect_eq(message_receive(ours, &got, &fd, 1, NULL), -EPROTO);
    message.kind = (enum message_kind) - 1;
    cr_assert_eq(message_send(theirs, &message, NULL, 0), 0);
    cr_expect_eq(message_receive(ours, &got, &fd, 1, NULL), -EPROTO);
    cr_expect_eq(lowest_free(), before);
}

Test(message, text_without_an_end_gets_one) {
    struct message message = {.kind = MESSAGE_ERROR}, got;

    memset(message.err.message, 'x', sizeof message.err.message);
    cr_assert_eq(message_send(theirs, &message, NULL, 0), 0);
    cr_assert_eq(message_receive(ours, &got, NULL, 0, NULL), 0);
    cr_expect_eq(strlen(got.err.message), sizeof got.err.message - 1);
}

Test(message, other_side_gone) {
    const struct message message = {.kind = MESSAGE_READY};
    struct message got;

    /* What is on its way still comes. */
    cr_assert_eq(message_send(theirs, &message, NULL, 0), 0);
    close(theirs);
    cr_expect_eq(message_receive(ours, &got, NULL, 0, NULL), 0);
    cr_expect_eq(message_receive(ours, &got, NULL, 0, NULL), -EPIPE);
    cr_expect_eq(message_send(ours, &message, NULL, 0), -EPIPE);
}
