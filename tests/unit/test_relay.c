/* SPDX-License-Identifier: Apache-2.0 */
/* Streams between a program and those who look on, who come and go as they like. */
#include "engine/base/cleanup.h"
#include "engine/base/fd.h"
#include "engine/live/relay.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct log_writer no_log = {.fd = -1};
static struct relay relay;
static int program_in, program_out; /* the program's ends */

static void set_up(void) {
    int in[2], out[2];

    signal(SIGPIPE, SIG_IGN); /* as the supervisor has it */
    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    relay_init(&relay, &no_log);
    relay_streams(&relay, in[1], out[0], -1);
    program_in = in[0];
    program_out = out[1];
}

/* Somebody who is attached.  Return: what is shown to them; @ret_typed: where they type. */
static int attach(int *ret_typed, bool is_first) {
    int out[2], in[2], pair[2];

    cr_assert(pipe2(out, O_CLOEXEC) == 0 && pipe2(in, O_CLOEXEC) == 0);
    cr_assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
    cr_assert(relay_attach(&relay, pair[0], (int[]){in[0], out[1], -1}, is_first) == 0);
    close(pair[1]);
    *ret_typed = in[1];
    return out[0];
}

/* One turn of the supervisor's loop, connections aside. */
static void turn(void) {
    struct pollfd fds[64];

    cr_assert(relay_n_poll(&relay) <= N_ELEMENTS(fds));
    relay_poll(&relay, fds);
    cr_assert(poll(fds, relay_n_poll(&relay), 0) >= 0);
    relay_dispatch(&relay, fds);
}

static void expect(int fd, const char *text) {
    char bytes[64] = "";

    cr_assert_eq(read(fd, bytes, sizeof bytes - 1), (ssize_t)strlen(text));
    cr_assert_str_eq(bytes, text);
}

Test(relay, all_who_look_on_see_the_same, .init = set_up) {
    int typed, one = attach(&typed, false), other = attach(&typed, false);

    cr_assert(fd_write_all(program_out, "word", 4) == 0);
    turn();
    expect(one, "word");
    expect(other, "word");
    relay_done(&relay);
}

Test(relay, who_is_gone_is_written_to_once, .init = set_up) {
    int typed, gone = attach(&typed, false), other = attach(&typed, false);

    close(gone);
    cr_assert(fd_write_all(program_out, "one", 3) == 0);
    turn();
    cr_expect_eq(relay.viewers[0].out_fds[0], -1);
    expect(other, "one");
    /* Nobody waits for somebody who will never read. */
    cr_assert(fd_write_all(program_out, "two", 3) == 0);
    turn();
    expect(other, "two");
    cr_expect_eq(relay.n_viewers, 2, "letting go of the connection is the supervisor's");
    relay_done(&relay);
}

Test(relay, letting_go_of_one_leaves_the_others, .init = set_up) {
    int typed, first = attach(&typed, false), second = attach(&typed, false),
               third = attach(&typed, false);

    /* The last one takes the place of the one that went, and is no other for that. */
    relay_detach(&relay, 0);
    cr_expect_eq(relay.n_viewers, 2);
    cr_assert(fd_write_all(program_out, "here", 4) == 0);
    turn();
    expect(second, "here");
    expect(third, "here");
    cr_expect_eq(read(first, (char[1]){0}, 1), 0, "its pipe has no writer any more");
    relay_detach(&relay, 1);
    relay_detach(&relay, 0);
    cr_expect_eq(relay.n_viewers, 0);
    cr_assert(fd_write_all(program_out, "nobody", 6) == 0);
    turn();
    relay_done(&relay);
}

Test(relay, the_end_of_input_is_the_programs_for_the_first_alone, .init = set_up) {
    int first_types, types;

    attach(&first_types, true);
    attach(&types, false);
    cr_assert(fd_write_all(types, "a", 1) == 0);
    turn();
    expect(program_in, "a");
    close(types);
    turn();
    cr_expect(relay.sink >= 0);
    close(first_types);
    turn();
    cr_expect_eq(relay.sink, -1);
    cr_expect_eq(read(program_in, (char[1]){0}, 1), 0);
    relay_done(&relay);
}

Test(relay, is_over_when_all_has_been_shown, .init = set_up) {
    int typed, shown = attach(&typed, false);

    cr_assert(fd_write_all(program_out, "last", 4) == 0);
    close(program_out);
    turn();
    turn();
    cr_expect(relay_is_over(&relay));
    expect(shown, "last");
    relay_done(&relay);
}
