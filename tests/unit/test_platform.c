/* SPDX-License-Identifier: Apache-2.0 */
#include "rootfs/platform.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static int match(const char *offered, const char *wanted) {
    struct platform a, b;

    cr_assert_eq(platform_parse(offered, &a, NULL), 0);
    cr_assert_eq(platform_parse(wanted, &b, NULL), 0);
    return platform_match(&a, &b);
}

Test(platform, machines) {
    struct platform platform;

    platform_of_machine("x86_64", &platform);
    cr_assert_str_eq(platform.os, "linux");
    cr_assert_str_eq(platform.architecture, "amd64");
    platform_of_machine("aarch64", &platform);
    cr_assert_str_eq(platform.architecture, "arm64");
    cr_assert_str_eq(platform.variant, "v8");
    platform_of_machine("sparc64", &platform);
    cr_assert_str_eq(platform.architecture, "sparc64");
    cr_assert_str_eq(platform.variant, "");
}

Test(platform, parse) {
    static const char *const bad[] = {
        "", "linux", "linux/", "/amd64", "linux/amd64/", "a/b/c/d", "Linux/amd64", "linux/am d64"};
    struct platform platform;

    cr_assert_eq(platform_parse("linux/arm/v7", &platform, NULL), 0);
    cr_assert_str_eq(platform.architecture, "arm");
    cr_assert_str_eq(platform.variant, "v7");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert_eq(platform_parse(bad[i], &platform, NULL), -EINVAL, "%s", bad[i]);
}

Test(platform, the_nearest_wins) {
    cr_assert_eq(match("linux/arm64", "linux/amd64"), 0);
    cr_assert_eq(match("windows/amd64", "linux/amd64"), 0);
    cr_assert_gt(match("linux/arm/v7", "linux/arm/v7"), match("linux/arm/v6", "linux/arm/v7"));
    cr_assert_gt(match("linux/arm/v6", "linux/arm/v7"), match("linux/arm/v5", "linux/arm/v7"));
    cr_assert_eq(match("linux/arm/v7", "linux/arm/v6"), 0);
    cr_assert_gt(match("linux/arm64", "linux/arm64/v8"), 0);
}
