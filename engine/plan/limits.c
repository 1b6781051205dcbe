/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits as people write them.  Docker's spellings are taken where it has one;
 * what these numbers become in a control group is the business of cgroup_v2.c
 * and cgroup_v1.c.  All of it is pure.
 */
#include "limits.h"

#include "engine/base/cleanup.h"
#include "engine/base/str.h"
#include "plan_spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The kernel takes no quota below a millisecond; a period of ours is a hundred of them. */
#define CPU_QUOTA_LEAST_USEC UINT64_C(1000)
#define CPU_SHARES_LEAST 2
#define CPU_SHARES_MOST 262144
/* PID_MAX_LIMIT: Linux has no more. */
#define PIDS_MOST (UINT64_C(4) << 20)

void limits_done(struct limits *limits) {
    for (size_t i = 0; i < limits->n_io; i++)
        free(limits->io[i].path);
    free(limits->io);
    free(limits->cpuset);
    *limits = (struct limits){0};
}

bool limits_any(const struct limits *limits) {
    return limits->memory_bytes || limits->cpu_quota_usec || limits->cpu_shares || limits->cpuset ||
           limits->pids || limits->n_io;
}

int limits_check(const struct limits *limits, struct err *err) {
    if (limits->memory_swap_bytes && !limits->memory_bytes)
        return err_set(err, -EINVAL,
                       "--memory-swap is memory and swap together: add -m, the part that is "
                       "memory");
    if (limits->memory_swap_bytes && limits->memory_swap_bytes < limits->memory_bytes)
        return err_set(err, -EINVAL,
                       "--memory-swap is memory and swap together and cannot be less than -m");
    return 0;
}

/* Return: 0, or -EINVAL with a text that says what a size looks like. */
static int parse_size(const char *option, const char *value, uint64_t *ret_bytes, struct err *err) {
    if (plan_parse_size(value, ret_bytes) < 0)
        return err_set(err, -EINVAL, "%s '%s' is not a size; write 64m or 1g", option, value);
    return 0;
}

int limits_set_memory(struct limits *limits, const char *value, struct err *err) {
    uint64_t bytes;
    int r = parse_size("--memory", value, &bytes, err);

    if (r < 0)
        return r;
    if (bytes < LIMITS_MEMORY_LEAST)
        return err_set(err, -EINVAL,
                       "--memory '%s' is too little for a container; give %um or more", value,
                       (unsigned)(LIMITS_MEMORY_LEAST >> 20));
    limits->memory_bytes = bytes;
    return 0;
}

int limits_set_memory_swap(struct limits *limits, const char *value, struct err *err) {
    if (str_eq(value, "-1")) {
        limits->memory_swap_bytes = LIMITS_UNLIMITED;
        return 0;
    }
    return parse_size("--memory-swap", value, &limits->memory_swap_bytes, err);
}

/* A number with at most five digits after its point, in hundred-thousandths. */
static int parse_cpus(const char *text, uint64_t *ret_quota_usec) {
    const char *point = strchrnul(text, '.');
    _cleanup_free_ char *whole = strndup(text, (size_t)(point - text));
    uint64_t value = 0, scale = LIMITS_CPU_PERIOD_USEC;

    if (!whole)
        return -ENOMEM;
    if ((*whole || !point[0]) && str_to_u64(whole, LIMITS_MAX_CPUS, &value) < 0)
        return -EINVAL;
    value *= scale;
    if (*point && !*whole && !point[1])
        return -EINVAL;
    for (const char *p = *point ? point + 1 : point; *p; p++) {
        if (*p < '0' || *p > '9' || scale == 1)
            return -EINVAL;
        scale /= 10;
        value += (uint64_t)(*p - '0') * scale;
    }
    *ret_quota_usec = value;
    return 0;
}

int limits_set_cpus(struct limits *limits, const char *value, struct err *err) {
    uint64_t quota_usec;

    if (parse_cpus(value, &quota_usec) < 0 || quota_usec < CPU_QUOTA_LEAST_USEC)
        return err_set(err, -EINVAL,
                       "--cpus '%s' is not a number of CPUs; write 0.5 or 2, at "
                       "least 0.01",
                       value);
    limits->cpu_quota_usec = quota_usec;
    return 0;
}

int limits_set_cpu_shares(struct limits *limits, const char *value, struct err *err) {
    uint64_t shares;

    if (str_to_u64(value, CPU_SHARES_MOST, &shares) < 0 || shares < CPU_SHARES_LEAST)
        return err_set(err, -EINVAL,
                       "--cpu-shares '%s' is not a number from %d to %d; 1024 is what "
                       "others have",
                       value, CPU_SHARES_LEAST, CPU_SHARES_MOST);
    limits->cpu_shares = shares;
    return 0;
}

