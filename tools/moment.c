/* SPDX-License-Identifier: Apache-2.0 */
/* Moments, as docker's --since takes them. */
#include "moment.h"

#include "engine/base/clock.h"
#include "engine/base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* A fraction of a second, with its point, as nanoseconds; @p moves behind it. */
static uint64_t take_fraction(const char **p) {
    uint64_t unit = NSEC_PER_SEC / 10, nsec = 0;

    if (**p != '.')
        return 0;
    for (++*p; isdigit((unsigned char)**p); ++*p, unit /= 10)
        nsec += unit * (uint64_t)(**p - '0');
    return nsec;
}

/* Z, +HH:MM or -HH:MM, in seconds.  Return: false when it is none. */
static bool take_zone(const char *p, long *ret_seconds) {
    unsigned hours, minutes;
    char sign;

    *ret_seconds = 0;
    if (!*p || str_eq(p, "Z") || str_eq(p, "z"))
        return true;
    if (sscanf(p, "%c%2u:%2u", &sign, &hours, &minutes) != 3 || (sign != '+' && sign != '-'))
        return false;
    *ret_seconds = (long)(hours * 60 + minutes) * (sign == '-' ? -60 : 60);
    return true;
}

static bool parse_calendar(const char *text, uint64_t *ret_nsec) {
    struct tm tm = {0};
    const char *p = strptime(text, "%Y-%m-%d", &tm);
    uint64_t fraction = 0;
    long zone = 0;
    time_t seconds;

    if (!p)
        return false;
    if (*p == 'T' || *p == ' ') {
        p = strptime(p + 1, "%H:%M:%S", &tm);
        if (!p)
            return false;
        fraction = take_fraction(&p);
    }
    if (!take_zone(p, &zone))
        return false;
    seconds = timegm(&tm) - zone;
    *ret_nsec = (uint64_t)seconds * NSEC_PER_SEC + fraction;
    return seconds >= 0;
}

int moment_parse(const char *option, const char *text, uint64_t now_nsec, uint64_t *ret_nsec,
                 struct err *err) {
    const char *p = text + strspn(text, "0123456789");
    uint64_t length;

    if (p > text && (!*p || *p == '.')) {
        *ret_nsec = strtoull(text, NULL, 10) * NSEC_PER_SEC + take_fraction(&p);
        if (!*p)
            return 0;
    }
    if (parse_calendar(text, ret_nsec))
        return 0;
    if (clock_parse_duration(text, &length) == 0) {
        *ret_nsec = length < now_nsec ? now_nsec - length : 0;
        return 0;
    }
    return err_set(err, -EINVAL,
                   "%s '%s' is no moment; write 2026-01-31T12:00:00Z, seconds since 1970, or 10m",
                   option, text);
}
