/* SPDX-License-Identifier: Apache-2.0 */
/* Signals taken through a descriptor, and put back. */
#include "engine/signals.h"

#include <criterion/criterion.h>
#include <unistd.h>

Test(signals, are_read_instead_of_ending_the_process) {
    struct signals signals = SIGNALS_INIT;
    struct err err;
    int ends;

    cr_assert_eq(signals_take(&signals, &err), 0);
    cr_expect_eq(signals_next(signals.fd), 0);
    raise(SIGTERM);
    cr_expect_eq(signals_next(signals.fd), SIGTERM);
    cr_expect_eq(signals_next(signals.fd), 0);
    ends = signals_open_ends(&err);
    cr_assert(ends >= 0);
    raise(SIGWINCH);
    cr_expect_eq(signals_next(ends), 0);
    cr_expect_eq(signals_next(signals.fd), SIGWINCH);
    raise(SIGINT);
    cr_expect_eq(signals_next(ends), SIGINT);
    close(ends);
    signals_release(&signals);
    cr_expect_eq(signals.fd, -1);
    signals_release(&signals);
}

Test(signals, what_was_ignored_stays_so) {
    struct signals signals = SIGNALS_INIT;
    struct err err;

    signal(SIGHUP, SIG_IGN);
    cr_assert_eq(signals_take(&signals, &err), 0);
    raise(SIGHUP);
    cr_expect_eq(signals_next(signals.fd), 0);
    signals_release(&signals);
}

Test(signals, what_there_was_comes_back) {
    struct signals signals = SIGNALS_INIT;
    struct sigaction action;
    sigset_t before, after;
    struct err err;

    signal(SIGCHLD, SIG_IGN);
    sigprocmask(SIG_BLOCK, NULL, &before);
    cr_assert_eq(signals_take(&signals, &err), 0);
    sigaction(SIGCHLD, NULL, &action);
    cr_expect(action.sa_handler == SIG_DFL);
    sigprocmask(SIG_BLOCK, NULL, &after);
    cr_expect_eq(sigismember(&after, SIGQUIT), 1);
    signals_release(&signals);
    sigaction(SIGCHLD, NULL, &action);
    cr_expect(action.sa_handler == SIG_IGN);
    sigprocmask(SIG_BLOCK, NULL, &after);
    cr_expect_eq(sigismember(&after, SIGQUIT), sigismember(&before, SIGQUIT));
}
