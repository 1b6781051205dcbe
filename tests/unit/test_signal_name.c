/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/signal_name.h"

#include "engine/base/cleanup.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

Test(signal_name, by_name_by_number_and_of_real_time) {
    static const struct {
        const char *text;
        int number;
    } cases[] = {
        {"TERM", SIGTERM}, {"SIGTERM", SIGTERM},   {"sigterm", SIGTERM},
        {"term", SIGTERM}, {"15", SIGTERM},        {"KILL", SIGKILL},
        {"usr1", SIGUSR1}, {"SIGWINCH", SIGWINCH}, {"1", SIGHUP},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++)
        cr_expect_eq(signal_name_parse(cases[i].text, NULL), cases[i].number, "%s", cases[i].text);
    cr_expect_eq(signal_name_parse("RTMIN", NULL), SIGRTMIN);
    cr_expect_eq(signal_name_parse("RTMIN+3", NULL), SIGRTMIN + 3);
    cr_expect_eq(signal_name_parse("SIGRTMAX-1", NULL), SIGRTMAX - 1);
}

/* Each that the C library knows has its name and its number. */
Test(signal_name, every_one_of_them) {
    for (int number = 1; number < 32; number++) {
        const char *name = sigabbrev_np(number);
        char digits[12];

        if (!name)
            continue;
        snprintf(digits, sizeof digits, "%d", number);
        cr_expect_eq(signal_name_parse(name, NULL), number, "%s", name);
        cr_expect_eq(signal_name_parse(digits, NULL), number, "%s", digits);
    }
}

Test(signal_name, what_is_none_is_named) {
    static const char *const none[] = {"",       "0",        "-1",       "65",  "TERMINATE",
                                       "RTMIN+", "RTMIN+99", "RTMAX-99", "15x", "SIG"};

    for (size_t i = 0; i < N_ELEMENTS(none); i++) {
        struct err err = {0};

        cr_expect_eq(signal_name_parse(none[i], &err), -EINVAL, "%s", none[i]);
        cr_expect(strstr(err.message, none[i]), "%s: %s", none[i], err.message);
    }
}