int limits_set_cpuset(struct limits *limits, const char *value, struct err *err) {
    struct cpu_mask mask;

    if (!*value || cpu_mask_parse(value, &mask) < 0)
        return err_set(err, -EINVAL, "--cpuset '%s' is not a list of CPUs; write 0-3,8", value);
    return str_set(&limits->cpuset, value, err);
}

int limits_set_pids(struct limits *limits, const char *value, struct err *err) {
    uint64_t pids = 0;

    if (!str_eq(value, "-1") && str_to_u64(value, PIDS_MOST, &pids) < 0)
        return err_set(err, -EINVAL,
                       "--pids '%s' is not a number of processes, %" PRIu64 " at most", value,
                       PIDS_MOST);
    limits->pids = pids;
    return 0;
}

static int set_io_key(struct io_limit *io, const char *key, const char *value) {
    const struct {
        const char *name;
        uint64_t *place;
        bool is_size;
    } keys[] = {
        {"rbps", &io->read_bps, true},
        {"wbps", &io->write_bps, true},
        {"riops", &io->read_iops, false},
        {"wiops", &io->write_iops, false},
    };

    for (size_t i = 0; i < N_ELEMENTS(keys); i++) {
        int r;

        if (!str_eq(keys[i].name, key))
            continue;
        r = keys[i].is_size ? plan_parse_size(value, keys[i].place)
                            : str_to_u64(value, UINT64_MAX, keys[i].place);
        return r == 0 && *keys[i].place == 0 ? -EINVAL : r;
    }
    return -EINVAL;
}

/* @text: KEY=NUMBER[,KEY=NUMBER]..., which is cut up. */
static int parse_io_keys(struct io_limit *io, char *text) {
    char *next;

    for (char *word = text; word; word = next) {
        char *value = strchr(word, '=');

        next = strchr(word, ',');
        if (next)
            *next++ = '\0';
        if (!value || (next && value > next))
            return -EINVAL;
        *value++ = '\0';
        if (set_io_key(io, word, value) < 0)
            return -EINVAL;
    }
    return 0;
}

int limits_add_io(struct limits *limits, const char *spec, struct err *err) {
    _cleanup_strv_ struct strv fields = {0};
    struct io_limit io = {0}, *all;

    if (plan_spec_split(spec, &fields) < 0)
        return err_nomem(err);
    if (fields.n != 2 || !fields.items[0][0] || parse_io_keys(&io, fields.items[1]) < 0)
        return err_set(err, -EINVAL,
                       "--io-max '%s' is not PATH:KEY=NUMBER,... with the keys rbps, wbps, riops, "
                       "wiops",
                       spec);
    all = reallocarray(limits->io, limits->n_io + 1, sizeof *all);
    if (!all)
        return err_nomem(err);
    limits->io = all;
    io.path = take_ptr(fields.items[0]);
    all[limits->n_io++] = io;
    return 0;
}

/* Reads one number at *@p, which moves behind it. */
static int parse_cpu(const char **p, unsigned *ret_cpu) {
    size_t n = strspn(*p, "0123456789");
    unsigned long value;

    if (n == 0)
        return -EINVAL;
    value = n > 6 ? LIMITS_MAX_CPUS : strtoul(*p, NULL, 10);
    if (value >= LIMITS_MAX_CPUS)
        return -ERANGE;
    *ret_cpu = (unsigned)value;
    *p += n;
    return 0;
}

int cpu_mask_parse(const char *text, struct cpu_mask *mask) {
    const char *p = text;

    *mask = (struct cpu_mask){0};
    while (*p && *p != '\n') {
        unsigned first, last;
        int r = parse_cpu(&p, &first);

        last = first;
        if (r == 0 && *p == '-') {
            p++;
            r = parse_cpu(&p, &last);
        }
        if (r < 0)
            return r;
        if (last < first)
            return -EINVAL;
        for (unsigned i = first; i <= last; i++)
            mask->bits[i / 64] |= UINT64_C(1) << i % 64;
        if (*p == ',' && p[1] && p[1] != '\n')
            p++;
        else if (*p && *p != '\n')
            return -EINVAL;
    }
    return 0;
}

bool cpu_mask_holds(const struct cpu_mask *whole, const struct cpu_mask *part) {
    for (size_t i = 0; i < N_ELEMENTS(whole->bits); i++)
        if (part->bits[i] & ~whole->bits[i])
            return false;
    return true;
}

void limits_format_bytes(struct buf *buf, uint64_t bytes) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    size_t i = 0;

    while (i + 1 < N_ELEMENTS(units) && bytes >> (10 * (i + 1)))
        i++;
    if (i == 0 || !(bytes & ((UINT64_C(1) << (10 * i)) - 1)))
        buf_printf(buf, "%" PRIu64 " %s", bytes >> (10 * i), units[i]);
    else
        buf_printf(buf, "%.1f %s", (double)bytes / (double)(UINT64_C(1) << (10 * i)), units[i]);
}
