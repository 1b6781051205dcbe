/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/remember/remember_key.h"

#include <criterion/criterion.h>
#include <stdio.h>

/* A step, and what it depends on; each test changes one thing. */
struct step {
    struct plan plan;
    struct strv workdirs;
    const char *volumes[1];
    struct remember_inputs inputs;
    char key[SHA256_HEX_BYTES];
};

static void step_init(struct step *step) {
    static const char *const command[] = {"make", NULL};

    *step = (struct step){.volumes = {"content"}};
    plan_init(&step->plan);
    cr_assert_eq(str_set(&step->plan.image, "debian:12", NULL), 0);
    cr_assert_eq(plan_add_action(&step->plan, ACTION_SHELL, command, NULL, NULL), 0);
    cr_assert_eq(plan_add_volume(&step->plan, "/src:/src:ro", NULL), 0);
    cr_assert_eq(plan_add_env(&step->plan, "A=1", NULL), 0);
    cr_assert_eq(strv_push(&step->workdirs, "/src"), 0);
    step->inputs = (struct remember_inputs){
        .previous = "image", .workdirs = &step->workdirs, .volumes = step->volumes};
}

static void step_done(struct step *step) {
    plan_done(&step->plan);
    strv_done(&step->workdirs);
}

static const char *key_of(struct step *step) {
    _cleanup_strv_ struct strv facts = {0};

    cr_assert_eq(remember_key_facts(&step->plan, 0, &step->inputs, &facts), 0);
    remember_key(&facts, step->key);
    return step->key;
}

static void expect_another(struct step *step, const char *before, const char *what) {
    char now[SHA256_HEX_BYTES];

    snprintf(now, sizeof now, "%s", key_of(step));
    cr_expect_str_neq(now, before, "%s", what);
    step_done(step);
    step_init(step);
}

Test(remember_key, whatever_a_step_can_see) {
    static const char *const other[] = {"make ", NULL};
    char before[SHA256_HEX_BYTES];
    struct step step;

    step_init(&step);
    snprintf(before, sizeof before, "%s", key_of(&step));
    step.inputs.previous = "another";
    expect_another(&step, before, "what is below it");
    step.plan.n_actions = 0;
    cr_assert_eq(plan_add_action(&step.plan, ACTION_SHELL, other, NULL, NULL), 0);
    expect_another(&step, before, "the command");
    step.plan.actions[0].kind = ACTION_EXEC;
    expect_another(&step, before, "its kind");
    step.volumes[0] = "other content";
    expect_another(&step, before, "a volume");
    step.plan.volumes[0].mode = VOLUME_COW;
    expect_another(&step, before, "a volume's mode");
    cr_assert_eq(plan_add_env(&step.plan, "A=2", NULL), 0);
    expect_another(&step, before, "a variable");
    cr_assert_eq(str_set(&step.plan.user, "app", NULL), 0);
    expect_another(&step, before, "the user");
    cr_assert_eq(str_set(&step.plan.hostname, "h", NULL), 0);
    expect_another(&step, before, "the host name");
    step.plan.net = step.plan.net == NET_HOST ? NET_NONE : NET_HOST;
    expect_another(&step, before, "the network");
    step.plan.read_only = true;
    expect_another(&step, before, "a read-only root");
    step.plan.limits.memory_bytes = 1 << 26;
    expect_another(&step, before, "a limit");
    step.plan.shm_bytes = 1 << 20;
    expect_another(&step, before, "the size of /dev/shm");
    cr_assert_eq(ulimits_add(&step.plan.ulimits, "nofile=100", NULL), 0);
    expect_another(&step, before, "a limit of each process");
    cr_assert_eq(strv_push(&step.plan.sysctls, "net.ipv4.ip_default_ttl=9"), 0);
    expect_another(&step, before, "a switch of the kernel's");
    cr_assert_eq(confinement_drop_cap(&step.plan.confinement, "KILL", NULL), 0);
    expect_another(&step, before, "a capability");
    cr_assert_eq(confinement_set_security(&step.plan.confinement, "no-new-privileges", NULL), 0);
    expect_another(&step, before, "no new privileges");
    cr_assert_eq(confinement_set_security(&step.plan.confinement, "mask=/etc", NULL), 0);
    expect_another(&step, before, "a hidden path");
    cr_assert_eq(confinement_set_security(&step.plan.confinement, "unmask=ALL", NULL), 0);
    expect_another(&step, before, "what is not hidden");
    cr_assert_eq(confinement_set_security(&step.plan.confinement, "seccomp=unconfined", NULL), 0);
    expect_another(&step, before, "no filter");
    step.plan.confinement.privileged = true;
    expect_another(&step, before, "all privileges");
    cr_assert_eq(plan_add_tmpfs(&step.plan, "/t", NULL), 0);
    expect_another(&step, before, "a tmpfs");
    cr_assert_eq(plan_add_keep(&step.plan, "c:/c", NULL), 0);
    expect_another(&step, before, "a kept directory");
    cr_assert_eq(strv_push(&step.workdirs, "/other"), 0);
    expect_another(&step, before, "the workdir");
    step_done(&step);
}

Test(remember_key, nothing_that_does_not_matter) {
    char before[SHA256_HEX_BYTES];
    struct step step;

    step_init(&step);
    snprintf(before, sizeof before, "%s", key_of(&step));
    cr_assert_eq(str_set(&step.plan.name, "name", NULL), 0);
    cr_assert_eq(str_set(&step.plan.image, "the-same-by-another-name", NULL), 0);
    step.plan.timeout_nsec = 5;
    step.plan.step_timeout_nsec = 5;
    step.plan.on_failure_shell = true;
    step.plan.pull = PULL_ALWAYS;
    free(step.plan.volumes[0].source);
    step.plan.volumes[0].source = strdup("/elsewhere");
    cr_assert_str_eq(key_of(&step), before);
    step_done(&step);
}

Test(remember_key, names_the_first_difference) {
    _cleanup_strv_ struct strv before = {0}, now = {0};
    const char *label;
    size_t n;

    cr_assert_eq(strv_push(&before, "command\ta"), 0);
    cr_assert_eq(strv_push(&before, "variable X\t1"), 0);
    cr_assert_eq(strv_push(&now, "command\ta"), 0);
    label = remember_key_difference(&before, &now, &n);
    cr_assert_eq(n, strlen("variable X"));
    cr_assert_eq(strncmp(label, "variable X", n), 0);
    cr_assert_eq(remember_key_distance(&before, &now), 1);
    cr_assert_eq(strv_push(&now, "variable X\t1"), 0);
    cr_assert_null(remember_key_difference(&before, &now, &n));
}

/* Variables may be secrets: their values are not written down. */
Test(remember_key, does_not_tell_values) {
    _cleanup_strv_ struct strv facts = {0};
    struct step step;

    step_init(&step);
    cr_assert_eq(plan_add_env(&step.plan, "TOKEN=hunter2", NULL), 0);
    cr_assert_eq(remember_key_facts(&step.plan, 0, &step.inputs, &facts), 0);
    for (size_t i = 0; i < facts.n; i++)
        cr_assert_null(strstr(facts.items[i], "hunter2"));
    step_done(&step);
}
