/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAYFLY_CLOCK_H
#define MAYFLY_CLOCK_H

#include <stdint.h>

#define NSEC_PER_SEC UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)

/** CLOCK_NEVER - a deadline that is never reached. */
#define CLOCK_NEVER UINT64_MAX

/** clock_monotonic() - nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_monotonic(void);

/** clock_realtime() - nanoseconds since the epoch. */
uint64_t clock_realtime(void);

/**
 * clock_poll_timeout() - what poll(2) should wait for a deadline
 * @now_nsec: CLOCK_MONOTONIC
 * @deadline_nsec: CLOCK_MONOTONIC, or CLOCK_NEVER
 *
 * Return: milliseconds, rounded up, -1 for CLOCK_NEVER.
 */
int clock_poll_timeout(uint64_t now_nsec, uint64_t deadline_nsec);

/**
 * clock_parse_duration() - a length of time as people write it
 * @text: a number, optionally with a fraction, and a unit: ms, s, m, h, d; without a unit, seconds
 *
 * Return: 0, -EINVAL when it is not one, -ERANGE above 100 years.
 */
int clock_parse_duration(const char *text, uint64_t *ret_nsec);

/** clock_add() - a moment plus a length of time, CLOCK_NEVER when either has no end. */
static inline uint64_t clock_add(uint64_t moment_nsec, uint64_t length_nsec) {
    return moment_nsec > CLOCK_NEVER - length_nsec ? CLOCK_NEVER : moment_nsec + length_nsec;
}

#endif
