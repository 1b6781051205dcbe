/* SPDX-License-Identifier: Apache-2.0 */
/* Time, always in nanoseconds; what decides takes it as a parameter. */
#include "clock.h"

#include "str.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <time.h>

static uint64_t now(clockid_t id) {
    struct timespec t;

    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * NSEC_PER_SEC + (uint64_t)t.tv_nsec;
}

uint64_t clock_monotonic(void) {
    return now(CLOCK_MONOTONIC);
}

uint64_t clock_realtime(void) {
    return now(CLOCK_REALTIME);
}

int clock_poll_timeout(uint64_t now_nsec, uint64_t deadline_nsec) {
    uint64_t msec;

    if (deadline_nsec == CLOCK_NEVER)
        return -1;
    if (deadline_nsec <= now_nsec)
        return 0;
    msec = (deadline_nsec - now_nsec - 1) / NSEC_PER_MSEC + 1;
    return msec > INT_MAX ? INT_MAX : (int)msec;
}

int clock_parse_duration(const char *text, uint64_t *ret_nsec) {
    static const struct {
        const char *name;
        uint64_t nsec;
    } units[] = {
        {"", NSEC_PER_SEC},       {"ms", NSEC_PER_MSEC},      {"s", NSEC_PER_SEC},
        {"m", 60 * NSEC_PER_SEC}, {"h", 3600 * NSEC_PER_SEC}, {"d", 86400 * NSEC_PER_SEC},
    };
    const uint64_t max = UINT64_C(36525) * 86400 * NSEC_PER_SEC;
    uint64_t whole = 0, fraction = 0, scale = 1, unit = 0;
    const char *p = text;

    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; *p >= '0' && *p <= '9'; p++) {
        whole = whole * 10 + (uint64_t)(*p - '0');
        if (whole > max)
            return -ERANGE;
    }
    if (*p == '.') {
        if (p[1] < '0' || p[1] > '9')
            return -EINVAL;
        for (p++; *p >= '0' && *p <= '9'; p++)
            if (scale < 1000000) {
                fraction = fraction * 10 + (uint64_t)(*p - '0');
                scale *= 10;
            }
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (str_eq(p, units[i].name))
            unit = units[i].nsec;
    if (!unit)
        return -EINVAL;
    if (whole > max / unit)
        return -ERANGE;
    *ret_nsec = whole * unit + fraction * (unit / scale);
    return 0;
}
