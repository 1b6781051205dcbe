/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as people write them. */
#include "engine/base/cleanup.h"
#include "engine/plan/limits.h"
#include "engine/plan/plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* --- numbers ----------------------------------------------------------------- */

Test(limits, memory) {
    static const struct {
        const char *text;
        uint64_t bytes; /* 0: refused */
    } cases[] = {
        {"64m", UINT64_C(64) << 20},
        {"2M", UINT64_C(2) << 20},
        {"1g", UINT64_C(1) << 30},
        {"1GiB", UINT64_C(1) << 30},
        {"2097152", 2097152},
        {"2097151", 0},
        {"0", 0},
        {"", 0},
        {"-1", 0},
        {"64 m", 0},
        {"1.5g", 0},
        {"99999999999g", 0},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct limits limits = {0};
        struct err err = {0};
        int r = limits_set_memory(&limits, cases[i].text, &err);

        cr_expect_eq(r, cases[i].bytes ? 0 : -EINVAL, "%s: %s", cases[i].text, err.message);
        cr_expect_eq(limits.memory_bytes, cases[i].bytes, "%s", cases[i].text);
        if (r < 0)
            cr_expect(strstr(err.message, "--memory"), "%s", err.message);
        limits_done(&limits);
    }
}

Test(limits, cpus) {
    static const struct {
        const char *text;
        uint64_t quota_usec; /* 0: refused */
    } cases[] = {
        {"1", 100000},  {"0.5", 50000},     {".5", 50000},  {"2.", 200000},  {"1.25", 125000},
        {"0.01", 1000}, {"16", 1600000},    {"0.00999", 0}, {"0", 0},        {"", 0},
        {".", 0},       {"-1", 0},          {"1,5", 0},     {"1.123456", 0}, {"1e3", 0},
        {"99999", 0},   {"0.12345", 12345},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct limits limits = {0};
        int r = limits_set_cpus(&limits, cases[i].text, NULL);

        cr_expect_eq(r, cases[i].quota_usec ? 0 : -EINVAL, "%s", cases[i].text);
        cr_expect_eq(limits.cpu_quota_usec, cases[i].quota_usec, "%s: %llu", cases[i].text,
                     (unsigned long long)limits.cpu_quota_usec);
    }
}

Test(limits, shares_and_pids) {
    struct limits limits = {0};

    cr_expect_eq(limits_set_cpu_shares(&limits, "1024", NULL), 0);
    cr_expect_eq(limits.cpu_shares, 1024);
    cr_expect_eq(limits_set_cpu_shares(&limits, "1", NULL), -EINVAL);
    cr_expect_eq(limits_set_cpu_shares(&limits, "262145", NULL), -EINVAL);
    cr_expect_eq(limits_set_pids(&limits, "64", NULL), 0);
    cr_expect_eq(limits.pids, 64);
    cr_expect_eq(limits_set_pids(&limits, "many", NULL), -EINVAL);
    cr_expect_eq(limits.pids, 64, "a refused value changes nothing");
    cr_expect(limits_any(&limits));
    cr_expect_eq(limits_set_pids(&limits, "-1", NULL), 0);
    cr_expect_eq(limits.pids, 0);
}

/* --- CPUs --------------------------------------------------------------------- */

Test(limits, cpu_lists) {
    static const struct {
        const char *text;
        int r;
        uint64_t bits; /* of the first 64 */
    } cases[] = {
        {"0", 0, 1},
        {"0-3,8", 0, 0x10f},
        {"0-1\n", 0, 3},
        {"63", 0, UINT64_C(1) << 63},
        {"1,1", 0, 2},
        {"", 0, 0},
        {"\n", 0, 0},
        {"3-1", -EINVAL, 0},
        {"0,", -EINVAL, 0},
        {",0", -EINVAL, 0},
        {"0--1", -EINVAL, 0},
        {"0 1", -EINVAL, 0},
        {"a", -EINVAL, 0},
        {"8192", -ERANGE, 0},
        {"0-99999999999", -ERANGE, 0},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct cpu_mask mask;
        int r = cpu_mask_parse(cases[i].text, &mask);

        cr_expect_eq(r, cases[i].r, "'%s': %d", cases[i].text, r);
        if (r == 0)
            cr_expect_eq(mask.bits[0], cases[i].bits, "'%s'", cases[i].text);
    }
}

