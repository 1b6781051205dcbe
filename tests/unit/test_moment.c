/* SPDX-License-Identifier: Apache-2.0 */
#include "tools/moment.h"

#include "engine/base/cleanup.h"
#include "engine/base/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#define NOW (UINT64_C(1700000000) * NSEC_PER_SEC) /* 2023-11-14T22:13:20Z */

Test(moment, as_people_write_it) {
    static const struct {
        const char *text;
        uint64_t nsec;
    } cases[] = {
        {"10m", NOW - 600 * NSEC_PER_SEC},
        {"1.5h", NOW - 5400 * NSEC_PER_SEC},
        {"1700000000", NOW},
        {"1700000000.25", NOW + 250000000},
        {"2023-11-14T22:13:20Z", NOW},
        {"2023-11-14T23:13:20+01:00", NOW},
        {"2023-11-14T22:13:20.5Z", NOW + 500000000},
        {"2023-11-14T22:13:20", NOW},
        {"2023-11-14", NOW - 80000 * NSEC_PER_SEC},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct err err = {0};
        uint64_t nsec = 0;

        cr_expect_eq(moment_parse("since", cases[i].text, NOW, &nsec, &err), 0, "%s: %s",
                     cases[i].text, err.message);
        cr_expect_eq(nsec, cases[i].nsec, "%s", cases[i].text);
    }
}

Test(moment, what_is_none_is_named_with_its_option) {
    static const char *const none[] = {"", "yesterday", "2023-13-01", "12:30", "10q", "-1h"};

    for (size_t i = 0; i < N_ELEMENTS(none); i++) {
        struct err err = {0};
        uint64_t nsec;

        cr_expect_eq(moment_parse("since", none[i], NOW, &nsec, &err), -EINVAL, "%s", none[i]);
        cr_expect(strstr(err.message, "since") && strstr(err.message, none[i]), "%s: %s", none[i],
                  err.message);
    }
}
