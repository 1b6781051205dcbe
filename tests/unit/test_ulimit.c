/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of single processes, and switches of namespaces, as people write them. */
#include "engine/base/cleanup.h"
#include "engine/confine/sysctl.h"
#include "engine/confine/ulimit.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* --- ulimit -------------------------------------------------------------------- */

Test(ulimit, texts) {
    static const struct {
        const char *spec;
        int resource; /* -1: refused */
        uint64_t soft, hard;
    } cases[] = {
        {"nofile=1024", RLIMIT_NOFILE, 1024, 1024},
        {"nofile=1024:2048", RLIMIT_NOFILE, 1024, 2048},
        {"core=0:-1", RLIMIT_CORE, 0, ULIMIT_UNLIMITED},
        {"stack=unlimited", RLIMIT_STACK, ULIMIT_UNLIMITED, ULIMIT_UNLIMITED},
        {"nproc=2:1", -1, 0, 0},
        {"nofile", -1, 0, 0},
        {"nofile=", -1, 0, 0},
        {"nofile=1:", -1, 0, 0},
        {"nofile=1k", -1, 0, 0},
        {"files=1", -1, 0, 0},
        {"=1", -1, 0, 0},
        {"", -1, 0, 0},
        {"nofile=-2", -1, 0, 0},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        struct ulimits ulimits = {0};
        struct err err = {0};
        int r = ulimits_add(&ulimits, cases[i].spec, &err);

        cr_expect_eq(r, cases[i].resource < 0 ? -EINVAL : 0, "%s: %s", cases[i].spec, err.message);
        cr_expect_eq(ulimits.n, cases[i].resource >= 0);
        if (ulimits.n == 1) {
            cr_expect_eq(ulimits.items[0].resource, cases[i].resource);
            cr_expect_eq(ulimits.items[0].soft, cases[i].soft);
            cr_expect_eq(ulimits.items[0].hard, cases[i].hard);
        }
        ulimits_done(&ulimits);
    }
}

Test(ulimit, the_last_of_a_kind_wins) {
    struct ulimits ulimits = {0};

    cr_assert_eq(ulimits_add(&ulimits, "nofile=10", NULL), 0);
    cr_assert_eq(ulimits_add(&ulimits, "core=0", NULL), 0);
    cr_assert_eq(ulimits_add(&ulimits, "nofile=20", NULL), 0);
    cr_assert_eq(ulimits.n, 2);
    cr_expect_eq(ulimits.items[0].soft, 20);
    ulimits_done(&ulimits);
}

Test(ulimit, taken_on) {
    struct ulimits ulimits = {0};
    int status;
    pid_t pid;

    cr_assert_eq(ulimits_add(&ulimits, "nofile=17:18", NULL), 0);
    pid = fork();
    if (pid == 0) {
        struct rlimit now;

        _exit(ulimits_apply(&ulimits) < 0 || getrlimit(RLIMIT_NOFILE, &now) < 0 ||
              now.rlim_cur != 17 || now.rlim_max != 18);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0);
    ulimits_done(&ulimits);
}

/* --- sysctl -------------------------------------------------------------------- */

Test(sysctl, texts) {
    static const struct {
        const char *spec;
        const char *kept; /* NULL: refused */
    } cases[] = {
        {"net.ipv4.ip_forward=1", "net.ipv4.ip_forward=1"},
        {"net/core/somaxconn=99", "net.core.somaxconn=99"},
        {"kernel.sem=250 32000 100 128", "kernel.sem=250 32000 100 128"},
        {"fs.mqueue.msg_max=20", "fs.mqueue.msg_max=20"},
        {"kernel.shmmax=", "kernel.shmmax="},
        {"kernel.core_pattern=|/bin/x", NULL},
        {"kernel.shmmax2=1", NULL},
        {"net.=1", NULL},
        {"network.x=1", NULL},
        {"net..kernel.panic=1", NULL},
        {"net/../kernel/panic=1", NULL},
        {"vm.swappiness=1", NULL},
        {"net.ipv4.ip_forward", NULL},
        {"=1", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
        _cleanup_strv_ struct strv sysctls = {0};
        int r = sysctl_add(&sysctls, cases[i].spec, NULL);

        cr_expect_eq(r, cases[i].kept ? 0 : -EINVAL, "%s: %d", cases[i].spec, r);
        if (cases[i].kept && sysctls.n == 1)
            cr_expect_str_eq(sysctls.items[0], cases[i].kept);
    }
    cr_expect(sysctl_is_network("net.ipv4.ip_forward=1"));
    cr_expect(!sysctl_is_network("kernel.sem=1"));
}