Test(limits, cpu_sets_within_others) {
    struct cpu_mask host, asked;

    cr_assert_eq(cpu_mask_parse("0-3,100", &host), 0);
    cr_assert_eq(cpu_mask_parse("1,100", &asked), 0);
    cr_expect(cpu_mask_holds(&host, &asked));
    cr_assert_eq(cpu_mask_parse("1,101", &asked), 0);
    cr_expect(!cpu_mask_holds(&host, &asked));
}

/* --- disks -------------------------------------------------------------------- */

Test(limits, io) {
    struct limits limits = {0};
    struct err err = {0};

    cr_assert_eq(limits_add_io(&limits, "/dev/vda:rbps=1m,wiops=200", &err), 0, "%s", err.message);
    cr_assert_eq(limits.n_io, 1);
    cr_expect_str_eq(limits.io[0].path, "/dev/vda");
    cr_expect_eq(limits.io[0].read_bps, 1 << 20);
    cr_expect_eq(limits.io[0].write_bps, 0);
    cr_expect_eq(limits.io[0].write_iops, 200);
    cr_expect_eq(limits_add_io(&limits, "/a\\:b:wbps=1", &err), 0, "%s", err.message);
    cr_expect_str_eq(limits.io[1].path, "/a:b");
    limits_done(&limits);
    cr_expect_eq(limits.n_io, 0);
}

Test(limits, io_refused) {
    static const char *const specs[] = {
        "",          "/dev/vda",   "/dev/vda:",       ":rbps=1",          "/:rbps",
        "/:rbps=",   "/:rbps=0",   "/:speed=1",       "/:rbps=1,",        "/:rbps=1,,wbps=1",
        "/:rbps,=1", "/:riops=1k", "/:rbps=1:wbps=1", "/:rbps=1m wbps=1", "/:rbps=-1",
    };

    for (size_t i = 0; i < N_ELEMENTS(specs); i++) {
        struct limits limits = {0};

        cr_expect_eq(limits_add_io(&limits, specs[i], NULL), -EINVAL, "%s", specs[i]);
        cr_expect_eq(limits.n_io, 0, "%s", specs[i]);
        limits_done(&limits);
    }
}

/* --- between limits ----------------------------------------------------------- */

Test(limits, memory_and_swap) {
    struct limits limits = {0};
    struct err err = {0};

    cr_assert_eq(limits_set_memory_swap(&limits, "64m", &err), 0);
    cr_expect_eq(limits_check(&limits, &err), -EINVAL);
    cr_expect(strstr(err.message, "-m"), "%s", err.message);
    cr_assert_eq(limits_set_memory(&limits, "65m", &err), 0);
    cr_expect_eq(limits_check(&limits, &err), -EINVAL);
    cr_assert_eq(limits_set_memory(&limits, "64m", &err), 0);
    cr_expect_eq(limits_check(&limits, &err), 0);
    cr_assert_eq(limits_set_memory_swap(&limits, "-1", &err), 0);
    cr_expect_eq(limits_check(&limits, &err), 0);
}

/* --- for people --------------------------------------------------------------- */

Test(limits, sizes) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {512, "512 B"},
        {1024, "1 KiB"},
        {1536, "1.5 KiB"},
        {UINT64_C(64) << 20, "64 MiB"},
        {(UINT64_C(3) << 30) + (UINT64_C(1) << 29), "3.5 GiB"},
        {UINT64_MAX, "16.0 EiB"},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_buf_ struct buf text = BUF_INIT;

        limits_format_bytes(&text, cases[i].bytes);
        cr_expect_str_eq(text.data, cases[i].text);
    }
}
