/* SPDX-License-Identifier: Apache-2.0 */
/* Where a process stands in its host's control groups, from the kernel's lists. */
#include "engine/base/cleanup.h"
#include "engine/cgroup/cgroup_host.h"

#include <criterion/criterion.h>
#include <string.h>

#define PURE_MOUNTS                                                                                \
    "24 1 0:22 / /sys rw,nosuid - sysfs sysfs rw\n"                                                \
    "31 24 0:27 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "      \
    "rw,nsdelegate,memory_recursiveprot\n"

#define HYBRID_MOUNTS                                                                              \
    "31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755\n"                          \
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"         \
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"                   \
    "39 31 0:36 / /sys/fs/cgroup/pids ro,relatime - cgroup cgroup rw,pids\n"                       \
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"            \
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"

/* --- version 2 ---------------------------------------------------------------- */

Test(cgroup_host, pure_version_2) {
    struct cgroup_host host;

    cr_assert_eq(
        cgroup_host_parse(&host, "0::/user.slice/user-1000.slice/session-3.scope\n", PURE_MOUNTS),
        0);
    cr_assert_not_null(host.v2.own);
    cr_expect_str_eq(host.v2.top, "/sys/fs/cgroup");
    cr_expect_str_eq(host.v2.own, "/sys/fs/cgroup/user.slice/user-1000.slice/session-3.scope");
    cr_expect(!host.v2.is_read_only);
    cr_expect_eq(host.n_v1, 0);
    cgroup_host_done(&host);
}

Test(cgroup_host, the_top_itself) {
    struct cgroup_host host;

    cr_assert_eq(cgroup_host_parse(&host, "0::/\n", PURE_MOUNTS), 0);
    cr_expect_str_eq(host.v2.own, "/sys/fs/cgroup");
    cgroup_host_done(&host);
}

Test(cgroup_host, a_mount_that_begins_below_the_top) {
    static const char mounts[] = "31 24 0:27 /other /mnt/a rw - cgroup2 cgroup2 rw\n"
                                 "32 24 0:27 /box /mnt/b ro - cgroup2 cgroup2 rw\n"
                                 "33 24 0:27 /bo /mnt/c rw - cgroup2 cgroup2 rw\n";
    struct cgroup_host host;

    cr_assert_eq(cgroup_host_parse(&host, "0::/box/inner\n", mounts), 0);
    cr_expect_str_eq(host.v2.top, "/mnt/b");
    cr_expect_str_eq(host.v2.own, "/mnt/b/inner");
    cr_expect(host.v2.is_read_only);
    cgroup_host_done(&host);
}

Test(cgroup_host, groups_that_cannot_be_seen) {
    static const char *const memberships[] = {"", "0::\n", "0", "0::/../sibling\n", "0::/..\n"};

    for (size_t i = 0; i < N_ELEMENTS(memberships); i++) {
        struct cgroup_host host;

        cr_assert_eq(cgroup_host_parse(&host, memberships[i], PURE_MOUNTS), 0);
        if (i != 1)
            cr_expect_null(host.v2.own, "%s", memberships[i]);
        cgroup_host_done(&host);
    }
}

Test(cgroup_host, names_with_blanks) {
    static const char mounts[] = "31 24 0:27 / /mnt/a\\040b\\134 rw a:1 b:2 - cgroup2 none rw\n";
    struct cgroup_host host;

    cr_assert_eq(cgroup_host_parse(&host, "0::/x:y z\n", mounts), 0);
    cr_assert_not_null(host.v2.own);
    cr_expect_str_eq(host.v2.own, "/mnt/a b\\/x:y z");
    cgroup_host_done(&host);
}

/* --- version 1 ---------------------------------------------------------------- */

Test(cgroup_host, hybrid) {
    struct cgroup_host host;
    const struct cgroup_place *place;

    cr_assert_eq(cgroup_host_parse(&host,
                                   "9:name=systemd:/\n8:pids:/\n6:freezer:/\n"
                                   "4:memory:/job/7\n2:cpuacct,cpu:/\n0::/\n",
                                   HYBRID_MOUNTS),
                 0);
    cr_expect_str_eq(host.v2.own, "/sys/fs/cgroup/unified");
    place = cgroup_host_v1(&host, CGROUP_MEMORY);
    cr_assert_not_null(place);
    cr_expect_str_eq(place->own, "/sys/fs/cgroup/memory/job/7");
    place = cgroup_host_v1(&host, CGROUP_CPU);
    cr_assert_not_null(place);
    cr_expect_eq(place, cgroup_host_v1(&host, CGROUP_CPUACCT));
    cr_expect_str_eq(place->own, "/sys/fs/cgroup/cpu,cpuacct");
    cr_expect(cgroup_host_v1(&host, CGROUP_PIDS)->is_read_only);
    cr_expect_null(cgroup_host_v1(&host, CGROUP_FREEZER), "a hierarchy that is not mounted");
    cr_expect_null(cgroup_host_v1(&host, CGROUP_IO));
    cgroup_host_done(&host);
}

Test(cgroup_host, lines_that_are_none) {
    static const char mounts[] = "\n31\n31 24 0:27 /\n31 24 0:27 / /x rw\n31 24 0:27 / /x rw -\n"
                                 "31 24 0:27 / /x rw - cgroup2\n31 24 0:27 / /x rw - cgroup2 c\n";
    struct cgroup_host host;

    cr_assert_eq(cgroup_host_parse(&host, "0::/\n:\n::\n5\n5:memory\n", mounts), 0);
    cr_expect_null(host.v2.own);
    cr_expect_eq(host.n_v1, 0);
    cgroup_host_done(&host);
}

/* --- controllers -------------------------------------------------------------- */

Test(cgroup_host, controllers) {
    cr_expect_eq(cgroup_controllers_parse("cpuset cpu io memory hugetlb pids rdma\n", " \n", true),
                 CGROUP_CPUSET | CGROUP_CPU | CGROUP_IO | CGROUP_MEMORY | CGROUP_PIDS);
    cr_expect_eq(cgroup_controllers_parse("rw,blkio", ",", false), CGROUP_IO);
    cr_expect_eq(cgroup_controllers_parse("", " ", true), 0);
    cr_expect_eq(cgroup_controllers_parse("cpus mem", " ", true), 0);
    cr_expect_str_eq(cgroup_controller_first(CGROUP_PIDS | CGROUP_MEMORY)->v2, "memory");
}
