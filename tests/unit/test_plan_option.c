/* SPDX-License-Identifier: Apache-2.0 */
/* A container's options by name: those of the command line are those of a plan. */
#include "engine/base/str.h"
#include "engine/plan/plan_option.h"
#include "tools/container_options.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(plan_option, every_option_of_the_command_line_is_known) {
    struct option_spec specs[OPTIONS_MAX];
    size_t n_specs = 0;

    container_options_append(specs, &n_specs);
    cr_assert_gt(n_specs, 0);
    for (size_t i = 0; i < n_specs; i++) {
        struct plan plan;
        struct err err = {0};
        int r;

        plan_init(&plan);
        r = plan_option(&plan, specs[i].name, specs[i].argument ? "" : NULL, &err);
        cr_expect_neq(r, -ENOENT, "%s: %s", specs[i].name, err.message);
        plan_done(&plan);
    }
}

Test(plan_option, values_reach_the_plan) {
    struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_expect_eq(plan_option(&plan, "user", "nobody", &err), 0, "%s", err.message);
    cr_expect_str_eq(plan.user, "nobody");
    cr_expect_eq(plan_option(&plan, "read-only", NULL, &err), 0, "%s", err.message);
    cr_expect(plan.read_only);
    plan_done(&plan);
}

Test(plan_option, a_wrong_name_is_said) {
    struct plan plan;
    struct err err = {0};

    plan_init(&plan);
    cr_expect_eq(plan_option(&plan, "wings", NULL, &err), -ENOENT);
    cr_expect(strstr(err.message, "wings"), "%s", err.message);
    plan_done(&plan);
}
