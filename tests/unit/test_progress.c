/* SPDX-License-Identifier: Apache-2.0 */
/* The line of a part of a longer work. */
#include "engine/base/cleanup.h"
#include "engine/base/clock.h"
#include "tools/progress.h"

#include <criterion/criterion.h>
#include <string.h>

static void check(const struct progress_part *part, uint64_t nsec, size_t columns,
                  const char *expected) {
    _cleanup_buf_ struct buf buf = BUF_INIT;

    progress_line(&buf, part, nsec, columns);
    cr_assert_str_eq(buf.data, expected);
}

Test(progress, lines) {
    struct progress_part part = {.label = "0123456789ab"};

    check(&part, 0, 80, "0123456789ab  waits");
    part.began_nsec = 1;
    part.done = 25000000;
    part.total = 100000000;
    check(&part, 5 * NSEC_PER_SEC, 78,
          "0123456789ab  [#####               ] 25MB of 100MB  5MB/s  15s left");
    /* A narrow terminal has no place for a bar, a pipe none for the time. */
    check(&part, 5 * NSEC_PER_SEC, 60, "0123456789ab  25MB of 100MB  5MB/s  15s left");
    part.done = 1000000;
    check(&part, 5 * NSEC_PER_SEC, 40, "0123456789ab  1MB of 100MB  200kB/s  8m left");
    /* How much will come is not always known, and may have been announced wrongly. */
    part.total = 0;
    check(&part, NSEC_PER_SEC, 100, "0123456789ab  1MB  1MB/s");
    part.total = 500000;
    check(&part, NSEC_PER_SEC, 63, "0123456789ab  [#####] 1MB of 500kB  1MB/s");
    part.ended = true;
    check(&part, NSEC_PER_SEC, 100, "0123456789ab  1MB");
    part.done = 0;
    check(&part, NSEC_PER_SEC, 100, "0123456789ab  is here already");
}
