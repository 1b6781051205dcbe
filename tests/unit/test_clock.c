/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/base/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>

Test(clock, monotonic_does_not_go_back) {
    uint64_t before = clock_monotonic();

    cr_assert_geq(clock_monotonic(), before);
    cr_assert_gt(clock_realtime(), UINT64_C(1500000000) * NSEC_PER_SEC);
}

Test(clock, poll_timeout) {
    cr_assert_eq(clock_poll_timeout(5, CLOCK_NEVER), -1);
    cr_assert_eq(clock_poll_timeout(5, 5), 0);
    cr_assert_eq(clock_poll_timeout(6, 5), 0);
    cr_assert_eq(clock_poll_timeout(0, 1), 1, "rounded up: no spinning before the deadline");
    cr_assert_eq(clock_poll_timeout(0, NSEC_PER_MSEC), 1);
    cr_assert_eq(clock_poll_timeout(0, NSEC_PER_MSEC + 1), 2);
    cr_assert_eq(clock_poll_timeout(0, CLOCK_NEVER - 1), INT_MAX);
}

Test(clock, add_saturates) {
    cr_assert_eq(clock_add(1, 2), 3);
    cr_assert_eq(clock_add(1, CLOCK_NEVER), CLOCK_NEVER);
    cr_assert_eq(clock_add(CLOCK_NEVER, 1), CLOCK_NEVER);
    cr_assert_eq(clock_add(CLOCK_NEVER - 1, 5), CLOCK_NEVER);
}

Test(clock, parse_duration) {
    static const struct {
        const char *text;
        int expected;
        uint64_t nsec;
    } cases[] = {
        {"90", 0, 90 * NSEC_PER_SEC},
        {"90s", 0, 90 * NSEC_PER_SEC},
        {"250ms", 0, 250 * NSEC_PER_MSEC},
        {"10m", 0, 600 * NSEC_PER_SEC},
        {"2h", 0, 7200 * NSEC_PER_SEC},
        {"1d", 0, 86400 * NSEC_PER_SEC},
        {"0", 0, 0},
        {"0.5s", 0, NSEC_PER_SEC / 2},
        {"1.5m", 0, 90 * NSEC_PER_SEC},
        {"0.000001s", 0, 1000},
        {"36525d", 0, UINT64_C(36525) * 86400 * NSEC_PER_SEC},
        {"36526d", -ERANGE, 0},
        {"99999999999999999999", -ERANGE, 0},
        {"9999999999999h", -ERANGE, 0},
        {"", -EINVAL, 0},
        {"s", -EINVAL, 0},
        {"-1s", -EINVAL, 0},
        {"1.s", -EINVAL, 0},
        {".5s", -EINVAL, 0},
        {"1 s", -EINVAL, 0},
        {"1sec", -EINVAL, 0},
        {"1S", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t nsec = 77;
        int r = clock_parse_duration(cases[i].text, &nsec);

        cr_expect_eq(r, cases[i].expected, "\"%s\": %d", cases[i].text, r);
        cr_expect_eq(nsec, r == 0 ? cases[i].nsec : 77, "\"%s\": %" PRIu64, cases[i].text, nsec);
    }
}
